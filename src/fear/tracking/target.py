"""One target: where it was, how it looks, and what the next search shows."""

from __future__ import annotations

from fear.config import TrackerConfig
from fear.geometry.boxes import Box, clip_box
from fear.geometry.context import search_window, template_window
from fear.geometry.window import Window
from fear.media.crop import crop
from fear.media.image import Image, Picture, mean_colour
from fear.runtime.protocol import Maps, Network
from fear.tracking.decode import decode
from fear.tracking.template import DualTemplate
from fear.tracking.track import Track

_SMALLEST = 2.0  # pixels; a smaller box holds nothing to search for, and one bad frame must not end a track


class Target:
    """State of one target.

    Args:
        number: Its id.
        network: Encodes its templates.
        rules: Of tracking.
        frame: The frame in which it was given.
        box_xywh: Its box there, in pixels.
    """

    def __init__(self, number: int, network: Network, rules: TrackerConfig, frame: Picture, box_xywh: Box) -> None:
        self.id = number
        self._network, self._rules = network, rules
        self._height, self._width = frame.shape[:2]
        self._fill = mean_colour(frame)
        self._box = box_xywh
        self._steady = False  # how it moves is not known yet
        self.template = DualTemplate(
            network.encode_template(self._cut_template(frame)[None]),
            network.dynamic_weight,
            rules.update_interval,
            rules.dynamic_template,
        )

    def search_window(self) -> Window:
        """What the next search shows: the surroundings of the last box."""
        return search_window(self._box, self._rules, self._network.config, self._steady).on_pixels()

    def cut(self, frame: Picture, window: Window, out: Image) -> None:
        """Writes the crop of a window into `out`, (side, side, 3)."""
        crop(frame, window, self._fill, out)

    def advance(self, frame: Picture, window: Window, maps: Maps, row: int) -> Track:
        """Takes the answer of the network to a search.

        Args:
            frame: Was searched.
            window: What the search crop showed.
            maps: Answers to several search crops.
            row: Number of this one.
        """
        _, _, width, height = window.to_crop(self._box)
        peak = decode(maps.scores[row, 0], maps.boxes_ltrb[row], (width, height), self._rules)
        similarity = self.template.similarity(maps.search_embeddings[row])
        lost = peak.score < self._rules.lost_score
        before = self._box
        self._box = self._keep_in_reach(window.to_frame(peak.box_xywh))
        self._steady = peak.score >= self._rules.steady_score and step(before, self._box) <= self._rules.steady_step
        self.template.observe(
            similarity,
            None if lost else lambda: self._cut_template(frame),
            lambda template_crop: self._network.encode_template(template_crop[None]),
        )
        return Track(clip_box(self._box, self._height, self._width), peak.score, similarity, lost, self.id)

    def _cut_template(self, frame: Picture) -> Image:
        return crop(frame, template_window(self._box, self._rules, self._network.config), self._fill)

    def _keep_in_reach(self, box_xywh: Box) -> Box:
        """The box, moved where its centre left the frame and enlarged where it vanished: the next search shows a part of the frame."""
        x, y, w, h = box_xywh
        centre_x = min(max(x + w / 2, 0.0), float(self._width))
        centre_y = min(max(y + h / 2, 0.0), float(self._height))
        w, h = min(max(w, _SMALLEST), 2.0 * self._width), min(max(h, _SMALLEST), 2.0 * self._height)
        return centre_x - w / 2, centre_y - h / 2, w, h


def step(before_xywh: Box, after_xywh: Box) -> float:
    """How far the centre of a box moved, in widths or heights of the box before, whichever is more."""
    (x, y, w, h), (x_after, y_after, w_after, h_after) = before_xywh, after_xywh
    return max(abs(x_after + w_after / 2 - x - w / 2) / w, abs(y_after + h_after / 2 - y - h / 2) / h)
