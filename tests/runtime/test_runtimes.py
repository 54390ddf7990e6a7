from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from fear.config import FEAR_XS as NETWORK
from fear.config import TrackerConfig
from fear.errors import ConfigError, DamagedWeightsError, ExportError, FearError, RuntimeMissingError, WeightsError
from fear.geometry.boxes import iou
from fear.loading import load as runtime
from fear.loading.auto import fastest
from fear.loading.convert import export_checkpoint as export
from fear.loading.reference import find_model
from fear.media.crop import crop
from fear.media.synthetic import Scene, render
from fear.runtime.openvino import OpenVinoNetwork
from fear.runtime.protocol import Crops, Floats, Maps, Network
from fear.tracking.tracker import Tracker
from fear.weights import packaged, read_card

RUNTIMES = ("openvino", "onnx", "torch")
FEAR_XS = packaged()["fear-xs"]
SMALL = packaged()["fear-nano"]  # for what exports, which takes a while


@pytest.fixture(scope="module")
def networks() -> dict[str, Network]:
    return {name: runtime.load("fear-xs", runtime=name) for name in RUNTIMES}


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_runtimes_agree(networks: dict[str, Network], batch: int) -> None:
    frame = next(render(Scene(frames=1, height=200, width=300)))
    from fear.geometry.window import window_around

    template = crop(frame.image, window_around(frame.box_xywh, 0.2, 128), (0, 0, 0))[None]
    search = np.stack([crop(frame.image, window_around(frame.box_xywh, 2.0 - 0.1 * k, 256), (0, 0, 0)) for k in range(batch)])
    features = {name: network.encode_template(template) for name, network in networks.items()}
    stacked = np.repeat(features["torch"], batch, axis=0)
    maps = {name: network.match(search, stacked) for name, network in networks.items()}
    for name in RUNTIMES:
        assert features[name].shape == (1, 256, 8, 8)
        assert np.abs(features[name] - features["torch"]).max() < 1e-3 * np.abs(features["torch"]).max()
        for ours, truth in zip(maps[name][:3], maps["torch"][:3], strict=True):
            assert ours.shape == truth.shape
            assert ours.dtype == np.float32
            assert np.abs(ours - truth).max() < 1e-3 * np.abs(truth).max()
        assert (maps[name].scores.reshape(batch, -1).argmax(1) == maps["torch"].scores.reshape(batch, -1).argmax(1)).all()


def test_tracks_agree(networks: dict[str, Network]) -> None:
    rendered = list(render(Scene(frames=10, height=200, width=320)))
    boxes = {}
    for name, network in networks.items():
        tracker = Tracker(network)
        tracker.init(rendered[0].image, rendered[0].box_xywh)
        boxes[name] = [tracker.update(frame.image).box_xywh for frame in rendered[1:]]
    assert np.abs(np.array(boxes["openvino"]) - boxes["torch"]).max() < 0.2
    assert np.abs(np.array(boxes["onnx"]) - boxes["torch"]).max() < 0.2


def test_features_outlive_the_next_call(networks: dict[str, Network]) -> None:
    for network in networks.values():
        first = network.encode_template(np.zeros((1, 128, 128, 3), np.uint8))
        before = first.copy()
        network.encode_template(np.full((1, 128, 128, 3), 255, np.uint8))
        assert np.array_equal(first, before)


def test_interface_of_the_graphs() -> None:
    assert FEAR_XS.folder is not None

    def ports(path: Path) -> dict[str, tuple[int, list[int | str]]]:
        graph = onnx.load(path).graph
        return {
            value.name: (value.type.tensor_type.elem_type, [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim])
            for value in (*graph.input, *graph.output)
        }

    uint8, float32 = onnx.TensorProto.UINT8, onnx.TensorProto.FLOAT
    assert ports(FEAR_XS.folder / "embed.onnx") == {"template": (uint8, [1, 128, 128, 3]), "features": (float32, [1, 256, 8, 8])}
    assert ports(FEAR_XS.folder / "match.onnx") == {
        "search": (uint8, ["N", "16*cells", "16*cells", 3]),
        "template_features": (float32, ["N", 256, 8, 8]),
        "scores": (float32, ["N", 1, "cells", "cells"]),
        "boxes": (float32, ["N", 4, "cells", "cells"]),
        "embedding": (float32, ["N", 256]),
    }


