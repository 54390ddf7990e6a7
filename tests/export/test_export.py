"""Every format and precision of `fear export`, on the packaged weights."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fear.config import FEAR_NANO, FEAR_XS
from fear.errors import ConfigError, DatasetError, ExportError
from fear.loading import convert
from fear.loading.convert import export_checkpoint as export
from fear.loading.crops import cut_pairs
from fear.loading.load import load
from fear.weights import packaged, read_card

CHECKPOINT = packaged()["fear-xs"].checkpoint or Path()
SMALL = packaged()["fear-nano"].checkpoint or Path()
"""For what takes a minute otherwise."""


@pytest.fixture
def few_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calibrates and compares int8 forms with fewer crops."""
    monkeypatch.setattr(convert, "_CALIBRATION", 15)
    monkeypatch.setitem(convert._COMPARED, "int8", 24)


def test_tracing_leaves_nothing_among_the_temporary_files(tmp_path: Path) -> None:
    code = """
import os, torch
from fear.export.onnx import trace_graph
trace_graph(torch.nn.Linear(2, 2), {"x": torch.zeros(1, 2)}, ["y"])
assert "TORCHINDUCTOR_CACHE_DIR" not in os.environ
"""
    environment = {name: value for name, value in os.environ.items() if name != "TORCHINDUCTOR_CACHE_DIR"} | {"TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)  # torch decides about its folder once in a process
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("traced_once")
@pytest.mark.parametrize(("format", "precision"), [("onnx", "fp16"), ("openvino", "fp16")])
def test_float_exports_give_torchs_answers(format: str, precision: str, tmp_path: Path) -> None:
    report = export(SMALL, tmp_path / "x", format, precision)
    assert report.largest < 1e-3
    assert report.agreement == 1
    network, card = load(tmp_path / "x", threads=1), read_card(tmp_path / "x")
    template, search = cut_pairs(FEAR_NANO, 1)[0]
    assert network.match(search, network.encode_template(template)).scores.shape == (1, 1, 12, 12)  # of 192 pixels
    weights = tmp_path / "x" / ("match.onnx" if format == "onnx" else "match.bin")
    assert weights.stat().st_size < 2.5 * card.parameters  # two bytes a number, and the graph


@pytest.mark.slow
def test_coreml_packages_hold_the_weights(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("coremltools")
    report = export(SMALL, tmp_path / "x", "coreml", "fp16")
    assert report.largest < 2e-3
    assert report.agreement is None  # CoreML runs on Apple's systems alone
    assert {path.name for path in (tmp_path / "x").iterdir()} == {"config.json", "embed.mlpackage", "match.mlpackage"}
    assert capfd.readouterr().err == ""

    from fear.export import coreml

    honest = coreml._require_interface

    def spoil(package: object, name: str, inputs: list[str], outputs: list[str]) -> None:
        honest(package, name, inputs, outputs)
        with torch.no_grad():
            spoilt.backbone.conv_stem.weight.mul_(1)  # type: ignore[union-attr, operator]
            for parameter in spoilt.parameters():
                parameter.add_(0.01)

    from fear.network import fold, load_checkpoint

    spoilt = fold(load_checkpoint(SMALL)[0])
    monkeypatch.setattr(coreml, "_require_interface", spoil)
    with pytest.raises(ExportError, match="expected these weights in the CoreML package"):
        coreml.write_coreml(spoilt, tmp_path, "fp32", [])


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("nncf") is None, reason="needs nncf (extra quantize)")
@pytest.mark.usefixtures("packaged_graphs", "few_crops")
def test_int8_keeps_the_best_cell_near(tmp_path: Path) -> None:
    report = export(SMALL, tmp_path / "x", "openvino", "int8")
    assert report.near is not None
    assert report.near >= 0.9
    network = load(tmp_path / "x", threads=1)
    assert network.config.folded


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("nncf") is None, reason="needs nncf (extra quantize)")
@pytest.mark.usefixtures("packaged_graphs", "few_crops")
def test_int8_is_held_to_the_boxes_of_the_float_network(tmp_path: Path) -> None:
    report = export(SMALL, tmp_path / "x", "openvino", "int8", least_overlap=0.6)
    assert report.near is not None
    assert report.near >= 0.9
    network = load(tmp_path / "x", threads=1)
    for steady in (False, True):  # shapes are free again
        template, search = cut_pairs(FEAR_NANO, 1, steady=steady)[0]
        assert network.match(search, network.encode_template(template)).scores.shape == (1, 1, search.shape[1] // 16, search.shape[1] // 16)


def test_overlap_with_the_float_network() -> None:
    openvino = pytest.importorskip("openvino")
    pytest.importorskip("nncf")
    from fear.export.quantise import overlap_with

    folder = packaged()["fear-xs"].folder or Path()
    core = openvino.Core()
    embed, match = (core.compile_model(core.read_model(folder / f"{part}.onnx"), "CPU") for part in ("embed", "match"))
    inputs = [{"search": pair.search, "template_features": embed([pair.template])[0]} for pair in cut_pairs(FEAR_XS, 4, steady=True)]
    overlap = overlap_with(inputs, match)
    mean, each = overlap(match, inputs)
    assert mean == pytest.approx(1)
    assert each == pytest.approx([1] * 4)

    class Wider:
        """Boxes twice as wide as they should be, on the right."""

        outputs = match.outputs

        def __call__(self, one: dict[str, object]) -> dict[object, object]:
            answer = dict(match(one))
            boxes = answer[self.outputs[1]].copy()
            boxes[:, 2] += boxes[:, 0] + boxes[:, 2]
            return {**answer, self.outputs[1]: boxes}

    mean, each = overlap(Wider(), inputs[:2])
    assert each == pytest.approx([0.5] * 2)
    assert mean == pytest.approx(0.5)


@pytest.mark.usefixtures("traced_once")
def test_an_earlier_export_is_replaced_and_other_files_stay(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    export(SMALL, folder, "openvino")
    (folder / "notes.txt").write_text("mine")
    (folder / "match-int8.xml").write_text("of the packaged weights")
    (folder / "embed.mlpackage").mkdir()
    (folder / "data" / "onnx").mkdir(parents=True)
    export(SMALL, folder, "onnx")
    assert {path.name for path in folder.iterdir()} == {"config.json", "embed.onnx", "match.onnx", "notes.txt", "data"}
    assert (folder / "data" / "onnx").is_dir()
    assert set(read_card(folder).files) == {"embed.onnx", "match.onnx"}


@pytest.mark.usefixtures("traced_once")
def test_an_export_that_fails_leaves_the_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(SMALL, tmp_path / "x")
    (tmp_path / "x" / "notes.txt").write_text("mine")
    before = {path.name: path.read_bytes() for path in (tmp_path / "x").iterdir()}
    monkeypatch.setattr("fear.export.compare", lambda *arguments, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(SMALL, tmp_path / "x", precision="fp16")
    assert {path.name: path.read_bytes() for path in (tmp_path / "x").iterdir()} == before


@pytest.mark.parametrize("card", [None, "{}", '{"model_type": "bert", "format": 1}'])
def test_folders_of_others_are_refused_and_stay(card: str | None, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    if card is not None:
        (tmp_path / "config.json").write_text(card)
    with pytest.raises(ConfigError, match="expected an empty or a new folder, or an earlier export; got something else"):
        export(SMALL, tmp_path)
    with pytest.raises(ConfigError, match="expected an empty or a new folder, or an earlier export; got something else"):
        export(SMALL, tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_formats_and_precisions_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="format: expected onnx, openvino, coreml; got 'tflite'"):
        export(CHECKPOINT, tmp_path / "x", "tflite")
    with pytest.raises(ConfigError, match="int8 with format openvino; got 'int8' with format onnx"):
        export(CHECKPOINT, tmp_path / "x", "onnx", "int8")


# ---------------------------------------------------------------------------------------------------------------------- crops
def test_pairs_from_pictures_and_from_nothing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="expected pictures, found none"):
        cut_pairs(FEAR_XS, 3, tmp_path)
    cv2.imwrite(str(tmp_path / "a.jpg"), np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8))
    for source in (None, tmp_path):
        pairs = cut_pairs(FEAR_XS, 5, source)
        assert len(pairs) == 5
        assert pairs[0].template.shape == (1, 128, 128, 3)
        assert pairs[0].search.shape == (1, 192, 192, 3)
        again = cut_pairs(FEAR_XS, 5, source)
        assert all(np.array_equal(a.search, b.search) for a, b in zip(pairs, again, strict=True))
