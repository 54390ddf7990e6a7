"""Odd input, broken installations and odd places end in one line that says what was expected, and destroy nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import fear
from fear.cli import app
from fear.cli.assignments import parse_value
from fear.errors import BoxError, ConfigError, DatasetError, FearError, RuntimeMissingError, VideoError, WeightsError
from fear.evaluation.ownership import claim_data, read_key
from fear.media.options import require_options
from fear.media.reader import is_source
from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter
from fear.parsing import parse_json, parse_toml
from fear.weights import WeightsCard, packaged
from fear.weights.store import written_whole

DEEP, LONG = "[" * 100_000, "9" * 5_000
BOX = ["--box", "40,40,30,30", "--model", "fear-nano", "--runtime", "onnx", "--threads", "1", "--quiet"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoWriter(path, 30) as writer:
        for index, frame in enumerate(render(Scene(frames=4, height=120, width=160))):
            writer.write(frame.image, index / 30)
    return path


def says(*arguments: object, code: int = 1) -> str:
    """The only line that a command writes when it fails."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    (line,) = result.stderr.splitlines()
    assert "unexpected" not in line
    return line


def command(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    code = "import sys; from fear.cli import app; app(sys.argv[1:])"
    words = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, **options)


# ------------------------------------------------------------------------------------------------------------- files are not destroyed
@pytest.mark.parametrize("name", ["boxes.coco.json", "boxes.cvat.xml"])
def test_a_folder_is_not_replaced_by_a_file(name: str, clip: Path, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "precious").write_text("x")
    assert "found a folder" in says("track", clip, *BOX, "--boxes", tmp_path / name)
    assert (tmp_path / name / "precious").read_text() == "x"


def test_a_folder_stays_where_nothing_took_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "kept").write_text("x")
    with pytest.raises(FileNotFoundError), written_whole(folder):
        pass  # nothing was written
    assert (folder / "kept").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_names_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250)
    with written_whole(path) as unfinished:
        unfinished.write_text("x")
    assert path.read_text() == "x"


def test_the_source_is_not_overwritten_by_whatever_name_it_has(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(clip.parent))
    before = clip.read_bytes()
    for source in (clip, f"file:{clip}", clip.as_uri(), f"~/{clip.name}"):
        assert "would be overwritten" in says("track", source, *BOX, "--output", clip)
    with clip.open("rb") as file:
        assert "would be overwritten" in command("track", "-", *BOX, "--output", clip, stdin=file).stderr
    assert clip.read_bytes() == before
    assert not is_source(clip, 0)
    assert not is_source(tmp_path / "new.mp4", clip)


def test_a_page_that_does_not_fit_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fear.demo import Site, site

    def full(self: Site, folder: Path) -> None:
        folder.mkdir()
        (folder / "half.js").write_text("x")
        raise OSError(28, "No space left on device", str(folder / "half.js"))

    monkeypatch.setattr(site.Site, "write", full)
    assert "No space left on device" in says("demo", "--output", tmp_path / "page")
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------------------------- what was parsed
def test_parsers_of_foreign_text_raise_value_errors_alone() -> None:
    for text in (DEEP, '{"a":' * 100_000, "{", LONG):
        with pytest.raises(ValueError, match=r"."):
            parse_json(text)
        with pytest.raises(ValueError, match=r"."):
            parse_toml(f"a = {text}")


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert parse_json("\ufeff[1]") == parse_json(b"\xef\xbb\xbf[1]") == [1]
    assert parse_toml("\ufeffa = 1") == {"a": 1}


def test_values_of_set_that_are_no_values_are_text() -> None:
    assert parse_value(DEEP) == DEEP
    assert parse_value(LONG) == LONG
    assert parse_value("1\nwindow=7") == "1\nwindow=7"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"clips": null}', '{"dataset": 1, "max_frames": 2, "clips": []}', DEEP, "\x00"])