@pytest.mark.parametrize("name", RUNTIMES)
@pytest.mark.parametrize(("targets", "side"), [(1, 256), (3, 256), (1, 192), (2, 160)])
def test_match_takes_any_number_and_side(networks: dict[str, Network], name: str, targets: int, side: int) -> None:
    maps = networks[name].match(np.zeros((targets, side, side, 3), np.uint8), np.zeros((targets, 256, 8, 8), np.float32))
    cells = side // 16
    assert [part.shape for part in maps[:3]] == [(targets, 1, cells, cells), (targets, 4, cells, cells), (targets, 256)]


def test_graphs_tell_nothing_of_the_machine_they_were_made_on() -> None:
    assert FEAR_XS.folder is not None
    for path in FEAR_XS.folder.glob("*.onnx"):
        data = path.read_bytes()
        assert b"site-packages" not in data
        assert b".py" not in data


class Slow:
    """A network that only takes time."""

    def __init__(self, seconds: float) -> None:
        self.config, self.dynamic_weight, self.seconds, self.calls = NETWORK, 0.0, seconds, 0

    def encode_template(self, template_crops: Crops) -> Floats:
        raise AssertionError("timing needs match alone")

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        self.calls += 1
        time.sleep(self.seconds)
        return Maps(template_features, template_features, template_features)


def test_fastest_is_measured_once_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made: list[Slow] = []

    def loader(seconds: float) -> Callable[[], Slow]:
        def load() -> Slow:
            made.append(Slow(seconds))
            return made[-1]

        return load

    candidates = {"openvino": loader(0.004), "onnx": loader(0.001)}
    packages = {"openvino": "openvino", "onnx": "onnxruntime"}
    first = fastest(candidates, packages, 1, "x", 128)
    assert isinstance(first, Slow)
    assert first.seconds == 0.001
    assert len(made) == 2
    again = fastest(candidates, packages, 1, "x", 128)
    assert again is made[2]
    assert made[2].seconds == 0.001
    assert made[2].calls == 0  # nothing is measured again
    fastest(candidates, packages, 2, "x", 128)  # other threads, other answer
    assert len(made) == 5
    (tmp_path / "fear" / "fastest.json").write_text("broken")
    assert fastest(candidates, packages, 1, "x", 128).config == NETWORK


