"""The GOT-10k toolkit's tracking interface: their `Experiment…` classes run this tracker.

from got10k.experiments import ExperimentGOT10k
from fear.integrations.got10k import FearTracker

ExperimentGOT10k("data/GOT-10k", subset="val").run(FearTracker())
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from got10k.trackers import Tracker as ToolkitTracker
from numpy.typing import NDArray

from fear.config import TrackerConfig
from fear.tracking.tracker import Tracker


class FearTracker(ToolkitTracker):  # type: ignore[misc]  # the toolkit has no type hints
    """FEAR behind the toolkit's `init(image, box)` and `update(image)`.

    Args:
        model: A name such as `fear-xs`, a `.safetensors` checkpoint, an exported folder, or `published:DIR`.
        name: Name of the folder into which the toolkit writes the results.
        runtime: `openvino`, `onnx` or `torch`. `auto` measures at the first use on a machine which one is the fastest.
        threads: Threads of the network; None leaves their number to the runtime.
        config: Rules around the network.
    """

    def __init__(
        self,
        model: str | Path = "fear-xs",
        name: str = "FEAR",
        *,
        runtime: str = "auto",
        threads: int | None = None,
        config: TrackerConfig | None = None,
    ) -> None:
        super().__init__(name=name, is_deterministic=True)
        self._tracker = Tracker(model, runtime=runtime, threads=threads, config=config)

    def init(self, image: Any, box: Any) -> None:
        """Starts with a PIL picture and a box x, y, width, height."""
        self._tracker.init(np.asarray(image.convert("RGB")), np.asarray(box).tolist())

    def update(self, image: Any) -> NDArray[np.float64]:
        """The box in the next PIL picture, (4,)."""
        return np.array(self._tracker.update(np.asarray(image.convert("RGB"))).box_xywh)
