"""What the template crop and the search crop of a target show, by the rules of tracking."""

from __future__ import annotations

from fear.config import NetworkConfig, TrackerConfig
from fear.geometry.boxes import Box
from fear.geometry.window import Window, window_around


def template_window(box_xywh: Box, rules: TrackerConfig, network: NetworkConfig) -> Window:
    """The window of the template crop around a box."""
    return window_around(box_xywh, rules.template_context, network.template_size)


def search_side(rules: TrackerConfig, network: NetworkConfig, steady: bool = False) -> int:
    """Side of the search crop in pixels. The crop of a steady target may be smaller."""
    side = min(rules.search_size, network.search_size)
    if not steady or rules.steady_search_size is None:
        return side
    return min(side, max(rules.steady_search_size, network.least_search_size))


def search_sides(rules: TrackerConfig, network: NetworkConfig) -> tuple[int, ...]:
    """Every side that search crops have under these rules, smallest first."""
    return tuple(sorted({search_side(rules, network, steady) for steady in (False, True)}))


def search_window(box_xywh: Box, rules: TrackerConfig, network: NetworkConfig, steady: bool = False) -> Window:
    """The window of the search crop around a box.

    The scale is the one that the network knows: a crop of `NetworkConfig.search_size` pixels shows the whole context, a smaller crop the
    middle of it.
    """
    side = search_side(rules, network, steady)
    x, y, width, height, _ = window_around(box_xywh, rules.search_context, side)
    share = side / network.search_size
    return Window(x + width * (1 - share) / 2, y + height * (1 - share) / 2, width * share, height * share, side)
