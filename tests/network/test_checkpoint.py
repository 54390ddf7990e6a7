from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from fear.config import FEAR_L, FEAR_M, FEAR_XS, NetworkConfig
from fear.errors import DamagedWeightsError, WeightsError
from fear.network import build_network, fold, load_checkpoint, load_imagenet, save_checkpoint
from fear.network.backbones import BEYOND_STRIDE_16
from fear.weights.card import WeightsCard, header, read_card

CARD = WeightsCard(FEAR_XS, "MIT", "made by a test", scores={"auc": 0.5}, scores_on="nothing")


@pytest.mark.parametrize("folded", [False, True])
def test_round_trip(tmp_path: Path, folded: bool) -> None:
    network = build_network(FEAR_XS).eval()
    with torch.no_grad():
        network.dynamic_weight.fill_(0.375)
    network = fold(network) if folded else network
    written = save_checkpoint(network, tmp_path / "x.safetensors", CARD)
    loaded, card = load_checkpoint(tmp_path / "x.safetensors")
    assert card == written == read_card(tmp_path / "x.safetensors")
    assert card.network == replace(FEAR_XS, folded=folded)
    assert card.dynamic_weight == 0.375
    assert card.scores == {"auc": 0.5}
    assert not loaded.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_half_storage_loads_as_float(tmp_path: Path) -> None:
    network = fold(build_network(FEAR_XS))
    save_checkpoint(network, tmp_path / "half.safetensors", CARD, torch.float16)
    save_checkpoint(network, tmp_path / "full.safetensors", CARD)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.55 * (tmp_path / "full.safetensors").stat().st_size
    loaded, _ = load_checkpoint(tmp_path / "half.safetensors")
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "x.safetensors"
    save_checkpoint(fold(build_network(FEAR_XS)), path, CARD)
    return path


def test_missing_and_unexpected_keys_are_listed(checkpoint: Path, tmp_path: Path) -> None:
    state = load_file(checkpoint)
    state["surplus"] = state.pop("adjust.0.bias")
    save_file(state, tmp_path / "x.safetensors", metadata=header(read_card(checkpoint)))
    with pytest.raises(WeightsError, match=r"1 keys missing: adjust\.0\.bias; 1 keys unexpected: surplus"):
        load_checkpoint(tmp_path / "x.safetensors")


def test_another_shape(checkpoint: Path, tmp_path: Path) -> None:
    state = load_file(checkpoint)
    state["adjust.0.bias"] = torch.zeros(3)
    save_file(state, tmp_path / "x.safetensors", metadata=header(read_card(checkpoint)))
    with pytest.raises(WeightsError, match=r"adjust\.0\.bias \(3,\) instead of \(256,\)"):
        load_checkpoint(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    ("dtype", "shown"), [(torch.bfloat16, "BF16"), (torch.float8_e4m3fn, "F8_E4M3"), (torch.int32, "I32"), (torch.complex64, "C64")]
)
def test_other_types_of_numbers_are_named(checkpoint: Path, tmp_path: Path, dtype: torch.dtype, shown: str) -> None:
    state = {name: tensor.to(dtype) for name, tensor in load_file(checkpoint).items()}
    save_file(state, tmp_path / "x.safetensors", metadata=header(replace(read_card(checkpoint), sha256="")))
    with pytest.raises(WeightsError, match=rf"x\.safetensors: expected tensors of type F16 or F32, got {shown} for 'adjust\.0\.bias'"):
        read_card(tmp_path / "x.safetensors")


def test_imagenet_weights_of_whole_numbers_are_refused(tmp_path: Path) -> None:
    state = classifier(FEAR_M)
    state["conv1.weight"] = state["conv1.weight"].to(torch.int32)
    save_file(state, tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match=r"1 of another type: conv1\.weight torch\.int32 instead of torch\.float32"):
        load_imagenet(build_network(FEAR_M), tmp_path / "x.safetensors")


