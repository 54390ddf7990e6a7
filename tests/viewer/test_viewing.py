"""What a person can do at a run, on a screen that follows a script."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from clips import box, picture, write_clip
from fear.annotations.recording import Recording, Summary, record
from fear.errors import BoxError, FearError
from fear.geometry.boxes import Box
from fear.media.reader import Frame, open_source
from fear.tracking.track import Track
from fear.tracking.tracker import MultiTracker
from fear.viewer.screen import Quit, Wish
from fear.viewer.viewing import Viewing
from scripted_network import ScriptedNetwork

TARGETS: list[Box] = [(4.0, 12.0, 30.0, 30.0), (60.0, 50.0, 20.0, 20.0)]


class Script:
    """A screen on which a person does what the test says.

    Args:
        drawn: What `edit` answers, call by call; None ends the run.
        wishes: What `show` answers, by the number of the frame.
        pauses: What `pause` answers, call by call.
    """

    def __init__(
        self, drawn: Sequence[list[Box] | None] = (), wishes: dict[int, Wish] | None = None, pauses: Sequence[Wish] = (), seconds: float = 0
    ) -> None:
        self._drawn, self._wishes, self._pauses, self._seconds = list(drawn), wishes or {}, list(pauses), seconds
        self.edited: list[tuple[int, list[Box], bool]] = []
        self.shown: list[int] = []
        self.aimed: list[int] = []

    def aim(self, frame: Frame) -> Frame | None:
        self.aimed.append(frame.index)
        return frame if frame.index == 3 else None

    def edit(self, frame: Frame, boxes_xywh: Sequence[Box], may_add: bool) -> list[Box]:
        time.sleep(self._seconds)
        self.edited.append((frame.index, list(boxes_xywh), may_add))
        drawn = self._drawn.pop(0)
        if drawn is None:
            raise Quit
        return drawn

    def show(self, frame: Frame, tracks: Sequence[Track]) -> Wish:
        self.shown.append(frame.index)
        return self._wishes.get(frame.index, Wish.NONE)

    def pause(self) -> Wish:
        time.sleep(self._seconds)
        return self._pauses.pop(0)

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("viewing") / "clip.mp4", 8)


Steps = list[tuple[int, list[Track]]]


def run(clip: Path, viewer: Viewing, boxes: Sequence[Box] = (), output: Path | None = None) -> tuple[Summary, Steps]:
    summary, steps = Summary(), Steps()
    tracker = MultiTracker(ScriptedNetwork())
    with open_source(clip) as source:
        record(source, boxes, tracker, Recording(boxes=output), summary, lambda step: steps.append((step.index, step.tracks)), viewer)
    return summary, steps


def test_the_drawn_boxes_are_the_targets(clip: Path) -> None:
    screen = Script([TARGETS])
    _, steps = run(clip, Viewing(screen, selects=True, shows=False))
    assert screen.edited == [(0, [], True)]
    assert [track.box_xywh for track in steps[0][1]] == TARGETS
    assert len(steps) == 8
    assert screen.shown == []


def test_boxes_of_the_command_line_are_there_to_begin_with(clip: Path) -> None:
    screen = Script([TARGETS])
    run(clip, Viewing(screen, selects=True, shows=False), TARGETS[:1])
    assert screen.edited == [(0, TARGETS[:1], True)]


def test_a_live_picture_moves_on_until_the_drawing_begins(clip: Path) -> None:
    screen = Script([TARGETS])
    _, steps = run(clip, Viewing(screen, selects=True, shows=False, live=True))
    assert screen.aimed == [0, 1, 2, 3]
    assert [index for index, _ in steps] == [3, 4, 5, 6, 7]


def test_who_chooses_nothing_gets_one_sentence(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(FearError, match="expected a box around a target, got none: the choice was ended"):
        run(clip, Viewing(Script([None]), selects=True, shows=False), output=tmp_path / "boxes.csv")
    assert not (tmp_path / "boxes.csv").exists()


def test_a_run_is_paused_and_goes_on_frame_by_frame(clip: Path) -> None:
    screen = Script(wishes={2: Wish.PAUSE}, pauses=[Wish.STEP, Wish.STEP, Wish.RESUME])
    _, steps = run(clip, Viewing(screen, selects=False, shows=True), TARGETS)
    assert screen.shown == list(range(8))
    assert len(steps) == 8
    assert screen._pauses == []


def test_a_run_that_the_person_ends_keeps_its_frames(clip: Path, tmp_path: Path) -> None:
    viewer = Viewing(Script(wishes={4: Wish.QUIT}), selects=False, shows=True)
    summary, _ = run(clip, viewer, TARGETS[:1], tmp_path / "boxes.txt")
    assert viewer.ended
    assert summary.frames == len((tmp_path / "boxes.txt").read_text().splitlines()) == 5


def test_a_target_that_is_drawn_again_is_right_from_that_frame_on_and_the_others_go_on(clip: Path, tmp_path: Path) -> None:
    correct = (80.0, 20.0, 24.0, 24.0)

    class Redrawing(Script):
        def edit(self, frame: Frame, boxes_xywh: Sequence[Box], may_add: bool) -> list[Box]:
            self._drawn = [[boxes_xywh[0], correct]]
            return super().edit(frame, boxes_xywh, may_add)

    screen = Redrawing(wishes={3: Wish.REDRAW})
    _, steps = run(clip, Viewing(screen, selects=False, shows=True), TARGETS, tmp_path / "boxes.csv")
    assert screen.edited[0][0] == 3
    assert not screen.edited[0][2]  # no target may be added during a run
    first, second = steps[3][1]
    assert second == Track(correct, 1.0, 1.0, False, 1)
    assert first.score < 1
    assert steps[4][1][1].box_xywh[0] == pytest.approx(80, abs=12)
    assert [track.id for track in steps[7][1]] == [0, 1]
    rows = (tmp_path / "boxes.csv").read_text().splitlines()
    assert rows[8].startswith("3,0.1,1,80.0,20.0,24.0,24.0,1.0,1.0,0")


def test_who_ends_the_run_while_drawing_again_keeps_it(clip: Path) -> None:
    viewer = Viewing(Script([None], wishes={3: Wish.REDRAW}), selects=False, shows=True)
    _, steps = run(clip, viewer, TARGETS)
    assert [index for index, _ in steps] == [0, 1, 2, 3]


def test_the_time_of_the_person_is_not_that_of_the_run(clip: Path) -> None:
    viewer = Viewing(Script([TARGETS], seconds=0.5), selects=True, shows=False)
    start = time.perf_counter()
    summary, _ = run(clip, viewer)
    assert viewer.waited >= 0.5
    assert time.perf_counter() - start - summary.seconds >= 0.5


@pytest.mark.parametrize("wrong", [5, "0", None])
def test_a_correction_needs_a_target_that_is_followed(wrong: Any) -> None:
    tracker = MultiTracker(ScriptedNetwork())
    tracker.init(picture(0), [box(0)])
    with pytest.raises(BoxError, match=r"expected the id of a target \(0\), got"):
        tracker.correct(picture(0), wrong, box(0))


def test_a_corrected_target_has_a_new_template_and_its_old_id() -> None:
    network = ScriptedNetwork()
    tracker = MultiTracker(network)
    tracker.init(picture(0), TARGETS)
    tracker.remove(0)
    tracker.correct(picture(1), 1, (20, 20, 30, 30))
    assert len(network.embedded) == 3
    (track,) = tracker.update(picture(1))
    assert track.id == 1
    assert track.box_xywh[0] == pytest.approx(20, abs=12)