@pytest.mark.parametrize(("seconds", "chosen"), [(0.0097, "exact"), (0.008, "rough"), (0.004, "rough")])
def test_a_less_exact_form_has_to_be_clearly_faster(seconds: float, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    candidates = {"exact": lambda: Slow(0.01), "rough": lambda: Slow(seconds)}
    fastest(candidates, {"exact": "openvino", "rough": "openvino"}, 1, "x", 128, handicapped={"rough"})
    assert list(json.loads((tmp_path / "fear" / "fastest.json").read_text()).values()) == [chosen]


@pytest.mark.parametrize("model", ["fear-xs", "fear-nano"])
def test_int8_sees_what_float_sees(model: str) -> None:
    folder = packaged()[model].folder
    assert folder is not None
    rendered = list(render(Scene(frames=60, height=240, width=320)))
    boxes = []
    for quantised in (False, True):
        tracker = Tracker(OpenVinoNetwork(folder, threads=1, quantised=quantised))
        tracker.init(rendered[0].image, rendered[0].box_xywh)
        boxes.append([tracker.update(frame.image).box_xywh for frame in rendered[1:]])
        assert runtime.describe(tracker.network).endswith("int8" if quantised else "float32")
    assert iou(*boxes).mean() > 0.85
    assert boxes[0] != boxes[1]


def test_auto_measures_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert FEAR_XS.folder is not None
    for model in ("fear-xs", FEAR_XS.folder):
        assert type(runtime.load(model)).__name__ in ("OpenVinoNetwork", "OnnxNetwork")
    (chosen,) = json.loads((tmp_path / "fear" / "fastest.json").read_text()).values()
    assert chosen in ("openvino", "openvino int8", "onnx")


@pytest.mark.parametrize("error", [ImportError("libopenvino.so: cannot open"), SystemExit("this build is too old")])
def test_auto_takes_the_next_runtime_when_one_cannot_be_loaded(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def broken() -> Network:
        raise error

    packages = {"openvino": "openvino", "onnx": "onnxruntime"}
    network = Slow(0)
    assert fastest({"openvino": broken, "onnx": lambda: network}, packages, 1, "x", 128) is network
    assert not (tmp_path / "fear" / "fastest.json").exists()  # it may work at the next start
    with pytest.raises(ImportError, match=str(error)):
        fastest({"openvino": broken, "onnx": broken}, packages, 1, "x", 128)


@pytest.mark.parametrize("error", [ImportError("no lib\nhere"), SystemExit("no lib here")])
@pytest.mark.parametrize("name", ["auto", "onnx"])
def test_a_runtime_that_cannot_be_imported_is_named(error: BaseException, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Network:
        raise error

    monkeypatch.setattr(runtime, "_loaders", lambda *_: dict.fromkeys(("openvino", "openvino int8", "onnx"), broken))
    with pytest.raises(RuntimeMissingError, match=rf"runtime {name}: expected the package .*no lib here; pip install --force-reinstall"):
        runtime.load("fear-nano", runtime=name)


@pytest.mark.parametrize("value", [["onnx"], {}, None, 1.5])
def test_remembered_answers_of_another_kind_are_ignored(value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    candidates = {"onnx": lambda: Slow(0.001), "openvino": lambda: Slow(0.004)}
    packages = {"openvino": "openvino", "onnx": "onnxruntime"}
    fastest(candidates, packages, 1, "x", 128)
    memory = tmp_path / "fear" / "fastest.json"
    (key,) = json.loads(memory.read_text())
    memory.write_text(json.dumps({key: value, "another": "onnx"}))
    assert fastest(candidates, packages, 1, "x", 128).config == NETWORK
    assert json.loads(memory.read_text()) == {key: "onnx", "another": "onnx"}


def test_a_folder_where_answers_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "fear" / "fastest.json").mkdir(parents=True)
    candidates = {"onnx": lambda: Slow(0.001), "openvino": lambda: Slow(0.004)}
    assert fastest(candidates, {"openvino": "openvino", "onnx": "onnxruntime"}, 1, "x", 128).config == NETWORK


def test_an_interruption_while_a_library_is_imported_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules in C++ that are interrupted while they are imported raise an ImportError."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def interrupted() -> Network:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error

    with pytest.raises(KeyboardInterrupt):
        fastest({"openvino": interrupted, "onnx": interrupted}, {"openvino": "openvino", "onnx": "onnxruntime"}, 1, "x", 128)


def test_packaged_weights_run_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise FileNotFoundError(2, "No usable temporary directory found")

    for module in ("fear.loading.auto", "fear.runtime.compiled"):
        monkeypatch.setattr(f"{module}.cache_folder", nowhere)
    assert runtime.load("fear-nano", runtime="auto", threads=1).config.name == "fear-nano"


def test_auto_takes_the_next_runtime_when_one_fails_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    class Failing(Slow):
        def match(self, search_crops: Crops, template_features: Floats) -> Maps:
            raise RuntimeError("no kernel for this processor")

    class Wrong(Slow):
        def match(self, search_crops: Crops, template_features: Floats) -> Maps:
            return Maps(*[np.full((1, 1), np.nan, np.float32)] * 3)

    packages = {"openvino": "openvino", "onnx": "onnxruntime"}
    right = Slow(0.001)
    for broken in (Failing(0), Wrong(0)):
        assert fastest({"openvino": lambda network=broken: network, "onnx": lambda: right}, packages, 1, "x", 128) is right  # type: ignore[misc]
    assert not (tmp_path / "fear" / "fastest.json").exists()
    with pytest.raises(RuntimeError, match="no kernel"):
        fastest({"openvino": lambda: Failing(0), "onnx": lambda: Wrong(0)}, packages, 1, "x", 128)


def test_openvino_prepares_the_search_sides_of_the_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[int] = []
    real = OpenVinoNetwork._compile

    def compile_(self: OpenVinoNetwork, part: str, side: int | None = None) -> object:
        if side is not None:
            prepared.append(side)
        return real(self, part, side)

    monkeypatch.setattr(OpenVinoNetwork, "_compile", compile_)
    tracker = Tracker("fear-nano", runtime="openvino", config=TrackerConfig(search_size=256, steady_search_size=160))
    assert sorted(prepared) == [160, 256]
    frame = next(render(Scene(frames=1, height=120, width=160)))
    tracker.init(frame.image, frame.box_xywh)
    tracker.update(frame.image)
    assert len(prepared) == 2  # the first frame waits for nothing


def test_auto_without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    real = runtime._installed
    monkeypatch.setattr(runtime, "_installed", lambda name: name != "openvino" and real(name))
    assert type(runtime.load("fear-xs")).__name__ == "OnnxNetwork"
    with pytest.raises(RuntimeMissingError, match="expected the package openvino"):
        runtime.load("fear-xs", runtime="openvino")


def test_checkpoint_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = runtime._installed
    monkeypatch.setattr(runtime, "_installed", lambda name: name != "torch" and real(name))
    monkeypatch.setattr("fear.loading.convert.can_export", lambda: False)
    monkeypatch.setattr(runtime, "can_export", lambda: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert FEAR_XS.checkpoint is not None
    with pytest.raises(RuntimeMissingError, match="torch"):
        runtime.load(FEAR_XS.checkpoint)
    with pytest.raises(RuntimeMissingError, match="torch"):
        runtime.load(FEAR_XS.checkpoint, runtime="onnx")


@pytest.mark.usefixtures("packaged_graphs")
def test_checkpoint_path_is_exported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert SMALL.checkpoint is not None
    assert type(runtime.load(SMALL.checkpoint, runtime="openvino")).__name__ == "OpenVinoNetwork"
    (folder,) = (path for path in (tmp_path / "fear").iterdir() if path.name != "compiled")
    made = (folder / "match.onnx").stat().st_mtime_ns
    assert type(runtime.load(SMALL.checkpoint, runtime="onnx")).__name__ == "OnnxNetwork"
    assert (folder / "match.onnx").stat().st_mtime_ns == made


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        ("fear-xxl", {}, WeightsError, "expected a known model"),
        ("fear-l", {}, WeightsError, "no weights"),
        ("/nowhere/x.safetensors", {}, WeightsError, "expected a known model"),
        ("fear-xs", {"runtime": "tensorflow"}, ConfigError, "expected auto, openvino, onnx, torch"),
        ("fear-xs", {"threads": 0}, ConfigError, "threads: expected a whole number from 1"),
        ("fear-xs", {"runtime": "onnx", "device": "tpu"}, ConfigError, "device"),
        ("fear-xs", {"runtime": "openvino", "device": "tpu"}, ConfigError, "device: expected one that this OpenVINO has"),
        ("fear-xs", {"runtime": "torch", "device": "tpu"}, ConfigError, "device: expected one that this torch has"),
        ("fear-xs", {"runtime": "onnx", "device": "cuda"}, ConfigError, "pip install onnxruntime-gpu"),
    ],
)
def test_wrong_requests(model: str, options: dict[str, object], error: type[FearError], message: str) -> None:
    with pytest.raises(error, match=message):
        runtime.load(model, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["openvino", "onnx"])
def test_damaged_graph(tmp_path: Path, name: str) -> None:
    assert FEAR_XS.folder is not None
    shutil.copytree(FEAR_XS.folder, tmp_path / "x")
    (tmp_path / "x" / "match.onnx").write_bytes(b"\x00damaged")
    for runtime_name in (name, "auto"):
        with pytest.raises(DamagedWeightsError, match=r"match\.onnx: expected SHA-256 [0-9a-f]{64}, got"):
            runtime.load(tmp_path / "x", runtime=runtime_name)
    card = replace(read_card(tmp_path / "x"), files={})  # as earlier versions wrote it
    (tmp_path / "x" / "config.json").write_text(card.to_json())
    with pytest.raises(WeightsError, match="expected a network that"):
        runtime.load(tmp_path / "x", runtime=name)


@pytest.mark.parametrize("name", ["openvino", "onnx"])
def test_a_graph_without_a_digest_beside_graphs_with_one(tmp_path: Path, name: str) -> None:
    assert SMALL.folder is not None
    shutil.copytree(SMALL.folder, tmp_path / "x")
    card = json.loads((SMALL.folder / "config.json").read_text())
    del card["files"]["match.onnx"]
    (tmp_path / "x" / "config.json").write_text(json.dumps(card))
    with pytest.raises(DamagedWeightsError, match=r"match\.onnx: expected its SHA-256 in config\.json"):
        runtime.load(tmp_path / "x", runtime=name)


@pytest.mark.parametrize("name", ["openvino", "onnx"])
def test_a_description_that_was_changed(tmp_path: Path, name: str) -> None:
    """Another size of crops would follow with other boxes, and nobody would know why."""
    assert FEAR_XS.folder is not None
    shutil.copytree(FEAR_XS.folder, tmp_path / "x")
    description = tmp_path / "x" / "config.json"
    for key, value in (("search_size", 128), ("least_search_size", 64), ("width", 128)):
        card = json.loads((FEAR_XS.folder / "config.json").read_text())
        card["network"][key] = value
        description.write_text(json.dumps(card))
        with pytest.raises(DamagedWeightsError, match=r"config\.json: network or dynamic_weight was changed"):
            runtime.load(tmp_path / "x", runtime=name)
    card = json.loads((FEAR_XS.folder / "config.json").read_text())
    card["dynamic_weight"] = 0.1
    description.write_text(json.dumps(card))
    with pytest.raises(DamagedWeightsError, match=r"config\.json: network or dynamic_weight was changed"):
        runtime.load(tmp_path / "x", runtime=name)


@pytest.mark.parametrize("name", ["openvino", "onnx"])
@pytest.mark.parametrize(("key", "value"), [("template_size", 64), ("width", 512)])
def test_graphs_of_another_network_than_described(tmp_path: Path, name: str, key: str, value: int) -> None:
    assert FEAR_XS.folder is not None
    shutil.copytree(FEAR_XS.folder, tmp_path / "x")
    card = json.loads((FEAR_XS.folder / "config.json").read_text())
    card["network"][key] = value
    del card["network_sha256"]  # as earlier versions wrote it
    (tmp_path / "x" / "config.json").write_text(json.dumps(card))
    with pytest.raises(WeightsError, match=r"expected a graph from .* of config\.json, got \[1, 128, 128, 3\] to \[1, 256, 8, 8\]"):
        runtime.load(tmp_path / "x", runtime=name)


def test_folder_without_description(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"config\.json"):
        find_model(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(WeightsError, match="description of a FEAR network"):
        find_model(tmp_path)


@pytest.mark.usefixtures("packaged_graphs")
def test_export_that_differs_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fear.export

    def wrong(network: object, folder: Path, half_storage: bool = False) -> None:
        real(network, folder, half_storage)
        model = onnx.load(folder / "match.onnx")
        (scale,) = [t for t in model.graph.initializer if t.name.endswith("dynamic_weight") or t.dims == [1, 3, 1, 1]][:1]
        values = onnx.numpy_helper.to_array(scale) * np.float32(1.05)
        scale.CopyFrom(onnx.numpy_helper.from_array(values, scale.name))
        onnx.save(model, folder / "match.onnx")

    real = vars(fear.export)["write_onnx"]  # the copying one
    monkeypatch.setattr("fear.export.write_onnx", wrong)
    assert SMALL.checkpoint is not None
    with pytest.raises(ExportError, match=r"expected the exported network within 0\.001 of torch"):
        export(SMALL.checkpoint, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_an_export_with_half_a_torch_is_told_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fear.export", None)  # as if an import in it failed
    assert SMALL.checkpoint is not None
    with pytest.raises(RuntimeMissingError, match=r"one of them does not work \(ModuleNotFoundError.*--force-reinstall torch onnxscript"):
        export(SMALL.checkpoint, tmp_path / "x")


def test_export_does_not_overwrite_other_things(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert FEAR_XS.checkpoint is not None
    with pytest.raises(ConfigError, match="empty or a new folder"):
        export(FEAR_XS.checkpoint, tmp_path)
    with pytest.raises(ConfigError, match="format: expected onnx"):
        export(FEAR_XS.checkpoint, tmp_path / "x", "tflite")


def test_config_of_an_export(tmp_path: Path) -> None:
    assert FEAR_XS.folder is not None
    card = json.loads((FEAR_XS.folder / "config.json").read_text())
    assert card["network"]["name"] == "fear-xs"
    assert card["licence"] == "MIT"
    assert "FEARTracker" in card["provenance"]