def test_a_spoilt_table_of_an_evaluation_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text(text)
    with pytest.raises(DatasetError, match=r"data\.json: expected what an earlier evaluation wrote"):
        claim_data(tmp_path, "folder", None, [])
    (tmp_path / "key.json").write_text(text or '{"tracker": 5}')
    assert read_key(tmp_path) is None


CARD_FAULTS: list[dict[str, Any]] = [
    {"files": None},
    {"files": []},
    {"files": {"match.onnx": 5}},
    {"sha256": 5},
    {"format": True},
    {"dynamic_weight": -5},
    {"dynamic_weight": "0.5"},
    {"dynamic_weight": None},
    {"parameters": 1.5},
    {"parameters": True},
    {"dynamic_weight": True},
    {"scores": {"auc": True}},
    {"scores": {"auc": "good"}},
    {"network": {"width": 1.5}},
    {"network": {"width": 10**9}},
    {"network": {"width": True}},
    {"network": {"separable": "x"}},
    {"network": {"separable": []}},
    {"network": {"folded": float("nan")}},
    {"network": {"folded": 1}},
    {"network": {"name": 5}},
    {"network": {"template_size": 128.0}},
    {"network": {"search_size": 16 * 10**9}},
]


@pytest.mark.parametrize("change", CARD_FAULTS, ids=str)
def test_a_card_with_values_of_another_kind_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    folder = packaged()["fear-nano"][1]
    assert folder is not None
    card = json.loads((folder / "config.json").read_text())
    change = {key: card[key] | value if key == "network" else value for key, value in change.items()}
    with pytest.raises(WeightsError, match="expected the description of a FEAR network"):
        WeightsCard.from_json(json.dumps(card | change), tmp_path / "config.json")


def test_a_deep_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="nested too deeply"):
        WeightsCard.from_json(DEEP, tmp_path)


ROW = '{"frame": 0, "time": 0, "target": 0, "x": 1, "y": 2, "w": 3, "h": 4, "score": 1, "similarity": 1, "lost": false}'
BOX_FAULTS = {
    "width.coco.json": '{"images": [{"id": 0, "file_name": "0.jpg", "width": "a", "height": 24}], "annotations": []}',
    "inf.jsonl": ROW.replace('"score": 1', '"score": Infinity'),
    "far.jsonl": ROW.replace('"frame": 0', '"frame": 1000000000000000'),
    "deep.jsonl": DEEP,
    "deep.coco.json": DEEP,
}


@pytest.mark.parametrize("name", BOX_FAULTS)
def test_a_file_of_boxes_with_values_of_another_kind_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(BOX_FAULTS[name])
    assert "expected" in says("data", "import", tmp_path / name, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_sizes_and_starts_of_thousands_of_digits(clip: Path, tmp_path: Path) -> None:
    assert "--size" in says("data", "export", tmp_path / "b.csv", tmp_path / "b.coco.json", "--size", f"{LONG}x24", code=2)
    assert "start" in says("track", clip, *BOX, "--start", LONG, code=2)


# ---------------------------------------------------------------------------------------------------------------- options and arguments
def test_options_out_of_range(clip: Path, tmp_path: Path) -> None:
    assert "home" in says("track", "~nosuchuser/x.mp4", *BOX)
    assert "home" in says("track", clip, *BOX, "--output", "~nosuchuser/x.mp4")
    assert "home" in says("track", clip, "--box", "1,2,30,40", "--model", "~nosuchuser/x")
    assert "home" in says("track", clip, "--box", "1,2,30,40", "--model", "published:~nosuchuser/x")
    assert "max-frames" in says("track", clip, *BOX, "--max-frames", LONG[:30], code=2)
    assert "threads" in says("track", clip, "--box", "1,2,30,40", "--threads", 3_000_000_000)
    assert "rate" in says("track", tmp_path, *BOX, "--rate", "inf")
    assert "a model's name" in says("track", clip, "--box", "1,2,30,40", "--model", "")
    assert "expected an address of this machine" in says("demo", "--host", "é..é", "--port", 0)


@pytest.mark.parametrize("wrong", [{"config": 5}, {"model": None}, {"model": 5}, {"threads": 1.5}, {"threads": "2"}, {"model": "x" * 300}])
def test_wrong_arguments_of_a_tracker(wrong: dict[str, Any]) -> None:
    with pytest.raises(FearError, match="expected"):
        fear.Tracker(**{"model": "fear-nano", "runtime": "onnx"} | wrong)


def test_a_source_with_a_name_that_no_file_can_have() -> None:
    for name in ("x" * 300, "x\0y"):
        with pytest.raises(FearError):
            fear.open_source(name)


@pytest.mark.parametrize("wrong", [{"rate": float("nan")}, {"rate": float("inf")}, {"rate": 0}, {"rate": 1e300}, {"quality": 99}])
def test_wrong_settings_of_a_writer(wrong: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="expected a"):
        VideoWriter(tmp_path / "x.mp4", **wrong)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), 1e300])
