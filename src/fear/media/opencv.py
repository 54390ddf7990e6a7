"""OpenCV for those parts that have no other way: other people's trackers and training."""

from __future__ import annotations

from types import ModuleType

from fear.errors import RuntimeMissingError

REMEDY = "pip install opencv-python-headless (or another of OpenCV's four packages: one of them, never two)"


def require_opencv(purpose: str) -> ModuleType:
    """The module `cv2` of whichever package is installed.

    Args:
        purpose: What needs it, at the beginning of the error.

    Raises:
        RuntimeMissingError: There is none, or its folder is empty.
    """
    try:
        import cv2
    except Exception as error:  # such as AttributeError and ValueError of one that was built for another NumPy
        raise RuntimeMissingError(f"{purpose}: expected OpenCV, which cannot be imported ({error}): {REMEDY}") from error
    if not hasattr(cv2, "resize"):  # removing one of the packages can leave an empty folder
        raise RuntimeMissingError(f"{purpose}: expected OpenCV, got an empty folder cv2: pip install --force-reinstall the package you use")
    return cv2
