"""What the five paths share: a video, a working folder, and how commands and programs are run."""

from __future__ import annotations

import runpy
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter
from journeys.installation import ENVIRONMENT, PYTHON, Clip, Command


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A disc that is followed past a look-alike, is gone for ten frames, and comes back at another place."""
    frames = list(render(Scene(frames=55, height=180, width=320, occlusion=False)))
    kept = [*range(10), *range(40, 55)]
    empty = [frames[0].image * 0 + 128] * 10
    images = [*(frames[number].image for number in kept[:10]), *empty, *(frames[number].image for number in kept[10:])]
    boxes = [*(frames[number].box_xywh for number in kept[:10]), *[frames[9].box_xywh] * 10, *(frames[n].box_xywh for n in kept[10:])]
    path = tmp_path_factory.mktemp("clip") / "race.mp4"
    with VideoWriter(path, 30, quality=12) as writer:
        for index, image in enumerate(images):
            writer.write(image, index / 30)
    return Clip(path, images, boxes)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which somebody works."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def fear_command(desk: Path) -> Command:
    """Runs a command and returns what it prints; it has to succeed."""

    def run(*arguments: object) -> str:
        words = [str(argument) for argument in arguments]
        if PYTHON:
            result = subprocess.run([PYTHON, "-m", "fear.cli", *words], capture_output=True, text=True, env=ENVIRONMENT)
            assert result.returncode == 0, result.stderr
            return result.stdout
        from fear.cli import app

        answer = CliRunner().invoke(app, words)
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    return run


@pytest.fixture
def program(desk: Path) -> Command:
    """Runs a program that lies beside this file and returns what it prints."""

    def run(name: str, *arguments: object) -> str:
        path, words = Path(__file__).parent / name, [str(argument) for argument in arguments]
        if PYTHON:
            return subprocess.run([PYTHON, path, *words], check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout
        before, printed = sys.argv, StringIO()
        sys.argv = [str(path), *words]
        try:
            with redirect_stdout(printed):
                runpy.run_path(str(path), run_name="__main__")
        finally:
            sys.argv = before
        return printed.getvalue()

    return run


@pytest.fixture
def extras() -> None:
    """Skips where the installation has only the core, and no torch."""
    command = [PYTHON or sys.executable, "-c", "import importlib.util as u; raise SystemExit(u.find_spec('torch') is None)"]
    if subprocess.run(command, env=ENVIRONMENT).returncode:
        pytest.skip("needs the extra `train`")
