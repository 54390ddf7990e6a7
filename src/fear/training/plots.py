"""Pictures of a run: a batch as the network sees it, and curves."""

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

from fear.training.data.batch import Batch, SampleCrops
from fear.training.stages.stage import Stage

_ROWS = 8
_TITLE_HEIGHT = 24  # pixels
_FEW = 60  # points of a curve up to which each one is marked

_QUANTITIES = {
    "val_iou": "mean IoU, 0 to 1",
    "w": "weight of the dynamic template",
    "triplet": "L2 distance of unit vectors",
    "regression": "1 − IoU",
    "classification": "focal loss, nats",
    "negative": "cross-entropy, nats",
}
"""What a logged value measures; every other one is a loss or an error without a unit."""


class BatchPicture(Callback):
    """Draws the first batch of each epoch, see `draw_batch`.

    Args:
        path: PNG, overwritten.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Lightning's hook."""
        if batch_idx == 0 and trainer.is_global_zero and isinstance(batch, Batch) and isinstance(pl_module, Stage):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            shown = batch._replace(crops=batch.crops.map(lambda crops: crops[:_ROWS]))
            cv2.imwrite(str(self._path), draw_batch(shown, _confidence(pl_module, shown.crops))[:, :, ::-1])


@torch.no_grad()
def _confidence(module: Stage, crops: SampleCrops[Tensor]) -> Tensor:
    """(B, 1, S, S), of the network as it is."""
    network = module.network
    modes = {part: part.training for part in network.modules()}
    network.eval()
    dynamic = crops.static_template if crops.dynamic_template is None else crops.dynamic_template
    logits = network(crops.static_template, dynamic, crops.search).logits
    for part, mode in modes.items():
        part.training = mode
    return torch.as_tensor(logits.sigmoid())


def draw_batch(batch: Batch, confidence: Tensor) -> NDArray[np.uint8]:
    """One row for each of the first eight samples, below the titles of the columns.

    Args:
        batch: B samples.
        confidence: (B, 1, S, S), 0 to 1.

    Returns:
        RGB, (24 + rows · side, columns · side, 3). Columns: static template, search with the true box, confidence, and where the stage
        needs them, dynamic template and negative crop.
    """
    crops, side = batch.crops, batch.crops.search.shape[-1]
    columns = {
        "static template": [_picture(crop, side) for crop in crops.static_template[:_ROWS]],
        "search, true box": [_search(batch, k) for k in range(min(len(crops.search), _ROWS))],
        "confidence": [_heat(one[0], side) for one in confidence[:_ROWS]],
    }
    for title, others in (("dynamic template", crops.dynamic_template), ("negative", crops.negative)):
        if others is not None:
            columns[title] = [_picture(crop, side) for crop in others[:_ROWS]]
    return np.concatenate([np.concatenate([_title(text, side), *cells]) for text, cells in columns.items()], axis=1)


def _title(text: str, width: int) -> NDArray[np.uint8]:
    """A black strip with white text, (24, width, 3)."""
    strip = np.zeros((_TITLE_HEIGHT, width, 3), np.uint8)
    cv2.putText(strip, text, (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return strip


def _search(batch: Batch, number: int) -> NDArray[np.uint8]:
    crop = batch.crops.search[number]
    search = _picture(crop, crop.shape[-1])
    if bool(batch.present[number]):
        x, y, w, h = (round(float(value)) for value in batch.boxes_xywh[number])
        cv2.rectangle(search, (x, y), (x + w, y + h), (0, 255, 0), 2)
    return search


def _heat(confidence: Tensor, side: int) -> NDArray[np.uint8]:
    """(S, S), 0 to 1 → (side, side, 3), RGB."""
    values = cv2.resize(confidence.float().cpu().numpy(), (side, side), interpolation=cv2.INTER_NEAREST)
    return cv2.applyColorMap((values * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)[:, :, ::-1].astype(np.uint8)


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
    """One panel for each logged value, over steps. Few values are marked one by one, so that a single one is seen too.

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
    figure, axes = plt.subplots(lines, columns, figsize=(3.8 * columns, 2.8 * lines), squeeze=False)
    for axis, (name, points) in zip(axes.flat, values.items(), strict=False):
        steps = sorted(points)
        axis.plot(steps, [points[step] for step in steps], linewidth=1, marker="o" if len(steps) <= _FEW else "", markersize=3)
        axis.set_title(name, fontsize=9)
        axis.set_xlabel("step", fontsize=8)
        axis.set_ylabel(_QUANTITIES.get(name, "loss, no unit"), fontsize=8)
        axis.tick_params(labelsize=7)
    for axis in list(axes.flat)[len(values) :]:
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(picture, dpi=100)
    plt.close(figure)