def test_a_name_with_a_line_break_is_shown_in_one_line(checkpoint: Path, tmp_path: Path) -> None:
    state = load_file(checkpoint) | {"x\ny": torch.zeros(1)}
    save_file(state, tmp_path / "x.safetensors", metadata=header(read_card(checkpoint)))
    with pytest.raises(WeightsError, match=r"1 keys unexpected: 'x\\ny'") as caught:
        load_checkpoint(tmp_path / "x.safetensors")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 100, b"PK\x03\x04" * 50])
def test_foreign_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match=r"expected a \.safetensors checkpoint"):
        load_checkpoint(tmp_path / "x.safetensors")


def test_cut_off_file(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(checkpoint.read_bytes()[:-1000])
    with pytest.raises(WeightsError, match="damaged"):
        load_checkpoint(tmp_path / "x.safetensors")


def test_safetensors_of_somebody_else(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match="its header has no entry 'fear'"):
        load_checkpoint(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "expected format 1, got 99"),
        ({"network": {"name": "x", "colour": 3}}, "colour"),
        ({"licence": None, "new": 1}, "new"),
        ({"new\nline": 1}, "new line"),
        ({"format": "9\n9"}, r"got '9\\n9'"),
    ],
)
def test_wrong_card(checkpoint: Path, tmp_path: Path, change: dict[str, object], message: str) -> None:
    card = json.loads(read_card(checkpoint).to_json()) | change
    save_file(load_file(checkpoint), tmp_path / "x.safetensors", metadata={"fear": json.dumps(card)})
    with pytest.raises(WeightsError, match=message) as caught:
        load_checkpoint(tmp_path / "x.safetensors")
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------------ ImageNet weights
# a few keys of each library's own files, as its documentation and users show them
KNOWN_KEYS = {
    "fbnetc_100": ("conv_stem.weight", "bn1.running_mean", "blocks.0.0.conv_pw.weight", "blocks.1.0.conv_dw.weight", "blocks.4.3.bn3.bias"),
    "resnet50": ("conv1.weight", "bn1.weight", "layer1.0.downsample.0.weight", "layer2.3.conv2.weight", "layer3.5.bn3.running_var"),
    "regnet_x_8gf": (
        "stem.0.weight",
        "trunk_output.block1.block1-0.proj.0.weight",
        "trunk_output.block2.block2-4.f.b.1.bias",
        "trunk_output.block3.block3-14.f.c.0.weight",
    ),
}
CLASSIFIERS = pytest.mark.parametrize(
    "config", [replace(FEAR_XS, backbone="fbnetc_100"), FEAR_M, FEAR_L], ids=lambda config: str(config.backbone)
)


def classifier(config: NetworkConfig) -> dict[str, torch.Tensor]:
    """A whole classifier's state as the library saves it: the backbone, a later stage, a head."""
    state = {name: tensor.clone() for name, tensor in build_network(config).backbone.state_dict().items()}
    return state | {f"{prefix}weight": torch.zeros(2) for prefix in BEYOND_STRIDE_16[config.backbone]}


@CLASSIFIERS
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_imagenet_weights_load(config: NetworkConfig, suffix: str, tmp_path: Path) -> None:
    state = classifier(config)
    assert set(KNOWN_KEYS[config.backbone]) <= state.keys()
    path = tmp_path / f"weights{suffix}"
    torch.save(state, path) if suffix == ".pth" else save_file(state, path)
    network = build_network(config)
    load_imagenet(network, path)
    for name, tensor in network.backbone.state_dict().items():
        assert torch.equal(tensor, state[name])


def test_imagenet_weights_without_counters(tmp_path: Path) -> None:
    state = {name: tensor for name, tensor in classifier(FEAR_M).items() if not name.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "old.pth")
    load_imagenet(build_network(FEAR_M), tmp_path / "old.pth")


@CLASSIFIERS
def test_wrong_imagenet_file_lists_keys(config: NetworkConfig, tmp_path: Path) -> None:
    state = classifier(config)
    name = KNOWN_KEYS[config.backbone][0]
    state[f"module.{name}"] = state.pop(name)
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=rf"1 keys missing: {name}; 1 keys unexpected: module\.{name}"):
        load_imagenet(build_network(config), tmp_path / "x.pth")


