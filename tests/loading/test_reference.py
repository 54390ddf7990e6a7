from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import fear
from fear.errors import DamagedWeightsError, WeightsError
from fear.loading import reference
from fear.loading.reference import find_model, models
from fear.runtime import processor
from fear.weights import packaged

CHECKPOINT = packaged()["fear-nano"].checkpoint or Path()
FOLDER = packaged()["fear-nano"].folder or Path()


def test_every_way_to_name_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def published(folder: Path) -> Path:
        asked.append(folder)
        return CHECKPOINT

    monkeypatch.setattr(reference, "published_checkpoint", published)
    by_name = find_model("fear-nano")
    assert (by_name.checkpoint, by_name.folder) == (CHECKPOINT, FOLDER)
    assert by_name.name == "fear-nano"
    assert find_model(by_name) is by_name
    assert (find_model(CHECKPOINT).checkpoint, find_model(str(CHECKPOINT)).folder) == (CHECKPOINT, None)
    assert (find_model(str(FOLDER)).checkpoint, find_model(FOLDER).folder) == (None, FOLDER)
    assert find_model("published:~/there").checkpoint == CHECKPOINT
    assert asked == [Path.home() / "there"]


def test_a_folder_cannot_be_exported_or_learn() -> None:
    with pytest.raises(WeightsError, match=r"an export needs a \.safetensors checkpoint, got a folder that is exported already"):
        find_model(FOLDER).require_checkpoint("an export")


def test_the_checkpoint_of_another_packaged_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fear-xs", "fear-nano"):
        shutil.copytree(FOLDER.parent / name, tmp_path / name)
    monkeypatch.setattr("fear.weights._PACKAGED", tmp_path)
    shutil.copy(tmp_path / "fear-xs" / "checkpoint.safetensors", tmp_path / "fear-nano")
    with pytest.raises(DamagedWeightsError, match=r"checkpoint\.safetensors: expected the network of .*config\.json with sha256 f3ed"):
        fear.Tracker("fear-nano", runtime="torch")
    assert find_model("fear-xs").require_checkpoint("torch") == tmp_path / "fear-xs" / "checkpoint.safetensors"


def test_a_missing_model_is_told_with_what_is_known() -> None:
    with pytest.raises(WeightsError, match=r"expected a known model \(fear-nano, fear-xs\).* published:DIR"):
        find_model("fear-xxl")


def test_known_models_have_cards() -> None:
    known = models()
    assert list(known) == ["fear-nano", "fear-xs", "fear-m", "fear-l"]
    assert known["fear-xs"].card.scores["auc"] > 0.7
    assert known["fear-xs"].has_weights
    assert not known["fear-l"].has_weights
    assert fear.models() == known
    for model in known.values():
        assert model.card.parameters > 0
        assert not model.has_weights or (len(model.card.sha256) == 64 and len(model.card.files) == 4)


def test_the_processors_name_tells_its_vector_units() -> None:
    text = "processor : 0\nmodel name\t: Some CPU\nflags\t: fpu avx2 avx sse\n\nprocessor : 1\nmodel name : Other\n"
    assert processor._from_linux(text) == "Some CPU avx avx2"


def test_the_library_is_asked_once_where_the_system_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(processor, "_LINUX_DESCRIPTION", tmp_path / "nothing")
    asked: list[int] = []

    def slow() -> str:
        asked.append(1)
        return "Some CPU avx"

    monkeypatch.setattr(processor, "_from_library", slow)
    for _ in range(2):
        processor.processor.cache_clear()
        assert processor.processor() == "Some CPU avx"
    assert len(asked) == 1
    processor.processor.cache_clear()
