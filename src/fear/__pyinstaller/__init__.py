"""What PyInstaller needs to know to put fear-tracker into a frozen app; it finds this by the entry point `pyinstaller40`."""

from __future__ import annotations

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """The folders in which PyInstaller looks for hooks."""
    return [str(Path(__file__).parent)]
