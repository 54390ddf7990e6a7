"""Whether a target is there: decided from score, similarity relative to the usual one of this target, and history.

The similarity is that of FEAR (section 3.2): the cosine of the features found and those of the template. What is usual differs from target
to target, so a similarity is compared with the mean of the frames that were sure. Nothing here is learned.
"""

from __future__ import annotations

from fear.config import TrackerConfig

_MEMORY = 0.05  # share of the newest sure frame in the usual similarity


class Presence:
    """Decides frame by frame whether a target is lost.

    Args:
        rules: Thresholds.
        usual: Similarity of the target in the frame in which it was given.
    """

    def __init__(self, rules: TrackerConfig, usual: float) -> None:
        self._rules = rules
        self._usual = usual
        self.doubtful_frames = 0
        """Number of doubtful frames, one after the other, up to now."""
        self.lost = False
        """The target was doubtful for `TrackerConfig.doubt_frames` frames and has not been found since."""

    def is_doubtful(self, score: float, similarity: float) -> bool:
        """Whether score or similarity are too low for a confident match.

        A target that turns may look quite different and still be found with a very high score; then only a similarity that is far from the
        usual one says something against it.
        """
        least = self._rules.lost_similarity if score < self._rules.steady_score else self._rules.least_similarity
        return score < self._rules.lost_score or self.relative(similarity) < least

    def is_found(self, score: float, similarity: float, elsewhere: bool) -> bool:
        """Whether a search result is similar enough to count as the lost target.

        Args:
            score: Of what was found.
            similarity: Of what was found.
            elsewhere: It is not where the target was last seen, so it has to look like the target; else it may look different where the
                score is very high.
        """
        turned = score >= self._rules.steady_score and not elsewhere
        least = self._rules.least_similarity if turned else self._rules.found_similarity
        return score >= self._rules.found_score and self.relative(similarity) >= least

    def relative(self, similarity: float) -> float:
        """The similarity as a share of the usual one; 1 where the usual one says nothing."""
        return 1.0 if self._usual <= 0 else similarity / self._usual

    def observe(self, score: float, similarity: float, cut: bool = False) -> bool:
        """Counts a frame of a target that is not lost; returns whether it was doubtful.

        Args:
            score: Of what was found.
            similarity: Of what was found.
            cut: The frame shows another scene than the one before. Then a doubtful target is lost at once; in the frames that follow,
                something of the new scene might be taken for it.
        """
        doubtful = self.is_doubtful(score, similarity)
        self.doubtful_frames = self.doubtful_frames + 1 if doubtful else 0
        if not doubtful:
            self._usual += _MEMORY * (similarity - self._usual)
        self.lost = self._rules.redetection and (self.doubtful_frames >= self._rules.doubt_frames or (doubtful and cut))
        return doubtful

    def found(self) -> None:
        """The target is there again."""
        self.lost, self.doubtful_frames = False, 0
