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
from fear.media.synthetic import render


def main(path: str = "docs/demo.webp") -> None:
    """Every third frame, at three quarters of the size."""
    tracker = fear.Tracker("fear-xs")
    with av.open(path, "w", options={"loop": "0"}) as file:
        stream = file.add_stream("libwebp_anim", rate=10, options={"quality": "40", "compression_level": "6"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
        for index, frame in enumerate(render()):
            if index == 0:
                tracker.init(frame.image, frame.box_xywh)
                track = fear.Track(frame.box_xywh, 1.0, 1.0, False)
            else:
                track = tracker.update(frame.image)
            if index % 3 == 0:
                drawn = np.asarray(cv2.resize(fear.draw_tracks(frame.image, [track]), (480, 270), interpolation=cv2.INTER_AREA), np.uint8)
                file.mux(stream.encode(av.VideoFrame.from_ndarray(drawn, format="rgb24")))
        file.mux(stream.encode(None))


if __name__ == "__main__":
    main(*sys.argv[1:])