def test_a_wrong_time_does_not_end_a_video(moment: float, tmp_path: Path) -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    with VideoWriter(tmp_path / "x.mp4", 30) as writer:
        writer.write(picture, 0)
        with pytest.raises(VideoError, match="expected a time"):
            writer.write(picture, moment)
        writer.write(picture, 1)
    with fear.open_source(tmp_path / "x.mp4") as source:
        assert len(list(source)) == 2


def test_brackets_in_names_are_no_markup(clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "run[xs]"
    result = CliRunner().invoke(app, ["demo", "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert "run[xs]" in result.output


def test_names_that_are_not_utf_8_are_said(tmp_path: Path) -> None:
    boxes = tmp_path / "b.csv"
    boxes.write_text("frame,time,target,x,y,w,h,score,similarity,lost\n0,0,0,1,2,3,4,1,1,0\n")
    target = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.coco.json")
    line = says("data", "export", boxes, target, "--size", "32x24")
    assert line.startswith("fear: ")


# ------------------------------------------------------------------------------------------------------------------ broken installations
BROKEN = {"attribute": "raise AttributeError('_ARRAY_API not found')", "value": "raise ValueError('numpy.dtype size changed')", "empty": ""}


@pytest.mark.parametrize("fault", BROKEN)
def test_an_opencv_that_cannot_be_loaded_counts_as_none(fault: str, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "cv2").mkdir()
    (tmp_path / "cv2" / "__init__.py").write_text(BROKEN[fault])
    result = command("track", clip, *BOX, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("fault", BROKEN)
def test_a_runtime_that_cannot_be_loaded_is_named_and_auto_takes_another(fault: str, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "onnxruntime").mkdir()
    (tmp_path / "onnxruntime" / "__init__.py").write_text(BROKEN[fault])
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    asked = command("track", clip, *BOX, env=environment)
    assert asked.returncode == 1
    (line,) = asked.stderr.splitlines()
    assert "onnxruntime" in line
    assert "pip install" in line
    taken = command("track", clip, *BOX, "--runtime", "auto", env=environment)
    assert taken.returncode == 0, taken.stderr
    assert "Traceback" not in taken.stderr


def test_a_package_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise OSError('libcudart.so.12: cannot open')")
    result = command("export", "fear-nano", "--output", tmp_path / "x", env=os.environ | {"PYTHONPATH": str(tmp_path)})
    (line,) = result.stderr.splitlines()
    assert "needs torch, which is installed but cannot be imported" in line


def test_closed_standard_output() -> None:
    code = "import sys; sys.stdout = None; from fear.cli import app; app(['--version'])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_fault_of_ours_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fear.loading.reference.models", lambda: 1 / 0)
    result = CliRunner().invoke(app, ["models"])
    assert result.exit_code == 1
    assert "unexpected ZeroDivisionError" in result.stderr
    monkeypatch.setenv("FEAR_TRACEBACK", "1")
    assert isinstance(CliRunner().invoke(app, ["models"]).exception, ZeroDivisionError)


# ------------------------------------------------------------------------------------------------------------------------ evaluations
OWN = {
    "syntax": "class T(:",
    "import": "1 / 0",
    "exit": "import sys; sys.exit(0)",
    "made": "class T:\n    def __init__(self): raise RuntimeError('no card')",
}


def clips(clip: Path, tmp_path: Path) -> Path:
    """A data set of one clip."""
    folder = tmp_path / "data" / "a"
    folder.mkdir(parents=True)
    shutil.copy(clip, folder / "video.mp4")
    (folder / "groundtruth.txt").write_text("40,40,30,30\n" * 4)
    return folder.parent


@pytest.mark.parametrize("fault", OWN)
def test_a_tracker_of_others_that_cannot_be_made(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fear.evaluation.trackers import Spec, create

    (tmp_path / f"own_{fault}.py").write_text(OWN[fault])
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=f"own_{fault}:T: expected MODULE:CLASS"):
        create(Spec(f"own_{fault}:T"))


ENDED = {
    "init": "def init(self, f, b): raise SystemExit(3)\n def update(self, f): ...",
    "update": "def init(self, f, b): ...\n def update(self, f): raise SystemExit(3)",
}


@pytest.mark.parametrize("method", ENDED)
def test_a_tracker_of_others_that_ends_the_program(method: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"ended_{method}.py").write_text(f"class T:\n {ENDED[method]}\n")
    monkeypatch.syspath_prepend(tmp_path)
    line = says("eval", "--root", clips(clip, tmp_path), "--tracker", f"ended_{method}:T", "--output", tmp_path / "out")
    assert f"T.{method} raised SystemExit: 3" in line


@pytest.mark.slow
@pytest.mark.parametrize("end", ["parent", "worker"])
def test_workers_and_their_parent_end_together(end: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        with VideoWriter(folder / "video.mp4", 30) as writer:
            for k in range(400):
                writer.write(np.zeros((48, 64, 3), np.uint8), k / 30)
        (folder / "groundtruth.txt").write_text("8,8,16,16\n" * 400)
    (tmp_path / "slow.py").write_text(
        "import time\nclass T:\n def init(self, f, b): self.b = b\n def update(self, f):\n  time.sleep(1)\n  return self.b\n"
    )
    code = "import sys; from fear.cli import app\nif __name__ == '__main__': app(sys.argv[1:])"
    (tmp_path / "run.py").write_text(code)
    words = ["eval", "--root", "data", "--tracker", "slow:T", "--workers", "2", "--output", "out"]
    with subprocess.Popen([sys.executable, "run.py", *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as parent:
        _end_one(parent, end)


def _end_one(parent: subprocess.Popen[str], end: str) -> None:
    try:
        workers = _wait_for(lambda: found if len(found := _children(parent.pid)) >= 2 else None)
        time.sleep(4)  # they are at work
        os.kill(parent.pid if end == "parent" else workers[-1], signal.SIGKILL)
        _, told = parent.communicate(timeout=120)
        assert _wait_for(lambda: not any(_is_alive(one) for one in workers))
        if end == "worker":
            assert parent.returncode == 1
            assert "a worker process was ended from outside" in told
            assert "Traceback" not in told
    finally:
        parent.kill()


def _children(pid: int) -> list[int]:
    text = subprocess.run(["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in text.splitlines() if "spawn_main" in line]


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _wait_for(question: Any, seconds: float = 40) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def test_a_missing_runtime_is_still_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fear.loading.load._installed", lambda runtime: False)
    with pytest.raises(RuntimeMissingError, match="not installed"):
        fear.Tracker("fear-nano", runtime="onnx")


def test_a_run_that_cannot_start_leaves_older_files(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "k.csv").write_text("older")
    (tmp_path / "k.mp4").write_text("older")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "m_1.txt").mkdir()
    (tmp_path / "m_0.txt").write_text("older")
    for output in (tmp_path / "none" / "x.mp4", tmp_path / "folder.mp4"):
        assert "expected" in says("track", clip, *BOX, "--boxes", tmp_path / "k.csv", "--output", output)
    assert "expected a place to write boxes to" in says("track", clip, *BOX, "--box", "5,5,20,20", "--boxes", tmp_path / "m.txt")
    assert "expected an existing folder" in says(
        "track", clip, *BOX, "--boxes", tmp_path / "none" / "x.csv", "--output", tmp_path / "k.mp4"
    )
    for name in ("k.csv", "k.mp4", "m_0.txt"):
        assert (tmp_path / name).read_text() == "older"


def test_a_box_file_is_not_written_over_the_source(clip: Path, tmp_path: Path) -> None:
    source, link = tmp_path / "src.mp4", tmp_path / "link.txt"
    shutil.copy(clip, source)
    link.symlink_to(source)
    assert "expected another file than the source" in says("track", source, *BOX, "--boxes", link)
    assert source.read_bytes() == clip.read_bytes()


def test_a_source_without_a_name() -> None:
    assert "expected a source, got an empty name" in says("track", "", *BOX)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 1e-9}, "rate: expected a number of frames per second"),
        ({"rate": "30"}, "rate: expected a number of frames per second"),
        ({"rate": float("nan")}, "rate: expected a number of frames per second"),
        ({"stream": "0"}, "stream: expected its number"),
        ({"stream": -1}, "stream: expected its number"),
        ({"options": {"rtsp_transprt": "tcp"}}, "expected names that FFmpeg knows, got 'rtsp_transprt'"),
    ],
)
def test_settings_of_a_source_of_another_kind(options: dict[str, Any], message: str, clip: Path) -> None:
    with pytest.raises(VideoError, match=message):
        fear.open_source(clip, **options)


def test_a_file_of_one_long_line_is_told_in_a_short_one(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("69,50,107,87\n" + "1" * 1_000_000)
    message = says("data", "export", tmp_path / "b.txt", tmp_path / "o.mot.txt", "--size", "360x240", "--rate", "30")
    assert "b.txt, line 2: expected x,y,w,h, got '111" in message
    assert len(message) < 1100


USUAL = "rtsp_transport video_size framerate pixel_format input_format fflags probesize analyzeduration timeout max_delay threads"


def test_usual_options_of_ffmpeg_are_known(clip: Path) -> None:
    require_options(USUAL.split())
    assert "got 'vido_size'" in says("track", clip, *BOX, "--stream-option", "vido_size=640x480")


@pytest.mark.parametrize("options", [{"options": {"threads": "1"}}, {"stream": 0}])
def test_settings_of_videos_are_refused_for_pictures(options: dict[str, Any], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(VideoError, match="only for videos, cameras and streams"):
        fear.open_source(tmp_path, **options)


def test_a_video_is_read_once(clip: Path) -> None:
    with fear.open_source(clip, options={"threads": 1}) as source:  # type: ignore[dict-item]
        assert list(source)
        with pytest.raises(VideoError, match="expected an open video that was not read yet"):
            list(source)
    with fear.open_source(clip) as source:
        pass
    with pytest.raises(VideoError, match="expected an open video that was not read yet"):
        list(source)


@pytest.mark.parametrize("options", [{"device": None}, {"threads": True}, {"threads": 0}])
def test_settings_of_a_tracker_of_another_kind(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        fear.Tracker("fear-nano", runtime="onnx", **options)


def test_boxes_that_are_none() -> None:
    with pytest.raises(BoxError, match="expected a box for each target, got None"):
        fear.MultiTracker("fear-nano", runtime="onnx", threads=1).init(np.zeros((48, 64, 3), np.uint8), None)  # type: ignore[arg-type]


def test_options_that_contradict_each_other(clip: Path) -> None:
    for words in (
        ("track", clip, *BOX, "--no-dynamic", "--set", "dynamic_template=true"),
        ("bench", "--energy", "offline", "--tracker", "fear-xs"),
    ):
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == 2
        assert "expected" in result.stderr
