"""One target: where it was, and how it looks."""

from __future__ import annotations

from fear.config import TrackerConfig
from fear.geometry.boxes import Box, clip_box
from fear.geometry.context import search_side, search_window, template_window
from fear.media.crop import crop
from fear.media.image import Image, Picture, mean_colour
from fear.runtime.protocol import Maps, Network
from fear.tracking.decode import decode
from fear.tracking.template import DualTemplate
from fear.tracking.track import Track

_SMALLEST = 2.0  # pixels; a box below this holds nothing to search for, and one bad frame must not end a track


class Target:
    """State of one target."""

    def __init__(self, network: Network, config: TrackerConfig, frame: Picture, box_xywh: Box) -> None:
        self._network, self._config = network, config
        self._height, self._width = frame.shape[:2]
        self._fill = mean_colour(frame)
        self._box = box_xywh
        self._steady = False  # how it moves is not known yet
        self._window = search_window(box_xywh, config, network.config)
        self.template = DualTemplate(
            network.encode_template(self._cut_template(frame)[None]),
            network.dynamic_weight,
            config.update_interval,
            config.dynamic_template,
        )

    def _cut_template(self, frame: Picture) -> Image:
        return crop(frame, template_window(self._box, self._config), self._network.config.template_size, self._fill)

    @property
    def side(self) -> int:
        """Of the next search crop, in pixels."""
        return search_side(self._config, self._network.config, self._steady)

    def cut_search(self, frame: Picture, out: Image) -> None:
        """Writes the search crop around the last box into `out`, (side, side, 3)."""
        # exact all the same: the box is mapped back through the window that was cut
        self._window = search_window(self._box, self._config, self._network.config, self._steady).on_pixels()
        crop(frame, self._window, out.shape[0], self._fill, out)

    def advance(self, frame: Picture, maps: Maps, row: int) -> Track:
        """Takes one row of the network's answer to the last search crops."""
        size = self.side
        _, _, width, height = self._window.to_crop(self._box, size)
        peak = decode(maps.scores[row, 0], maps.boxes_ltrb[row], (width, height), self._config)
        similarity = self.template.similarity(maps.search_embeddings[row])
        lost = peak.score < self._config.lost_score
        before = self._box
        if peak.score >= self._config.hold_score:  # else what was found is hardly the target, and following it would lose the place
            self._box = self._keep_in_reach(self._window.to_frame(peak.box_xywh, size))
        self._steady = peak.score >= self._config.steady_score and step(before, self._box) <= self._config.steady_step
        self.template.observe(
            similarity,
            None if lost else lambda: self._cut_template(frame),
            lambda template_crop: self._network.encode_template(template_crop[None]),
        )
        return Track(clip_box(self._box, self._height, self._width), peak.score, similarity, lost)

    def _keep_in_reach(self, box_xywh: Box) -> Box:
        """The box itself, moved where its centre left the frame and grown where it vanished: so the next search sees the frame."""
        x, y, w, h = box_xywh
        centre_x = min(max(x + w / 2, 0.0), float(self._width))
        centre_y = min(max(y + h / 2, 0.0), float(self._height))
        w, h = min(max(w, _SMALLEST), 2.0 * self._width), min(max(h, _SMALLEST), 2.0 * self._height)
        return centre_x - w / 2, centre_y - h / 2, w, h


def step(before_xywh: Box, after_xywh: Box) -> float:
    """How far a box's centre moved, in widths or heights of the box before, whichever is more."""
    (x, y, w, h), (x_after, y_after, w_after, h_after) = before_xywh, after_xywh
    return max(abs(x_after + w_after / 2 - x - w / 2) / w, abs(y_after + h_after / 2 - y - h / 2) / h)
