from __future__ import annotations

import gc
from pathlib import Path

import av

from fear.media.reader import open_source
from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter


def pictures_in_memory() -> int:
    """Number of decoded pictures that exist. `isinstance` would touch lazy objects of other libraries."""
    return sum(type(one) is av.VideoFrame for one in gc.get_objects())


def test_pictures_are_freed_without_the_collector_of_cycles(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4", 30) as writer:
        for index, rendered in enumerate(render(Scene(frames=20, height=48, width=64))):
            writer.write(rendered.image, index / 30)
    gc.collect()
    before = pictures_in_memory()  # other tests may hold some
    gc.disable()
    try:
        with open_source(tmp_path / "clip.mp4") as source:
            for frame in source:
                assert frame.picture.shape == (48, 64, 3)
        del frame, source
        kept = pictures_in_memory() - before
    finally:
        gc.enable()
    assert kept <= 1  # the first, whose side data were looked at
