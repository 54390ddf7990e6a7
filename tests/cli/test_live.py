"""`fear track` on a live stream that is cut again and again, and what it does with sound."""

from __future__ import annotations

import csv
import socket
from itertools import pairwise
from pathlib import Path

import av
import pytest
from typer.testing import CliRunner

from clips import write_clip
from fear.cli import app
from fear.geometry.boxes import iou
from fear.media.reader import open_source
from fear.media.synthetic import Scene, render
from servers import answering

CUTS, LENGTH = 10, 8


def test_ten_cuts_are_ten_reconnects_of_one_track(tmp_path: Path) -> None:
    """Each piece of the stream has a clock of its own, which begins at 0, as that of a sender that is started again."""
    frames = list(render(Scene(frames=(CUTS + 1) * LENGTH, height=120, width=160)))

    def piece(first: int) -> bytes:
        path = tmp_path / f"{first}.ts"
        write_clip(path, LENGTH, options={"bf": "0", "crf": "15"}, draw=lambda number: frames[first + number].image)
        return path.read_bytes()

    pieces = [piece(first) for first in range(0, len(frames), LENGTH)]

    def answer(connection: socket.socket, number: int) -> None:
        connection.sendall(pieces[number])

    box = ",".join(f"{value:.1f}" for value in frames[0].box_xywh)
    with answering(answer, CUTS + 1) as port:
        arguments = ["track", f"tcp://127.0.0.1:{port}", "--box", box, "--reconnect", "1", "--keep-late", "--model", "fear-nano"]
        result = CliRunner().invoke(app, [*arguments, "--output", str(tmp_path / "o.mp4"), "--boxes", str(tmp_path / "o.csv")])
    assert result.exit_code == 0, result.output
    assert "10 interruptions of the stream, after which it came back" in result.stdout
    assert f"the stream ended after {len(frames)} frames, and did not come back within 1 s" in result.stdout

    rows = list(csv.DictReader((tmp_path / "o.csv").read_text().splitlines()))
    times = [float(row["time"]) for row in rows]
    assert [int(row["frame"]) for row in rows] == list(range(len(frames)))
    assert {row["target"] for row in rows} == {"0"}
    assert all(later > earlier for earlier, later in pairwise(times))
    assert all(row["lost"] == "0" for row in rows)
    for row, frame in zip(rows, frames, strict=True):
        assert iou(tuple(float(row[name]) for name in "xywh"), frame.box_xywh) > 0.5, row

    with open_source(tmp_path / "o.mp4") as video:
        assert [frame.time for frame in video] == pytest.approx(times, abs=2e-3)
        assert video.report.lines() == []
    with av.open(str(tmp_path / "o.mp4")) as file:
        assert file.streams.video[0].start_time == 0


@pytest.mark.parametrize(("options", "streams"), [((), 1), (("--no-audio",), 0)])
def test_sound_is_kept_unless_it_is_not_wanted(tmp_path: Path, options: tuple[str, ...], streams: int) -> None:
    source = write_clip(tmp_path / "x.ts", 10, sound="aac")
    arguments = ["track", str(source), "--box", "4,12,30,30", "--output", str(tmp_path / "o.mp4"), "--model", "fear-nano", *options]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    with av.open(str(tmp_path / "o.mp4")) as file:
        assert len(file.streams.audio) == streams
