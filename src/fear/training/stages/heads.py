"""The stage `heads`: every part of each head learns with the teacher's maps as its input."""

from __future__ import annotations

import torch
from torch import Tensor

from fear.training.data.batch import Batch
from fear.training.stages.distillation import Distillation
from fear.training.stages.layers import HeadMaps, head_maps, heads_of, relative_error


class HeadsStage(Distillation):
    """Every part of each head learns with the teacher's maps as its input."""

    def training_step(self, batch: Batch) -> Tensor:
        """The sum of the errors of all parts."""
        teacher = self._teacher.on(self.device)
        with torch.no_grad():
            template, search = teacher.encode_template(batch.crops.static_template), teacher.encode_search(batch.crops.search)
            truth = self.known_heads(head_maps(teacher, template, search))
            template, search = self.known_features(template), self.known_features(search)
        errors = {}
        for name, fusion, head in heads_of(self.network):
            known = truth[name]
            encoded, fused = fusion.encode(search), fusion.fuse(template, known.encoded)
            learned = HeadMaps(encoded, fused, head.tower(known.fused), head.scaled(known.towered))
            for field, y, y_truth in zip(HeadMaps._fields, learned, known, strict=True):
                errors[f"{name}_{field}"] = relative_error(y, y_truth)
        loss = torch.stack(list(errors.values())).sum()
        self.report({"loss": loss, **errors}, len(search))
        return loss
