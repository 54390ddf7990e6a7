"""The VOT toolkit's protocol, TraX: run this module as the tracker's command.

In the workspace's `trackers.ini`:

    [FEAR]
    label = FEAR-XS
    protocol = trax
    command = python -m fear.integrations.vot fear-xs

The toolkit has the licence GPL and is not part of this package; it talks to this program over the protocol.
`pip install vot-trax` gives the library.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from fear.media.image import read_image
from fear.tracking.tracker import MultiTracker


def serve(model: str = "fear-xs") -> None:
    """Answers the requests of the toolkit until it ends the session. There may be one or several targets.

    Args:
        model: A name such as `fear-xs`, a `.safetensors` checkpoint or an exported folder.
    """
    import trax

    tracker = MultiTracker(model)
    formats: Any = [trax.Region.RECTANGLE]
    with trax.Server(formats, [trax.Image.PATH], tracker_name=model, tracker_family="FEAR", multiobject=True) as server:
        while True:
            request = server.wait()
            if request.type not in (trax.TraxStatus.INITIALIZE, trax.TraxStatus.FRAME):
                return
            frame = read_image(Path(_colour(request.image).path()))
            if request.type == trax.TraxStatus.INITIALIZE:
                boxes = [region.bounds() for region, _ in request.objects]
                tracker.init(frame, boxes)
                answers = [(box, 1.0) for box in boxes]
            else:
                answers = [(track.box_xywh, track.score) for track in tracker.update(frame)]
            server.status([(trax.Rectangle.create(*box), {"confidence": score}) for box, score in answers])


def _colour(images: Any) -> Any:
    """The colour picture of a request; older versions of the protocol send a list of pictures."""
    return images["color"] if isinstance(images, dict) else images[0]


if __name__ == "__main__":
    serve(*sys.argv[1:2])
