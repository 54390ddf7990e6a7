// Whether a target is there: decided from score, similarity relative to the usual one of this target, and history
// (src/fear/tracking/presence.py).

import type { Rules } from "./rules";

const MEMORY = 0.05; // share of the newest sure frame in the usual similarity

export class Presence {
  /** The target was doubtful for `doubt_frames` frames and has not been found since. */
  lost = false;
  /** Number of doubtful frames, one after the other, up to now. */
  doubtfulFrames = 0;

  /** @param usual similarity of the target in the frame in which it was given */
  constructor(
    private readonly rules: Rules,
    private usual: number,
  ) {}

  /** The similarity as a share of the usual one; 1 where the usual one says nothing. */
  relative(similarity: number): number {
    return this.usual <= 0 ? 1 : similarity / this.usual;
  }

  /** Whether what was found is so much like a lost target that it may be it; `elsewhere`: not where the target was last seen. */
  isFound(score: number, similarity: number, elsewhere: boolean): boolean {
    const turned = score >= this.rules.steady_score && !elsewhere;
    const least = turned ? this.rules.least_similarity : this.rules.found_similarity;
    return score >= this.rules.found_score && this.relative(similarity) >= least;
  }

  /**
   * Counts a frame of a target that is not lost; returns whether it was doubtful. After a cut to another scene, a doubtful target is lost at
   * once: in the frames that follow, something of the new scene might be taken for it.
   */
  observe(score: number, similarity: number, cut = false): boolean {
    const doubtful = this.isDoubtful(score, similarity);
    this.doubtfulFrames = doubtful ? this.doubtfulFrames + 1 : 0;
    if (!doubtful) this.usual += MEMORY * (similarity - this.usual);
    this.lost = this.rules.redetection && (this.doubtfulFrames >= this.rules.doubt_frames || (doubtful && cut));
    return doubtful;
  }

  /** The target is there again. */
  found(): void {
    this.lost = false;
    this.doubtfulFrames = 0;
  }

  /** A target that turns may look quite different and still have a very high score; then only a similarity far from the usual one counts. */
  isDoubtful(score: number, similarity: number): boolean {
    const least = score < this.rules.steady_score ? this.rules.lost_similarity : this.rules.least_similarity;
    return score < this.rules.lost_score || this.relative(similarity) < least;
  }
}
