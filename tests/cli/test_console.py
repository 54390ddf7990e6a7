"""Help, completion, the list of models, and signs of life during long work."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fear.cli import app, console
from fear.loading.load import computed_by
from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter
from fear.weights import packaged


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="fear")


@pytest.fixture
def clip(tmp_path: Path) -> tuple[Path, str]:
    with VideoWriter(tmp_path / "clip.mp4", 30) as writer:
        frames = list(render(Scene(frames=4, height=120, width=160)))
        for index, frame in enumerate(frames):
            writer.write(frame.image, index / 30)
    return tmp_path / "clip.mp4", ",".join(f"{value:.1f}" for value in frames[0].box_xywh)


@pytest.mark.parametrize("arguments", [[], ["data"], ["-h"], ["track", "-h"], ["data", "-h"], ["eval", "-h"], ["bench", "-h"]])
def test_help_is_readable_at_80_columns(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Usage: fear" if not arguments else f"Usage: {' '.join(['fear', *arguments[:-1]])}")
    assert "Options:" in lines
    assert max(map(len, lines)) <= 80


def test_models_fit_a_terminal_and_their_columns_are_explained() -> None:
    lines = run("models").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    columns = lines[0].split()
    explained = {line.split()[0] for line in lines[1:] if line.strip()}
    assert set(columns) <= explained


def test_models_as_json_are_their_cards() -> None:
    models = json.loads(run("models", "--json").stdout)
    assert list(models)[:2] == list(packaged())
    assert models["fear-xs"]["licence"] == "MIT"
    assert models["fear-xs"]["has_weights"]
    assert Path(models["fear-xs"]["checkpoint"]).is_file()
    assert models["fear-l"]["checkpoint"] is None


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The command `fear` as a program of its own, since completion goes by the name of the program."""
    path = tmp_path / "bin" / "fear"
    path.parent.mkdir()
    path.write_text(f"#!{sys.executable}\nfrom fear.cli import app\napp(prog_name='fear')\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_and_options_after_the_installation(program: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    environment = os.environ | {"HOME": str(tmp_path / "home"), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    install = ["bash", "-c", "fear --install-completion; exit"]  # what follows keeps bash from handing its process over
    told = subprocess.run(install, env=environment, check=True, capture_output=True, text=True).stdout
    assert "bash completion installed" in told
    complete = f"""
        source {tmp_path}/home/.bashrc
        COMP_WORDS=(fear tr); COMP_CWORD=1; _fear_completion fear; echo "${{COMPREPLY[@]}}"
        COMP_WORDS=(fear track --runt); COMP_CWORD=2; _fear_completion fear; echo "${{COMPREPLY[@]}}"
        COMP_WORDS=(fear track --model fear-n); COMP_CWORD=3; _fear_completion fear; echo "${{COMPREPLY[@]}}"
    """
    answers = subprocess.run(["bash", "-c", complete], env=environment, check=True, capture_output=True, text=True).stdout
    assert answers.split() == ["track", "train", "--runtime", "fear-nano"]


def test_long_work_is_told_line_by_line_where_stderr_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "EVERY", 0.05)
    with console.working("measuring speed") as part:
        time.sleep(0.12)
        part("targets, 4 of 6")
        time.sleep(0.12)
    with console.progress(unit="frames") as advance:
        advance(7)
        advance(7)
        time.sleep(0.12)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "fear: measuring speed, 0 s"
    assert "fear: targets, 4 of 6, 0 s" in lines
    assert lines[-1] == "fear: 2 of 7 frames, 0 s"


def test_short_and_quiet_work_tells_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with console.working("loading"), console.progress():
        pass
    monkeypatch.setattr(console, "EVERY", 0.02)
    with console.working("loading", quiet=True), console.progress(quiet=True):
        time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_what_the_package_does_is_shown_while_it_lasts_and_warnings_are_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "EVERY", 0.05)
    with console.messages(), console.working("loading fear-xs"):
        logging.getLogger("fear.loading.auto").info("measuring once which runtime is the fastest on this machine")
        time.sleep(0.12)
        logging.getLogger("fear.loading.auto").warning("runtime x fails")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("fear: measuring once which runtime")
    assert "fear: runtime x fails" in lines


def test_the_sample_of_the_page_says_that_it_is_rendered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from fear.demo import Site, site

    site._rendered_sample.cache_clear()
    monkeypatch.setattr("fear.media.synthetic.DEFAULT", Scene(frames=2, height=120, width=160))
    with console.messages():
        first, again = Site().get("sample.mp4"), Site().get("sample.json")
    site._rendered_sample.cache_clear()
    assert first is not None
    assert again is not None
    (line,) = capsys.readouterr().err.splitlines()  # once, for both files
    assert line == "fear: rendering the sample clip for the page, once; this takes some seconds"


def test_the_bench_says_what_it_measures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("psutil")
    from fear.bench import report

    parts: list[str] = []
    monkeypatch.setattr(report, "measure_trackers", lambda *_: [])
    for name in ("measure_targets", "measure_end_to_end", "measure_start"):
        monkeypatch.setattr(report, name, lambda *_: {})
    monkeypatch.setattr(report, "measure_matrix_product", lambda *_: 1e9)
    monkeypatch.setattr(report, "_limit", lambda *_: {})
    monkeypatch.setattr(report, "_markdown", lambda result: computed_by(result["model"]["runtime"]))
    monkeypatch.setattr(report, "measure_stages", lambda *_: [_Timing()])
    assert report.run_bench("fear-nano", [], "onnx", 1, tmp_path, parts.append) == "ONNX Runtime, float32"
    assert [part[-6:] for part in parts[1:]] == [f"{number} of 6" for number in range(1, 7)]


class _Timing:
    stage, p50, p95, p99 = "network", 1.0, 1.0, 1.0

    def _asdict(self) -> dict[str, object]:
        return {"stage": self.stage, "p50": 1.0, "p95": 1.0, "p99": 1.0}


def test_the_summary_says_what_computed(clip: tuple[Path, str]) -> None:
    result = run("track", clip[0], "--box", clip[1], "--runtime", "onnx")
    assert "computed by ONNX Runtime, float32, on cpu" in result.stdout


def test_a_checkpoint_says_that_it_is_converted_and_keeps_the_result(
    clip: tuple[Path, str], packaged_graphs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copy(packaged()["fear-nano"].checkpoint or "", tmp_path / "own.safetensors")
    arguments = ["track", clip[0], "--box", clip[1], "--model", tmp_path / "own.safetensors", "--runtime", "onnx"]
    first, second = run(*arguments), run(*arguments)
    assert first.exit_code == second.exit_code == 0, first.output
    assert "own.safetensors for the runtimes, once" in first.stderr
    kept = first.stderr.partition("kept in ")[2].splitlines()[0]
    assert kept.startswith(str(tmp_path / "cache"))
    assert (Path(kept) / "match.onnx").is_file()
    assert "converting" not in second.stderr


def test_a_box_of_corners_gives_one_hint_and_the_run_goes_on(clip: tuple[Path, str]) -> None:
    result = run("track", clip[0], "--box", "60,40,140,100")
    assert result.exit_code == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith("fear: hint: the box 60,40,140,100 reaches beyond the frame, of 160×120 pixels")
    assert "60,40,80,60" in line


def test_shares_of_the_picture_are_one_line_with_the_remedy(clip: tuple[Path, str]) -> None:
    result = run("track", clip[0], "--box", "0.25,0.25,0.5,0.5")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "shares of the frame" in line
    assert line.endswith("40,30,80,60")
