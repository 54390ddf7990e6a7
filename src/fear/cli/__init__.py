"""The command `fear`: each command parses, calls and prints. Nothing imports this package; a command imports what it needs when it runs."""

from fear.cli import bench, data, demo, evaluate, export, import_, models, track, train  # noqa: F401  each registers itself
from fear.cli.app import app

__all__ = ["app"]
