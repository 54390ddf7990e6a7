"""Training of the networks that `compare` compares: all from the same weights, with the same samples, losses and number of steps."""

from __future__ import annotations

from pathlib import Path

import lightning
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from fear.media.names import home_path
from fear.network import FearNetwork
from fear.network.folding import fold_batch_norms
from fear.training.data.batch import Batch
from fear.training.data.crops import Pictures
from fear.training.data.cutouts import Cutouts, read_cutouts
from fear.training.data.loader import TrainingData, read_pools
from fear.training.fit import fit
from fear.training.recipe import Recipe
from fear.training.run import make_sampler, set_up_torch
from fear.training.sections import StageSection
from fear.training.stages.anchor import make_anchor
from fear.training.stages.stage import Stage
from fear.training.stages.track import TrackStage, predict
from fear.weights.store import written_whole
from research.stark.network import StarkNetwork, from_fear


class UpdateStage(Stage):
    """Only the update head learns, as in the second stage of STARK's training: whether a search shows the target.

    Args:
        network: Has a head that judges searches.
        stage: Optimiser and lengths.
    """

    def __init__(self, network: StarkNetwork, stage: StageSection) -> None:
        super().__init__(network, stage, [])
        self._stark = network
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith("update_head."))

    def training_step(self, batch: Batch) -> Tensor:
        """Binary cross-entropy of the head's answers to the searches with the target and to those without it."""
        with torch.no_grad():
            seen = predict(self._stark, batch.crops)
        embeddings = torch.cat((seen.search.embedding, seen.negative.embedding))
        assert self._stark.update_head is not None
        logits = self._stark.update_head(torch.cat((seen.template, seen.template)), embeddings)[:, 0]
        shown = torch.cat((batch.present, torch.zeros_like(batch.present))).float()
        loss = functional.binary_cross_entropy_with_logits(logits, shown)
        right = ((logits > 0) == (shown > 0)).float().mean()
        self.report({"loss": loss, "right": right}, len(batch.present))
        return loss


class Laboratory:
    """What all trainings share: the recipe and its data, which are read once.

    Args:
        recipe: One whose only stage is of the kind `track`.
        folder: Gets one folder for each training.
    """

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        set_up_torch(recipe)
        cutouts = None if recipe.compose is None else Cutouts(read_cutouts(home_path(recipe.compose.objects)))
        self._recipe, self._folder = recipe, folder
        self._pictures = Pictures(keep=recipe.machine.pictures == "memory", cutouts=cutouts)
        self._sampler = make_sampler(recipe, read_pools(recipe), self._pictures.size, cutouts)

    def templates(self, start: FearNetwork, name: str, *, concatenate: bool = False, single: bool = False) -> StarkNetwork:
        """Trains a network on with the losses of FEAR, or reads it where that was done before.

        Args:
            start: Has the weights to go on from.
            name: Of the training's folder.
            concatenate: As STARK does, instead of the weighted sum.
            single: Only the static template is seen.
        """
        network, recipe = from_fear(start, concatenate=concatenate), self._recipe
        options = recipe.anchor
        if options is not None and single:
            options = options.model_copy(update={"static": 1.0})
        if not self._is_done(name, network):
            anchor = None if options is None else make_anchor(options, network.config.width)
            stage = recipe.stages[0]
            self._fit(TrackStage(network, stage, [], recipe.losses, recipe.sampling, anchor), stage, name)
        return network.eval()

    def head(self, network: StarkNetwork, name: str, samples: int) -> StarkNetwork:
        """Gives a network a head that judges searches, and trains that, or reads it where that was done before."""
        judged = StarkNetwork(network.config, concatenate=network.concatenate)
        judged = _with_weights_of(network, judged)
        if not self._is_done(name, judged):
            stage = self._recipe.stages[0].model_copy(update={"samples": samples, "epochs": 1, "rate": 1e-3})
            self._fit(UpdateStage(judged, stage), stage, name)
        return judged.eval()

    def _fit(self, module: Stage, stage: StageSection, name: str) -> None:
        lightning.seed_everything(self._recipe.seed, verbose=False)
        data = TrainingData(self._recipe, stage, self._sampler, self._pictures, 0)
        fit(self._recipe, module, data, self._folder / name, lambda line: print(f"{name}: {line}", flush=True))
        with written_whole(self._weights(name)) as unfinished:
            save_file({key: tensor.contiguous() for key, tensor in module.network.state_dict().items()}, unfinished)

    def _is_done(self, name: str, network: StarkNetwork) -> bool:
        """Whether the training is done; its weights are then in the network."""
        if not self._weights(name).is_file():
            return False
        network.load_state_dict(load_file(self._weights(name)))
        return True

    def _weights(self, name: str) -> Path:
        return self._folder / name / "weights.safetensors"


def _with_weights_of(network: StarkNetwork, judged: StarkNetwork) -> StarkNetwork:
    """The weights of a network in a folded copy of one that has a head besides; the head keeps its own."""
    folded = fold_batch_norms(judged)
    folded.load_state_dict(folded.state_dict() | dict(network.state_dict()))
    return folded
