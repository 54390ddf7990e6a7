"""Takes the screen that there is."""

from __future__ import annotations

from collections.abc import Callable

from fear.errors import RuntimeMissingError
from fear.media.opencv import require_opencv
from fear.viewer.screen import Screen


def open_screen(port: int | None, on_page: Callable[[str], None]) -> Screen:
    """A window of OpenCV where it has windows, else a page.

    Args:
        port: Where a page is served on this machine, even where there are windows; None leaves both to the system.
        on_page: Is told the address of the page.

    Raises:
        ConfigError: the port is taken.
    """
    from fear.viewer.server import PageScreen

    if port is None and _has_opencv():
        from fear.viewer.window import WindowScreen, has_windows

        if has_windows():
            return WindowScreen()
    return PageScreen(port or 0, on_page)


def _has_opencv() -> bool:
    try:
        require_opencv("a window")
    except RuntimeMissingError:
        return False
    return True
