"""Renders the README's moving picture: the demo clip with its track.

python scripts/render_picture.py [docs/demo.webp]
"""

from __future__ import annotations

import sys

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

import fear
from fear.media.reader import Frame
from fear.media.synthetic import render
from fear.tracking.loop import follow


def main(path: str = "docs/demo.webp") -> None:
    """Every third frame, at three quarters of the size."""
    with av.open(path, "w", options={"loop": "0"}) as file:
        stream = file.add_stream("libwebp_anim", rate=10, options={"quality": "40", "compression_level": "6"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
        rendered = list(render())
        frames = (Frame(index, index / 30, one.image) for index, one in enumerate(rendered))
        for step in follow(fear.MultiTracker("fear-xs"), frames, [rendered[0].box_xywh]):
            if step.index % 3 == 0:
                picture = fear.draw_tracks(step.frame.image, step.tracks)
                drawn = np.asarray(cv2.resize(picture, (480, 270), interpolation=cv2.INTER_AREA), np.uint8)
                file.mux(stream.encode(av.VideoFrame.from_ndarray(drawn, format="rgb24")))
        file.mux(stream.encode(None))


if __name__ == "__main__":
    main(*sys.argv[1:])
