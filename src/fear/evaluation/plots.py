"""Success and precision plots."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fear.evaluation.metrics import PRECISION_AT, PRECISION_THRESHOLDS, SUCCESS_THRESHOLDS, Curves
from fear.weights.store import written_whole


def plot_curves(curves: dict[str, Curves], folder: Path) -> None:
    """Writes `success.png` and `precision.png`, trackers sorted by their figure."""
    success = {name: (c.success, float(c.success.mean())) for name, c in curves.items()}
    precision = {name: (c.precision, float(c.precision[PRECISION_AT])) for name, c in curves.items()}
    for file, table, thresholds, axis, title in (
        ("success.png", success, SUCCESS_THRESHOLDS, "overlap threshold", "success (AUC)"),
        ("precision.png", precision, PRECISION_THRESHOLDS, "centre error, pixels", f"precision (at {PRECISION_AT} pixels)"),
    ):
        figure = Figure(figsize=(6, 4), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot(xlabel=axis, ylabel="share of frames", title=title, ylim=(0, 1))
        for name, (shares, value) in sorted(table.items(), key=lambda item: -item[1][1]):
            axes.plot(thresholds, shares, label=f"{name}  {value:.3f}")
        axes.grid(alpha=0.3)
        # away from the curves, of which one falls and the other rises: looking for the best place takes long
        axes.legend(fontsize="small", loc="lower left" if file == "success.png" else "lower right")
        with written_whole(folder / file) as unfinished:
            figure.savefig(unfinished, dpi=120)
