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
    """

    def __init__(self, rules: TrackerConfig) -> None:
        self._rules = rules
        self._usual: float | None = None
        self.doubtful_frames = 0
        """Number of doubtful frames, one after the other, up to now."""
        self.lost = False
        """The target was doubtful for `TrackerConfig.doubt_frames` frames and has not been found since."""

    def is_doubtful(self, score: float, similarity: float) -> bool:
        """Whether what was found is hardly the target.

        A target that turns may look quite different and still be found with a very high score; then the similarity says nothing against it.
        """
        unlike = self.relative(similarity) < self._rules.lost_similarity and score < self._rules.steady_score
        return score < self._rules.lost_score or unlike

    def is_found(self, score: float, similarity: float, elsewhere: bool) -> bool:
        """Whether what was found is so much like a lost target that it may be it.

        Args:
            score: Of what was found.
            similarity: Of what was found.
            elsewhere: It is not where the target was last seen, so it has to look like the target; else a very high score is enough.
        """
        similar = score >= self._rules.found_score and self.relative(similarity) >= self._rules.found_similarity
        return similar or (score >= self._rules.steady_score and not elsewhere)

    def relative(self, similarity: float) -> float:
        """The similarity as a share of the usual one; 1 while nothing is usual yet."""
        return 1.0 if self._usual is None or self._usual <= 0 else similarity / self._usual

    def observe(self, score: float, similarity: float) -> bool:
        """Counts a frame of a target that is not lost; returns whether it was doubtful."""
        doubtful = self.is_doubtful(score, similarity)
        self.doubtful_frames = self.doubtful_frames + 1 if doubtful else 0
        if not doubtful:
            self._usual = similarity if self._usual is None else self._usual + _MEMORY * (similarity - self._usual)
        self.lost = self._rules.redetection and self.doubtful_frames >= self._rules.doubt_frames
        return doubtful

    def found(self) -> None:
        """The target is there again."""
        self.lost, self.doubtful_frames = False, 0
