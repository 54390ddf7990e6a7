"""Every error that this package raises on purpose.

FearError
├── ConfigError        a configuration with an unknown key or a value out of range
├── FrameError         a frame that is not an 8-bit RGB picture, or changed its size
├── BoxError           a box that is not four finite numbers, or holds no part of the frame
├── VideoError         a source that cannot be opened or read on, or a video that cannot be written
├── WeightsError       weights that are missing, damaged, or belong to another network
│   └── DamagedWeightsError  weights with another digest than their card says
├── RuntimeMissingError  a runtime (OpenVINO, ONNX Runtime, torch) that is not installed
├── ExportError        an exported network that differs from the one it came from
└── DatasetError       a data set that is not laid out as its name promises

A message is one line, of about a thousand characters at most, that says what was expected and what came, and where there is one, the
remedy. Errors about a value that the caller gave (ConfigError, FrameError, BoxError) are ValueErrors too.
"""

_LONGEST, _END = 1000, 300
"""Characters of a message, and those of a longer one's end that are kept."""


def shortened(message: str) -> str:
    """A message without its middle where it is very long: what came may be a file of megabytes in one line."""
    return message if len(message) <= _LONGEST else f"{message[: _LONGEST - _END]} … {message[-_END:]}"


class FearError(Exception):
    """The base of every error that this package raises on purpose."""

    def __init__(self, message: str = "") -> None:
        super().__init__(shortened(message))


class ConfigError(FearError, ValueError):
    """A configuration with an unknown key or a value out of range."""


class FrameError(FearError, ValueError):
    """A frame that is not an 8-bit RGB picture, or changed its size."""


class BoxError(FearError, ValueError):
    """A box that is not four finite numbers, or holds no part of the frame."""


class VideoError(FearError):
    """A source that cannot be opened or read on, or a video that cannot be written."""


class WeightsError(FearError):
    """Weights that are missing, damaged, or belong to another network."""


class DamagedWeightsError(WeightsError):
    """Weights with another digest than their card says."""


class RuntimeMissingError(FearError):
    """A runtime that is asked for and not installed."""


class ExportError(FearError):
    """An exported network that differs from the one it came from."""


class DatasetError(FearError):
    """A data set that is not laid out as its name promises."""
