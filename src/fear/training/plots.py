"""Pictures of a run, for the eyes: a batch as the network sees it, and curves."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cv2
import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from numpy.typing import NDArray
from torch import Tensor

from fear.training.data.batch import Batch
from fear.training.stages.stage import Stage

_ROWS = 8


class BatchPicture(Callback):
    """Draws the first batch of each epoch: template, search with box, confidence.

    Args:
        path: PNG, overwritten.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Lightning's hook."""
        if batch_idx == 0 and trainer.is_global_zero and isinstance(batch, Batch) and isinstance(pl_module, Stage):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(self._path), draw_batch(batch, _confidence(pl_module, batch))[:, :, ::-1])


@torch.no_grad()
def _confidence(module: Stage, batch: Batch) -> Tensor:
    """(B, 1, S, S), of the network as it is."""
    network = module.network
    modes = {part: part.training for part in network.modules()}
    network.eval()
    static, search = batch.static[:_ROWS], batch.search[:_ROWS]
    dynamic = static if batch.dynamic is None else batch.dynamic[:_ROWS]
    logits = network(static, dynamic, search).logits
    for part, mode in modes.items():
        part.training = mode
    return torch.as_tensor(logits.sigmoid())


def draw_batch(batch: Batch, confidence: Tensor) -> NDArray[np.uint8]:
    """One row a sample, at most eight.

    Args:
        batch: B samples.
        confidence: (B, 1, S, S), 0 to 1.

    Returns:
        RGB, (rows · 256, 768 or 1280, 3): static template, search, confidence; where there are, dynamic template and negative crop.
    """
    rows = []
    for k in range(min(len(batch.search), _ROWS)):
        side = batch.search.shape[-1]
        search = _picture(batch.search[k], side)
        if bool(batch.present[k]):
            x, y, w, h = (round(float(value)) for value in batch.boxes_xywh[k])
            cv2.rectangle(search, (x, y), (x + w, y + h), (0, 255, 0), 2)
        heat = cv2.resize(confidence[k, 0].float().cpu().numpy(), (side, side), interpolation=cv2.INTER_NEAREST)
        shown = cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)[:, :, ::-1]
        others = [_picture(crops[k], side) for crops in (batch.dynamic, batch.negative) if crops is not None]
        rows.append(np.concatenate([_picture(batch.static[k], side), search, shown, *others], axis=1))
    return np.concatenate(rows)


def _picture(crop: Tensor, side: int) -> NDArray[np.uint8]:
    image = crop.detach().permute(1, 2, 0).round().to(torch.uint8).cpu().numpy()  # (3, H, W) → (H, W, 3)
    return np.ascontiguousarray(cv2.resize(image, (side, side)))


class Curves(Callback):
    """Draws the logged values over steps after every epoch.

    Args:
        folder: Where `metrics.csv` lies and `curves.png` goes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Lightning's hook."""
        if trainer.is_global_zero:
            draw_curves(self._folder, self._folder / "curves.png")


def read_metrics(folder: Path) -> dict[str, dict[int, float]]:
    """The logged values of a stage by name and step, also those from before it was resumed."""
    values: dict[str, dict[int, float]] = {}
    for table in (*sorted(folder.glob("metrics-*.csv")), folder / "metrics.csv"):
        if table.is_file():
            with table.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    for name, value in row.items():
                        if value and name not in ("step", "epoch"):
                            values.setdefault(name, {})[int(row["step"])] = float(value)
    return values


def draw_curves(folder: Path, picture: Path) -> None:
    """One panel for each logged value, over steps.

    Args:
        folder: Of the stage.
        picture: PNG to write.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    values = read_metrics(folder)
    if not values:
        return
    columns = min(4, len(values))
    lines = -(-len(values) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(3.5 * columns, 2.4 * lines), squeeze=False)
    for axis, (name, points) in zip(axes.flat, values.items(), strict=False):
        axis.plot(list(points), list(points.values()), linewidth=1)
        axis.set_title(name, fontsize=9)
        axis.tick_params(labelsize=7)
    for axis in list(axes.flat)[len(values) :]:
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(picture, dpi=100)
    plt.close(figure)