def test_weights_of_another_backbone(tmp_path: Path) -> None:
    torch.save(classifier(FEAR_M), tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"missing: .* and \d+ more; \d+ keys unexpected"):
        load_imagenet(build_network(FEAR_L), tmp_path / "x.pth")


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\x80\x02ctest"])
def test_foreign_imagenet_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(WeightsError, match="nothing but tensors"):
        load_imagenet(build_network(FEAR_XS), tmp_path / "x.pth")


def test_a_pickled_object_is_refused(tmp_path: Path) -> None:
    torch.save({"model": Path("x")}, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match="nothing but tensors"):
        load_imagenet(build_network(FEAR_XS), tmp_path / "x.pth")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Address of a web server that hands out the files of `tmp_path`."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()


def test_from_a_url_with_its_digest(tmp_path: Path, server: str, capfd: pytest.CaptureFixture[str]) -> None:
    torch.save(classifier(FEAR_M), tmp_path / "resnet50.pth")
    digest = hashlib.sha256((tmp_path / "resnet50.pth").read_bytes()).hexdigest()
    url = f"{server}/resnet50.pth"
    load_imagenet(build_network(FEAR_M), url, digest, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    (tmp_path / "resnet50.pth").unlink()
    load_imagenet(build_network(FEAR_M), url, digest, cache=tmp_path / "cache")  # from the cache
    with pytest.raises(WeightsError, match="SHA-256 with a URL"):
        load_imagenet(build_network(FEAR_M), url)


def test_wrong_digest(tmp_path: Path, server: str, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "resnet50.pth").write_bytes(b"other weights")
    for source in (tmp_path / "resnet50.pth", (tmp_path / "resnet50.pth").as_uri(), f"{server}/resnet50.pth"):
        with pytest.raises(WeightsError, match="SHA-256 abc"):
            load_imagenet(build_network(FEAR_XS), source, "abc", cache=tmp_path / "cache")


def test_unreachable_url(tmp_path: Path, server: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsError, match="expected to download"):
        load_imagenet(build_network(FEAR_XS), f"{server}/nothing.pth", "abc", cache=tmp_path / "cache")
    with pytest.raises(WeightsError, match="found nothing there"):
        load_imagenet(build_network(FEAR_XS), (tmp_path / "nothing.pth").as_uri(), "abc")


# ------------------------------------------------------------------------------------------------------------ digests and old cards
def test_changed_tensors_are_noticed(checkpoint: Path, tmp_path: Path) -> None:
    state = load_file(checkpoint)
    state["adjust.0.bias"][0] += 1
    save_file(state, tmp_path / "x.safetensors", metadata=header(read_card(checkpoint)))
    with pytest.raises(DamagedWeightsError, match=r"x\.safetensors: expected tensors with SHA-256 [0-9a-f]{64}, got"):
        load_checkpoint(tmp_path / "x.safetensors")
    save_file(state, tmp_path / "x.safetensors", metadata=header(replace(read_card(checkpoint), sha256="")))
    load_checkpoint(tmp_path / "x.safetensors")  # earlier versions wrote no digest


@pytest.mark.parametrize(("options", "loads"), [({"merge": "sum", "update": "similarity"}, True), ({"merge": "concatenate"}, False)])
def test_cards_of_earlier_versions(checkpoint: Path, tmp_path: Path, options: dict[str, str], loads: bool) -> None:
    card = json.loads(read_card(checkpoint).to_json())
    card["network"] |= options
    del card["network_sha256"]
    save_file(load_file(checkpoint), tmp_path / "x.safetensors", metadata={"fear": json.dumps(card)})
    if loads:
        assert load_checkpoint(tmp_path / "x.safetensors")[1] == read_card(checkpoint)
    else:
        with pytest.raises(WeightsError, match=r"expected a network with .*'merge': 'sum'.*, got .*'concatenate'"):
            load_checkpoint(tmp_path / "x.safetensors")


@pytest.mark.parametrize("content", [b"\xff\xfe{}", b"{", b"[]", b"null", b'{"format": 1, "network": 5}', b'{"format": 1, "network": [1]}'])
def test_descriptions_that_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(WeightsError, match=r"config\.json: expected ") as caught:
        read_card(tmp_path)
    assert "\n" not in str(caught.value)
