"""Recipe keys of earlier versions, and what became of them."""

from __future__ import annotations

from typing import Any

RENAMED = {
    "distill.turn": "distill.rotate",
    "distill.sides": "distill.sub_crop_sides",
    "distill.redraw": "distill.reinitialise",
    "sampling.sides": "sampling.search_sides",
}
"""The new name of a key."""

REMOVED = {
    "stages.fixed_parts": "all layers of a backbone learn, at `backbone_rate`, or none (`frozen_backbone`)",
    "stages.fixed_layers": "all layers of a backbone learn, at `backbone_rate`, or none (`frozen_backbone`)",
    "network.merge": "templates are merged by a weighted sum; research/stark concatenates them",
    "network.update": "similarity decides about updates; research/stark learns it",
    "network.template_size": "it is the preset's",
    "network.imagenet_sha256": "network.imagenet is a file",
    "data.names": "the folder holds the clips to train on",
    "validation.names": "the folder holds the clips to track",
    "sampling.distance_epoch": "the distance grows from the 16th epoch on, as in the published code",
    "sampling.distance_growth": "the distance grows by 2 frames in each epoch, as in the published code",
    "sampling.distance_limit": "the distance ends at 150 frames, as in the published code",
    "sampling.template_shift": "it is 8 pixels, as in the published code",
    "sampling.template_scale": "it is 0.05, as in the published code",
    "sampling.search_shift": "it is 48 pixels, as in the published code",
    "sampling.search_scale": "it is 0.65 to 1.35, as in the published code",
    "sampling.flip": "half of the samples are mirrored",
    "sampling.unlabelled_distance": "it is 12 frames",
    "photometric.brightness": "it is 0.3",
    "photometric.contrast": "it is 0.3",
    "photometric.saturation": "it is 0.4",
    "photometric.warmth": "it is 0.3",
    "photometric.noise_spread": "it is 0.04",
    "losses.triplet": "it is 0.5, as in the paper",
    "losses.regression": "it is 1, as in the paper",
    "losses.classification": "it is 1, as in the paper",
    "losses.margin": "it is 1",
    "losses.gamma": "it is 2, as in the paper of the focal loss",
    "losses.region": "positive cells form a diamond, as in the published code",
    "losses.update": "it belonged to network.update",
    "compose.same_kind": "it is 0.7",
    "compose.small_sides": "they are 6 to 20 pixels",
    "anchor.overlap": "it is 0.7",
    "distill.features": "it is 1.5",
    "distill.head_parts": "it is 0.2",
    "distill.logits": "it is 0.5",
    "distill.scores": "it is 2",
    "distill.distances": "it is 0.3",
    "distill.boxes": "it is 3",
    "distill.redraw_until": "it is 0.6 of the stage",
    "machine.canvas": "it is 512 pixels",
    "machine.save_minutes": "it is 4 minutes",
    "stages.weight_decay": "it is 1e-5",
}
"""Why a key is gone: the value that always holds, or where the option lives now."""


def find_old_keys(values: dict[str, Any]) -> list[str]:
    """One sentence for each key of an earlier version in the values of a recipe."""
    sentences = []
    for section, part in values.items():
        for place, entry in _entries(section, part):
            for name in entry:
                old = f"{section}.{name}"
                if old in RENAMED:
                    sentences.append(f"{place}.{name}: this key is called {RENAMED[old]} now")
                elif old in REMOVED:
                    sentences.append(f"{place}.{name}: this key was removed, because {REMOVED[old]}; leave it out")
    return sentences


def _entries(section: str, part: Any) -> list[tuple[str, dict[str, Any]]]:
    """The tables of a section, each with its place: `losses`, `data.0`."""
    if isinstance(part, dict):
        return [(section, part)]
    if isinstance(part, list):
        return [(f"{section}.{number}", entry) for number, entry in enumerate(part) if isinstance(entry, dict)]
    return []
