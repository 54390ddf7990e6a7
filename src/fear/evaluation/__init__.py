"""From a data set and trackers to results, scores and a report."""

from fear.evaluation.evaluation import Evaluation, Options, evaluate
from fear.evaluation.trackers import Spec

__all__ = ["Evaluation", "Options", "Spec", "evaluate"]
