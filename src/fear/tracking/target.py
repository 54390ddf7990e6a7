"""One target: where it was, how it looks, and whether it is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from fear.config import TrackerConfig
from fear.geometry.boxes import Box, clip_box
from fear.geometry.context import search_window, template_window
from fear.geometry.window import Window
from fear.media.crop import crop
from fear.media.image import Image, Picture, mean_colour
from fear.runtime.protocol import Maps, Network, require_finite
from fear.tracking.assignment import Option, affinity, belongs_to
from fear.tracking.camera import camera_motion
from fear.tracking.decode import peaks
from fear.tracking.presence import Presence
from fear.tracking.redetection import Redetection
from fear.tracking.template import DualTemplate
from fear.tracking.track import Track

_LEAST_MOVE = 0.3  # widths or heights of the box; a target that moved less is still near the middle of the local search
_GROWTH = 1.2  # largest size of a box beside another target, relative to its usual size
_INERTIA, _SIZE_MEMORY = 0.2, 0.05  # weight of the newest frame in the moving averages of velocity and size
_SMALLEST = 2.0  # pixels; a smaller box shows nothing to search for, and one bad frame must not end a track


class Detection(NamedTuple):
    """One place that a search found."""

    box_xywh: Box
    """In pixels of the frame; it may reach over its borders."""
    score: float
    similarity: float


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
        self._unbiased = replace(rules, window=0.0, penalty=0.0, size_rate=None)  # of searches that do not know where the target was
        self._largest: tuple[float, float] | None = None  # width and height, while another target is near
        self._height, self._width = frame.shape[:2]
        self._fill = mean_colour(frame)
        self._box = self._sure_box = box_xywh
        self._steady = False  # how it moves is not known yet
        self._velocity = (0.0, 0.0)  # pixels a frame, across and down
        self._usual_size = box_xywh[2:]
        self._before = frame
        self._camera = (0.0, 0.0)  # its motion since the last sure frame, in pixels across and down
        self._is_cut = False  # this frame shows another scene than the one before
        self._redetection: Redetection | None = None
        self.template = DualTemplate(
            network.encode_template(self._cut_template(frame)[None]),
            network.dynamic_weight,
            rules.update_interval,
            rules.dynamic_template,
        )
        self._presence = Presence(rules, self._similarity_now(frame))

    def _similarity_now(self, frame: Picture) -> float:
        """How similar the target is to its template where it stands in this frame."""
        window = search_window(self._box, self._rules, self._network.config, steady=True).on_pixels()
        shown = crop(frame, window, self._fill)[None]
        maps = require_finite(self._network.match(shown, self.template.features))
        return self.template.similarity(maps.search_embeddings[0])

    def search_window(self) -> Window:
        """What the next local search shows: the surroundings of the last box, or of a candidate for a lost target."""
        candidate = self._redetection.candidate if self._redetection else None
        small = self._steady or self._redetection is not None  # while lost, a frame has other searches as well
        return search_window(candidate or self._box, self._rules, self._network.config, small).on_pixels()

    def second_window(self, frame: Picture, found: Detection) -> Window | None:
        """Where to look again in a frame in which the target was hardly found: where it would be if only the camera had moved.

        Args:
            frame: Was searched.
            found: The best place of the local search.

        Returns:
            None where the local search was sure, or had this place in its middle.
        """
        self._is_cut = False
        followed = self._rules.camera_motion and self._redetection is None
        if not followed or not self._presence.is_doubtful(found.score, found.similarity):
            return None
        motion = camera_motion(self._before, frame)
        self._is_cut = motion is None
        if motion is None:
            return None
        across, down = self._camera = self._camera[0] + motion[0], self._camera[1] + motion[1]
        x, y, w, h = self._sure_box
        moved = abs(across) >= _LEAST_MOVE * w or abs(down) >= _LEAST_MOVE * h
        if not moved or not (0 <= x + across + w / 2 < self._width and 0 <= y + down + h / 2 < self._height):
            return None
        return search_window((x + across, y + down, w, h), self._rules, self._network.config).on_pixels()

    def convinces(self, found: Detection) -> bool:
        """Whether a place other than the expected one shows this target."""
        return self._presence.is_found(found.score, found.similarity, elsewhere=True)

    def wide_windows(self) -> list[Window]:
        """What further searches of this frame show; none while the target is not lost."""
        return self._redetection.windows() if self._redetection else []

    def cut(self, frame: Picture, window: Window, out: Image) -> None:
        """Writes the crop of a window into `out`, (side, side, 3)."""
        crop(frame, window, self._fill, out)

    def read(self, window: Window, maps: Maps, row: int, count: int = 1) -> list[Detection]:
        """What a search found, the best place first.

        Args:
            window: What the search crop showed.
            maps: Answers to several search crops.
            row: Number of this one.
            count: Of places, at most; they are apart from each other.
        """
        _, _, width, height = window.to_crop(self._box)
        rules = self._unbiased if self._redetection else self._rules
        similarity = self.template.similarity(maps.search_embeddings[row])
        best = islice(peaks(maps.scores[row, 0], maps.boxes_ltrb[row], (width, height), rules), count)
        return [Detection(self._keep_in_reach(self._limited(window.to_frame(peak.box_xywh))), peak.score, similarity) for peak in best]

    def limit_size(self, others: Iterable[Target]) -> None:
        """Limits the size of the box while another target is near; otherwise the box would grow until it holds both targets."""
        if not any(self._is_near(other.claimed_box) for other in others if other.claimed_box is not None):
            self._largest = None
        elif self._largest is None:
            self._largest = _GROWTH * self._usual_size[0], _GROWTH * self._usual_size[1]

    def _limited(self, box_xywh: Box) -> Box:
        if self._largest is None:
            return box_xywh
        x, y, w, h = box_xywh
        width, height = min(w, self._largest[0]), min(h, self._largest[1])
        return x + (w - width) / 2, y + (h - height) / 2, width, height

    def options(self, detections: list[Detection]) -> list[Option]:
        """How well each place suits this target."""
        x, y, w, h = self._box
        frames = self._presence.doubtful_frames + 1
        expected = (x + frames * self._velocity[0], y + frames * self._velocity[1], w, h)
        found = []
        for place, one in enumerate(detections):
            relative = self._presence.relative(one.similarity)
            possible = place == 0 or one.score >= self._rules.lost_score  # a second choice has to be a likely one
            found.append(Option(one.box_xywh, affinity(one.box_xywh, expected, one.score, relative) if possible else 0.0))
        return found

    def _is_near(self, other_xywh: Box) -> bool:
        """Whether another box comes within half a box of this one."""
        (x, y, w, h), (ox, oy, ow, oh) = self._box, other_xywh
        return abs(x + w / 2 - ox - ow / 2) < (w + ow) / 2 + w / 2 and abs(y + h / 2 - oy - oh / 2) < (h + oh) / 2 + h / 2

    @property
    def claimed_box(self) -> Box | None:
        """The box of a target that is not lost, which no other target can have; None while the target is lost."""
        return self._box if self._redetection is None else None

    def advance(self, frame: Picture, local: Sequence[Detection], wide: Sequence[Detection], others: Sequence[Box]) -> Track:
        """Takes what the searches of a frame found.

        Args:
            frame: Was searched.
            local: Found around the last box or the candidate, the best first. Nothing: what was found there belongs to another target.
            wide: Found elsewhere.
            others: Places of other targets in this frame, which a lost target cannot have.
        """
        nothing = Detection(self._box, 0.0, 0.0)
        if self._redetection is None:
            found = next(iter(local), nothing)
            lost = self._follow(frame, found)
        else:
            free, elsewhere = ([one for one in some if not belongs_to(one.box_xywh, others)] for some in (local, wide))
            found = self._look_for(self._redetection, free, elsewhere) or next(iter(free), nothing)
            lost = self._redetection is not None
        self._before = frame
        return Track(clip_box(self._box, self._height, self._width), found.score, found.similarity, lost, self.id)

    def _follow(self, frame: Picture, found: Detection) -> bool:
        """Moves a target that is not lost to the box that was found; returns `Track.lost` of this frame."""
        before, self._box = self._box, found.box_xywh
        self._steady = found.score >= self._rules.steady_score and step(before, self._box) <= self._rules.steady_step
        doubtful = self._presence.observe(found.score, found.similarity, self._is_cut)
        if not doubtful:
            self._sure_box, self._camera = self._box, (0.0, 0.0)
            self._velocity = _blend(self._velocity, _movement(before, self._box), _INERTIA)
            self._usual_size = _blend(self._usual_size, self._box[2:], _SIZE_MEMORY)
        self.template.observe(
            found.similarity,
            None if doubtful else lambda: self._cut_template(frame),
            lambda template_crop: self._network.encode_template(template_crop[None]),
        )
        if self._presence.lost:
            self._box, self._velocity = self._sure_box, (0.0, 0.0)
            self._redetection = Redetection(self._box, self._height, self._width, self._rules, self._network.config)
        return self._presence.lost or found.score < self._rules.lost_score

    def _look_for(self, redetection: Redetection, local: Sequence[Detection], wide: Sequence[Detection]) -> Detection | None:
        """Takes what was found of a lost target; returns what convinced in the local search."""

        def convinces(one: Detection, elsewhere: bool) -> bool:
            return self._presence.is_found(one.score, one.similarity, elsewhere) and redetection.is_plausible(one.box_xywh)

        here = next((one for one in local if convinces(one, elsewhere=redetection.candidate is not None)), None)
        if here is not None:
            if redetection.confirm(here.box_xywh):
                self._box = self._sure_box = here.box_xywh
                self._steady, self._camera = False, (0.0, 0.0)
                self._presence.found()
                self._redetection = None
        elif redetection.candidate is not None:
            redetection.drop()
        elif convincing := [one for one in wide if convinces(one, elsewhere=True)]:
            redetection.propose(max(convincing, key=lambda one: one.score * one.similarity).box_xywh)
        return here

    def _cut_template(self, frame: Picture) -> Image:
        return crop(frame, template_window(self._box, self._rules, self._network.config), self._fill)

    def _keep_in_reach(self, box_xywh: Box) -> Box:
        """The box, moved where its centre left the frame and enlarged where it vanished: the next search shows a part of the frame."""
        x, y, w, h = box_xywh
        centre_x = min(max(x + w / 2, 0.0), float(self._width))
        centre_y = min(max(y + h / 2, 0.0), float(self._height))
        w, h = min(max(w, _SMALLEST), 2.0 * self._width), min(max(h, _SMALLEST), 2.0 * self._height)
        return centre_x - w / 2, centre_y - h / 2, w, h


def _movement(before: Box, after: Box) -> tuple[float, float]:
    """How far the centre of a box moved, across and down."""
    return after[0] + after[2] / 2 - before[0] - before[2] / 2, after[1] + after[3] / 2 - before[1] - before[3] / 2


def _blend(old: tuple[float, float], new: tuple[float, float], share: float) -> tuple[float, float]:
    """A mean over frames that follows the newest one by a share."""
    return old[0] + share * (new[0] - old[0]), old[1] + share * (new[1] - old[1])


def step(before_xywh: Box, after_xywh: Box) -> float:
    """How far the centre of a box moved, in widths or heights of the box before, whichever is more."""
    (x, y, w, h), (x_after, y_after, w_after, h_after) = before_xywh, after_xywh
    return max(abs(x_after + w_after / 2 - x - w / 2) / w, abs(y_after + h_after / 2 - y - h / 2) / h)
