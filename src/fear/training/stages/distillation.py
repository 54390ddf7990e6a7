"""What the three stages of distillation share: a teacher, and what of its answers the student can give.

Distillation needs no labels. Three stages follow each other. `blocks`: every piece of the backbone learns from the teacher's activations
as its input. `heads`: every part of each head does the same. `whole`: the student learns end to end. A piece is one block where student
and teacher have the same structure, and about one stage where the student is smaller.

Pieces that learn apart learn fast, because errors of other pieces do not reach them: within minutes the error of a piece falls to a level
that end-to-end training did not reach in hours (research/journal.md). The errors that remain add up along the chain; the last stage
reduces them.
"""

from __future__ import annotations

from torch import Tensor

from fear.datasets.clip import Clip
from fear.errors import ConfigError
from fear.network import FearNetwork
from fear.training.sections import DistillSection, StageSection
from fear.training.slim import kept_channels
from fear.training.stages.layers import HeadMaps, matched_layers, matched_template_layers
from fear.training.stages.stage import Stage
from fear.training.stages.teacher import Teacher


class Distillation(Stage):
    """A stage with a teacher.

    Args:
        network: The student.
        stage: Optimiser and lengths.
        validation: Clips that are tracked after every epoch.
        options: What is taught.
        teacher: Answers.

    Raises:
        ConfigError: the teacher is narrower than the student, or its crops have other sides.
    """

    def __init__(
        self, network: FearNetwork, stage: StageSection, validation: list[Clip], options: DistillSection, teacher: Teacher
    ) -> None:
        super().__init__(network, stage, validation)
        self._options, self._teacher = options, teacher
        self._matched = matched_layers(network, teacher.network)
        self._matched_template = matched_template_layers(network, teacher.network)
        ours, theirs = network.config, teacher.network.config
        if (ours.template_size, ours.search_size) != (theirs.template_size, theirs.search_size) or ours.width > theirs.width:
            raise ConfigError(f"teacher: expected one with the student's crop sizes and at least its width, got {theirs} for {ours}")
        self._kept = kept_channels(teacher.network, ours.width) if ours.width < theirs.width else None

    def known_features(self, features: Tensor) -> Tensor:
        """The teacher's features (B, C, …) in those channels that the student has."""
        return features if self._kept is None else features[:, self._kept.features]

    def known_heads(self, heads: dict[str, HeadMaps]) -> dict[str, HeadMaps]:
        """The maps inside of the teacher's heads in those channels that the student has."""
        kept = self._kept
        if kept is None:
            return heads
        return {
            name: HeadMaps(
                maps.encoded[:, kept.features], maps.fused[:, kept.fused[name]], maps.towered[:, kept.towered[name]], maps.output
            )
            for name, maps in heads.items()
        }
