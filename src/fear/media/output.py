"""A file that FFmpeg writes through us, because it does not tell every error of writing."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


class OutputFile:
    """What PyAV takes for a file to write.

    FFmpeg loses errors that come while it closes a file, and goes on after others in a state in which it may crash. So it never sees one:
    the first error is kept in `error`, and nothing is written after it.

    Args:
        path: Is made where it does not exist; what it holds is kept until `start`.

    Raises:
        OSError: It cannot be opened for writing.
    """

    def __init__(self, path: Path) -> None:
        self.is_new = not path.exists()
        self.error: OSError | None = None
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "wb", buffering=0)

    def start(self) -> None:
        """Empties the file."""
        with suppress(OSError):  # a device or a pipe holds nothing
            self._file.truncate(0)

    def write(self, data: bytes) -> int:
        """Writes all bytes, or keeps the error."""
        left = memoryview(data)
        try:
            while left and self.error is None:  # a disk that becomes full takes a part
                left = left[self._file.write(left) :]
        except OSError as error:
            self.error = error
        return len(data)

    def seekable(self) -> bool:
        """Whether places in the file can be written again."""
        return self._file.seekable()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place in the file."""
        return self._file.tell()

    def close(self) -> None:
        """Closes the file, and keeps an error that comes then."""
        try:
            self._file.close()
        except OSError as error:
            self.error = self.error or error
