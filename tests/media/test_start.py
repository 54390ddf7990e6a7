"""Where a run begins: frames before it are left out, and the others keep their numbers and times."""

from __future__ import annotations

from pathlib import Path

import pytest

import fear
from clips import box, picture, read, write_clip
from fear.errors import ConfigError, VideoError
from fear.media.source import Frame
from fear.media.start import Start, parse_start
from fear.media.threads import ReadAhead


@pytest.mark.parametrize(
    ("value", "start"),
    [
        (0, Start()),
        (7, Start(frame=7)),
        ("7", Start(frame=7)),
        (7.0, Start(seconds=7)),
        ("2.5", Start(seconds=2.5)),
        (".5", Start(seconds=0.5)),
        ("2.5s", Start(seconds=2.5)),
        ("2s", Start(seconds=2)),
        ("01:05", Start(seconds=65)),
        ("00:01:05", Start(seconds=65)),
        ("1:00:00.25", Start(seconds=3600.25)),
    ],
)
def test_an_integer_is_a_frame_and_anything_else_is_a_time(value: str | float, start: Start) -> None:
    assert parse_start(value) == start


@pytest.mark.parametrize("value", ["", "-1", -1, -0.5, "1:2:3:4", "5m", "s", "nan", float("nan"), float("inf"), "١"])
def test_other_starts_are_errors_that_show_the_two_forms(value: str | float) -> None:
    with pytest.raises(ConfigError, match=r"such as 120, or a time, such as 2\.5s or 00:01:05"):
        parse_start(value)


def test_a_file_begins_at_a_frame_or_a_time_with_its_own_numbers_and_times(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 30)
    numbers, times, images, _ = read(clip)
    for start, first in ((12, 12), ("0.5s", 15), (0.51, 16)):
        begun = read(clip, start=start)
        assert begun[0] == numbers[first:]
        assert begun[1] == times[first:]
        assert (begun[2][0] == images[first]).all()


def test_pictures_before_the_start_are_not_even_read(tmp_path: Path) -> None:
    import cv2

    for number in range(6):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(number))
    (tmp_path / "1.png").write_bytes(b"damaged")
    assert read(tmp_path, start=3)[0] == [3, 4, 5]
    assert read(tmp_path, start="0.15s", rate=20)[1] == pytest.approx([0.15, 0.2, 0.25])
    with pytest.raises(VideoError, match="expected a start before the end of the pictures, got frame 6; there are 6"):
        read(tmp_path, start=6)


def test_a_start_behind_the_end_is_said(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 5)
    with pytest.raises(VideoError, match=r"expected a start before its end, got 3 s; it has 5 frames, 0\.13 s"):
        read(clip, start="3s")


def test_a_track_from_python_begins_there_too(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 8)
    found = list(fear.track(clip, box(5), "fear-nano", runtime="onnx", start=5))
    assert [index for index, _ in found] == [5, 6, 7]
    assert found[0][1].box_xywh == box(5)


def test_the_first_frame_is_never_dropped_even_where_it_has_another_number() -> None:
    frames = [Frame(number, number / 30, picture(number)) for number in range(5, 50)]
    with ReadAhead(frames, drop_late=True) as ahead:
        ahead._thread.join()
        assert next(iter(ahead)).index == 5
