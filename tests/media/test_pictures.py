"""Pictures in files as a source: damaged ones, other sizes, other kinds, and which names count."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from clips import HEIGHT, WIDTH, box, found, iou, picture, read, write_clip
from fear.errors import VideoError
from fear.media.image import Image, list_images


def save(path: Path, image: Image) -> None:
    path.write_bytes(bytes(cv2.imencode(path.suffix, image[..., ::-1])[1]))


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut off"])
@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_broken_picture_in_a_folder_is_one_lost_picture(tmp_path: Path, content: bytes, broken: int) -> None:
    for number in range(3):
        save(tmp_path / f"{number}.png", picture(number))
    (tmp_path / f"{broken}.png").write_bytes(content)
    numbers, times, images, source = read(tmp_path, rate=10)
    assert numbers == [number for number in range(3) if number != broken]
    assert times == pytest.approx([number / 10 for number in numbers])
    assert all(np.array_equal(image, picture(number)) for number, image in zip(numbers, images, strict=True))
    assert source.report.lines() == ["1 picture lost, because the source is damaged"]


def test_a_folder_of_broken_pictures_is_told(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(VideoError, match=r"0\.png: expected a picture, got a damaged"):
        read(tmp_path)


def test_pictures_of_other_sizes_are_scaled_to_the_first(tmp_path: Path) -> None:
    save(tmp_path / "0.png", picture(0))
    save(tmp_path / "1.png", picture(1).repeat(2, 0).repeat(2, 1))
    _, _, images, source = read(tmp_path)
    assert {image.shape for image in images} == {(HEIGHT, WIDTH, 3)}
    assert iou(found(images[1]), box(1)) > 0.9
    assert source.report.scaled_pictures == 1


def test_folders_and_hidden_files_named_as_pictures_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "0.png").mkdir()
    (tmp_path / "._1.png").write_bytes(b"what macOS writes beside files")
    save(tmp_path / "1.png", picture(1))
    assert list_images(tmp_path) == (tmp_path / "1.png",)


def test_pictures_of_printers_and_telephones_look_as_people_see_them(tmp_path: Path) -> None:
    """CMYK, a palette, and a picture that lies on its side with a note about it."""
    pillow = pytest.importorskip("PIL.Image")
    shown = pillow.fromarray(picture(5))
    shown.convert("CMYK").save(tmp_path / "1.jpg", quality=95)
    shown.convert("P").save(tmp_path / "2.png")
    note = pillow.Exif()
    note[0x0112] = 6  # turn by a quarter clockwise
    pillow.fromarray(np.ascontiguousarray(np.rot90(picture(5)))).save(tmp_path / "3.jpg", exif=note, quality=95)
    _, _, images, _ = read(tmp_path)
    for image in images:
        assert image.shape == (HEIGHT, WIDTH, 3)
        assert iou(found(image), box(5)) > 0.9


@pytest.mark.parametrize("first", [1, 17])
def test_a_pattern_may_begin_at_any_number_and_have_gaps(tmp_path: Path, first: int) -> None:
    expected = [first, first + 1, first + 5, first + 30]
    for number in expected:
        save(tmp_path / f"img_{number:04d}.png", picture(number))
    numbers, _, images, _ = read(tmp_path / "img_%04d.png")
    assert numbers == [0, 1, 2, 3]
    assert all(np.array_equal(image, picture(number)) for number, image in zip(expected, images, strict=True))


@pytest.mark.parametrize(("pattern", "expected"), [("img_00?2.png", [2, 12]), ("img_000[13].png", [1, 3]), ("*3.png", [3])])
def test_patterns_of_the_shell(tmp_path: Path, pattern: str, expected: list[int]) -> None:
    for number in (1, 2, 3, 12):
        save(tmp_path / f"img_{number:04d}.png", picture(number))
    assert all(np.array_equal(image, picture(k)) for image, k in zip(read(tmp_path / pattern)[2], expected, strict=True))


@pytest.mark.parametrize("name", ["x.gif", "x.mp4"])
def test_a_rate_for_what_has_its_own_times_is_refused(tmp_path: Path, name: str) -> None:
    path = write_clip(tmp_path / name, 3, *(("gif",) if name == "x.gif" else ()), pix_fmt="rgb8" if name == "x.gif" else "yuv420p")
    with pytest.raises(VideoError, match="expected a rate only for pictures"):
        read(path, rate=Fraction(5))
    with pytest.raises(VideoError, match="found nothing there"):
        read(tmp_path / "missing.mp4", rate=5)
