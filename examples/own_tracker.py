"""A tracker of your own for `fear eval`: it looks for the patch of the first frame everywhere in the frame.

PYTHONPATH=examples fear eval --root DIR --tracker own_tracker:PatchTracker
"""

import cv2
import numpy as np

Box = tuple[float, float, float, float]


class PatchTracker:
    def init(self, frame: np.ndarray, box_xywh: Box) -> None:
        x, y, w, h = (max(round(value), 0) for value in box_xywh)
        self.patch = frame[y : y + h, x : x + w].copy()

    def update(self, frame: np.ndarray) -> Box:
        scores = cv2.matchTemplate(frame, self.patch, cv2.TM_CCOEFF_NORMED)
        x, y = cv2.minMaxLoc(scores)[3]
        return float(x), float(y), float(self.patch.shape[1]), float(self.patch.shape[0])
