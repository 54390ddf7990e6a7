"""The cache folder of this package, files that appear whole or not at all, and downloads with a digest.

The cache holds what can be made again: converted networks, compiled networks, measurements of this machine, downloads.
"""

from __future__ import annotations

import atexit
import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from platformdirs import user_cache_path

from fear.errors import FearError, RuntimeMissingError, WeightsError

_UNFINISHED = ".fear-"
"""Start of the names of folders in which files and folders are written."""

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of the errors of a full disk, a full quota, and a file that is too large."""

_ABANDONED = 86_400.0
"""Seconds after which nobody is writing there any more."""


def cache_folder() -> Path:
    """The folder for what can be made again; it exists and can be written.

    It is the platform's: `$XDG_CACHE_HOME/fear` or `~/.cache/fear` on Linux. Where there is no home, or it cannot be written, it is a
    temporary folder that is deleted when this process ends.
    """
    try:
        folder = user_cache_path("fear", appauthor=False)
    except RuntimeError:  # platformdirs found no home: neither in the environment nor among the users of the system
        return temporary_cache()
    if folder.is_absolute():  # without a home it would be relative to the working directory
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return temporary_cache()
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    return temporary_cache()


@cache
def temporary_cache() -> Path:
    """A folder that is deleted when this process ends; the cache folder where there is no other."""
    folder = Path(tempfile.mkdtemp(prefix="fear-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def written_whole(path: Path, *, keep_existing: bool = False) -> Iterator[Path]:
    """A place to write a file or to fill a folder, which becomes `path` when the block ends without an exception.

    Until then `path` stays as it was. Several processes may write the same path; the last one to finish decides what lies there.

    Args:
        path: What shall appear. Folders above it are made.
        keep_existing: Leave what another process has put there in the meantime; for folders that others may be reading.

    Yields:
        A path of the same name in a temporary folder beside `path`, with nothing there yet.

    Raises:
        FearError: A file shall appear where a folder is.
        OSError: The disk is full; the error names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path.parent)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=_UNFINISHED) as temporary:
        unfinished, before = Path(temporary) / path.name, Path(temporary) / "before"
        try:
            yield unfinished
        except OSError as error:
            if error.errno in DISK_FULL and error.filename is None:  # writing into an open file does not say which one it was
                raise OSError(error.errno, error.strerror, str(path)) from error
            raise
        if keep_existing and path.exists():
            return
        if path.is_dir() and unfinished.is_file():
            raise FearError(f"{path}: expected the name of a file to write, found a folder of that name")
        if path.is_dir() and unfinished.exists():
            path.rename(before)  # a folder cannot replace one that is not empty
        try:
            unfinished.replace(path)
        except OSError:
            if before.exists() and not path.exists():
                before.rename(path)
            if not (keep_existing and path.exists()):
                raise


@contextmanager
def files_replaced(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """A place to write files and folders, which replace those of the same names in a folder when the block ends without an exception.

    Args:
        folder: An existing folder; whatever else lies there stays untouched.
        names: What is replaced, in this order. What was not written anew is removed.

    Yields:
        An empty temporary folder in `folder`.
    """
    _remove_leftovers(folder)
    with tempfile.TemporaryDirectory(dir=folder, prefix=_UNFINISHED) as temporary:
        yield Path(temporary)
        for name in names:
            new, old = Path(temporary) / name, folder / name
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old)
            else:
                old.unlink(missing_ok=True)
            if new.exists():
                new.replace(old)


@cache  # once for a folder: it may hold thousands of files
def _remove_leftovers(folder: Path) -> None:
    """Removes what processes that were killed left unfinished in a folder."""
    for one in folder.glob(f"{_UNFINISHED}*"):
        try:
            if one.is_dir() and time.time() - one.stat().st_mtime > _ABANDONED:
                shutil.rmtree(one, ignore_errors=True)
        except OSError:  # another process was faster
            continue


def write_text_whole(path: Path, text: str) -> None:
    """Writes a text file, UTF-8, which appears whole or not at all; see `written_whole`."""
    with written_whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_sha256(path: Path, expected: str) -> None:
    """Checks a file's content.

    Raises:
        WeightsError: it has another SHA-256.
    """
    found = sha256_of(path)
    if found != expected.lower():
        raise WeightsError(f"{path}: expected SHA-256 {expected}, got {found}")


def download(url: str, sha256: str, folder: Path | None = None) -> Path:
    """The file at an http(s) or ftp address; it is fetched once and kept.

    Args:
        url: Its address.
        sha256: Expected digest of its content.
        folder: Where it is kept; the cache folder by default.

    Raises:
        WeightsError: it cannot be fetched, or has another digest.
        RuntimeMissingError: pooch is not installed.
    """
    try:
        import pooch
    except ImportError as error:
        raise RuntimeMissingError("downloads need the package pooch: pip install 'fear-tracker[train]'") from error
    pooch.get_logger().setLevel("WARNING")
    name = f"{sha256[:16]}-{url.rsplit('/', 1)[-1]}"
    try:
        return Path(pooch.retrieve(url, known_hash=f"sha256:{sha256.lower()}", fname=name, path=folder or cache_folder()))
    except OSError as error:
        raise WeightsError(f"{url}: expected to download weights from there ({error})") from error
    except ValueError as error:  # pooch's answer to another digest, and to an address of an unknown kind
        raise WeightsError(f"{url}: expected a file with SHA-256 {sha256} at an http(s) or ftp address ({error})") from error
