"""Whether a file is whole, by what its container says about its own length.

The number of frames that a header announces says little: files that were trimmed without being encoded anew hide some, and AVI counts
frames that repeat the one before. The sizes of the container's parts say it exactly.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_ISO_PARTS = (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"pnot", b"sidx", b"mfra", b"uuid", b"meta", b"udta")
_OGG_PAGE = 65307  # bytes; a page is never longer
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)  # of a RIFF part whose writer did not come to its end


def missing_bytes(path: Path) -> int | None:
    """How many bytes a file lacks at its end, at least.

    Returns:
        0 for a whole file; None where its format does not say.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[4:8] in _ISO_PARTS:
            return _after_iso(file, length)
        if head[:4] == b"RIFF":
            return _after_riff(file, length)
        if head[:4] == b"\x1a\x45\xdf\xa3":
            return _after_matroska(file, length)
        if head[:3] == b"FLV":
            return _after_flash(file, length)
        if head[:4] == b"OggS":
            return _after_ogg(file, length)
    return None


def _after_iso(file: BinaryIO, length: int) -> int:
    """MP4 and QuickTime (ISO 14496-12): boxes of a size and a type."""
    place = 0
    while place + 8 <= length:
        file.seek(place)
        head = file.read(16)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if kind not in _ISO_PARTS:  # some devices write other things behind the last box
            return 0
        if size == 0:  # up to the end, however far it is
            return 0
        size = int.from_bytes(head[8:16], "big") if size == 1 else size
        if size < 8:
            return 0
        place += size
    return max(place - length, 0)


def _after_riff(file: BinaryIO, length: int) -> int | None:
    """AVI: one RIFF part, in long files several."""
    place = 0
    while place + 8 <= length:
        file.seek(place)
        head = file.read(8)
        size = int.from_bytes(head[4:8], "little")
        if head[:4] != b"RIFF":
            return 0
        if size in _UNKNOWN_SIZES:
            return None
        place += 8 + size + size % 2
    return max(place - size % 2 - length, 0)


def _after_matroska(file: BinaryIO, length: int) -> int | None:
    """Matroska and WebM (RFC 8794): an EBML header and a segment, which may have an unknown size."""
    file.seek(4)
    header = _vint(file)
    if header is None:
        return None
    file.seek(header, 1)
    if file.read(4) != b"\x18\x53\x80\x67":
        return None
    segment = _vint(file)
    return None if segment is None else max(file.tell() + segment - length, 0)


def _vint(file: BinaryIO) -> int | None:
    """A number of EBML, whose first set bit tells its length; None where all other bits are set, which says unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    value = (first[0] & (1 << (7 - more)) - 1) << 8 * more | int.from_bytes(file.read(more), "big")
    return None if value == (1 << 7 * (more + 1)) - 1 else value


def _after_flash(file: BinaryIO, length: int) -> int | None:
    """FLV: the last four bytes tell the size of the last tag, which tells the size of its content."""
    if length < 13 + 15:
        return None
    file.seek(length - 4)
    size = int.from_bytes(file.read(4), "big")
    if not 11 <= size <= length - 13:
        return 1
    file.seek(length - 4 - size)
    tag = file.read(4)
    return 0 if int.from_bytes(tag[1:4], "big") + 11 == size else 1


def _after_ogg(file: BinaryIO, length: int) -> int:
    """Ogg (RFC 3533): the last page tells its own length."""
    start = max(length - _OGG_PAGE, 0)
    file.seek(start)
    tail = file.read()
    place = tail.rfind(b"OggS")
    if place < 0:
        return 1
    segments = tail[place + 26 : place + 27]
    table = tail[place + 27 : place + 27 + (segments[0] if segments else 0)]
    if not segments or len(table) < segments[0]:
        return 1
    return max(place + 27 + len(table) + sum(table) - len(tail), 0)
