"""Cameras by number, through the camera interface of each operating system.

The settings for macOS (AVFoundation) and Windows (DirectShow) follow FFmpeg's documentation of these devices. They have not been run on
such machines; the choice of names and options is tested, and the way through Linux's interface (V4L2) is the same code.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import av

from fear.errors import VideoError


class Camera(NamedTuple):
    """What FFmpeg needs to open a camera."""

    name: str
    format: str
    options: dict[str, str]
    """Options that the interface needs, such as a frame rate that it accepts."""


def camera_format(platform: str = sys.platform) -> str:
    """FFmpeg's name of the camera interface of an operating system."""
    return {"darwin": "avfoundation", "win32": "dshow"}.get(platform, "v4l2")


def list_cameras(platform: str = sys.platform) -> list[tuple[str, str]]:
    """Name for FFmpeg and description of each camera, in the order of their numbers.

    Raises:
        VideoError: the system's camera interface cannot be asked.
    """
    interface = camera_format(platform)
    try:
        devices = av.enumerate_input_devices(interface)
    except (av.FFmpegError, ValueError, OSError) as error:
        raise VideoError(f"expected a list of cameras from {interface}, got an error ({error})") from error
    return [(device.name, device.description) for device in devices if not device.media_types or "video" in device.media_types]


def find_camera(number: int, platform: str = sys.platform) -> Camera:
    """The camera of a number, counted from 0.

    Raises:
        VideoError: DirectShow, which knows cameras by name only, has no camera of this number.
    """
    interface = camera_format(platform)
    if interface == "avfoundation":
        # its default, 29.97 frames per second, is a rate that many cameras refuse
        return Camera(f"{number}:none", interface, {"framerate": "30"})
    if interface == "v4l2":
        return Camera(f"/dev/video{number}", interface, {})
    cameras = list_cameras(platform)
    if number >= len(cameras):
        raise VideoError(f"camera {number}: expected a number below {len(cameras)}, which is how many cameras were found")
    return Camera(f"video={cameras[number][0]}", interface, {})
