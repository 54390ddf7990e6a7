"""STARK's way of using two templates, as a subclass of the FEAR network (Yan et al., arXiv 2103.17154).

FEAR merges the features of both templates by a weighted sum and lets cosine similarity choose the next dynamic template. STARK
concatenates the templates and learns a head that says whether a frame may become the dynamic template. Both differences are options here,
so that each can be measured alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fear.config import NetworkConfig
from fear.export.onnx import Match
from fear.network.folding import fold_batch_norms
from fear.network.network import FearNetwork, build_encoder, build_heads


class UpdateHead(nn.Module):
    """Confidence that a frame may become the dynamic template: a perceptron of three layers, as in STARK.

    Args:
        width: C, channels of both embeddings.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * width, width), nn.ReLU(inplace=True), nn.Linear(width, width), nn.ReLU(inplace=True), nn.Linear(width, 1)
        )

    def forward(self, template_embedding: Tensor, search_embedding: Tensor) -> Tensor:
        """(B, C) and (B, C) → logits (B, 1)."""
        logits: Tensor = self.layers(torch.cat((template_embedding, search_embedding), dim=1))
        return logits


class StarkNetwork(FearNetwork):
    """A FEAR network whose templates are used as STARK uses them; with random weights, see `from_fear` for trained ones.

    Args:
        config: Sizes and backbone.
        concatenate: The template features of both templates stand one above the other, (B, C, 2T, T), instead of their weighted sum.
        learned_update: An `UpdateHead` judges each search, instead of cosine similarity.
    """

    def __init__(self, config: NetworkConfig, *, concatenate: bool = True, learned_update: bool = True) -> None:
        positions = config.template_cells**2 * (2 if concatenate else 1)
        own = None if config.template_backbone is None else build_encoder(config.template_backbone, config.width)
        super().__init__(config, build_encoder(config.backbone, config.width), build_heads(config, positions), own)
        self.concatenate = concatenate
        self.update_head = UpdateHead(config.width) if learned_update else None

    def merge(self, static: Tensor, dynamic: Tensor) -> Tensor:
        """(B, C, T, T) twice → (B, C, 2T, T) where templates are concatenated, else their weighted sum (B, C, T, T)."""
        return torch.cat((static, dynamic), dim=2) if self.concatenate else super().merge(static, dynamic)

    def judge(self, template_features: Tensor, search_embedding: Tensor) -> Tensor | None:
        """Whether the frame may become the dynamic template.

        Args:
            template_features: From `merge`.
            search_embedding: (B, C), from `match`.

        Returns:
            Logits (B, 1); None where similarity decides.
        """
        return None if self.update_head is None else self.update_head(template_features.mean(dim=(2, 3)), search_embedding)


def from_fear(network: FearNetwork, *, concatenate: bool, learned_update: bool = False) -> StarkNetwork:
    """A network that computes what a trained FEAR network does, for any two templates, and can learn on from there.

    The correlation is linear in the template. So the layer behind it computes the same from both templates as from their weighted sum, if
    its weights for the static template are (1 − w) and those for the dynamic one w times the weights for the sum.

    Args:
        network: Its batch norms are folded, or the copy's are.
        concatenate: Whether templates are concatenated.
        learned_update: Whether there is a head that judges searches; its weights are random.
    """
    stark = StarkNetwork(network.config, concatenate=concatenate, learned_update=learned_update)
    stark = fold_batch_norms(stark)
    state = fold_batch_norms(network).state_dict()
    if concatenate:
        share = network.dynamic_weight.item()
        for fusion in ("score_fusion", "box_fusion"):
            state |= _for_two_templates(state, f"{fusion}.aggregate.", network.config.width, share)
    if stark.update_head is not None:
        state |= {f"update_head.{name}": tensor for name, tensor in stark.update_head.state_dict().items()}
    stark.load_state_dict(state)
    return stark.train()


def _for_two_templates(state: Mapping[str, Tensor], layer: str, width: int, share: float) -> dict[str, Tensor]:
    """Weights of a separable unit, a 3×3 depthwise and a 1×1 convolution, for the correlation with two templates instead of one."""
    depthwise, pointwise = state[f"{layer}0.weight"], state[f"{layer}1.weight"]
    correlation = pointwise[:, width:]
    return {
        f"{layer}0.weight": torch.cat((depthwise, depthwise[width:])),
        f"{layer}1.weight": torch.cat((pointwise[:, :width], (1 - share) * correlation, share * correlation), dim=1),
    }


class StarkMatch(Match):
    """`match` with pictures as input, and the confidence of the update head as a fourth output."""

    def __init__(self, network: StarkNetwork) -> None:
        super().__init__(network)
        self.stark = network

    def forward(self, search: Tensor, template_features: Tensor) -> tuple[Tensor, ...]:
        """(N, H, W, 3) and (N, C, …) → scores, boxes, embedding and, with a learned head, confidences (N, 1)."""
        scores, boxes_ltrb, embedding = super().forward(search, template_features)
        update = self.stark.judge(template_features, embedding)
        return (scores, boxes_ltrb, embedding) if update is None else (scores, boxes_ltrb, embedding, update.sigmoid())
