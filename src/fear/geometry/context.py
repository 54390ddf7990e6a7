"""What the template crop and the search crop of a target show, by the rules of tracking."""

from __future__ import annotations

from fear.config import NetworkConfig, TrackerConfig
from fear.geometry.boxes import Box
from fear.geometry.window import Window, window_around


def template_window(box_xywh: Box, rules: TrackerConfig) -> Window:
    """What the template crop shows."""
    return window_around(box_xywh, rules.template_context)


def search_side(rules: TrackerConfig, network: NetworkConfig, steady: bool = False) -> int:
    """Side of the search crop in pixels; that of steady targets may be smaller."""
    side = min(rules.search_size, network.search_size)
    if not steady or rules.steady_search_size is None:
        return side
    return min(side, max(rules.steady_search_size, network.least_search_size))


def search_window(box_xywh: Box, rules: TrackerConfig, network: NetworkConfig, steady: bool = False) -> Window:
    """What the search crop shows: the middle of the whole context, at the scale that the network is used to."""
    x, y, width, height = window_around(box_xywh, rules.search_context)
    share = search_side(rules, network, steady) / network.search_size
    return Window(x + width * (1 - share) / 2, y + height * (1 - share) / 2, width * share, height * share)
