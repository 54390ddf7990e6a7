// Whether a target is there: decided from score, similarity relative to the usual one of this target, and history
// (src/fear/tracking/presence.py).

import type { Rules } from "./rules";

const MEMORY = 0.05; // share of the newest sure frame in the usual similarity

export class Presence {
  /** The target was doubtful for `doubt_frames` frames and has not been found since. */
  lost = false;
  /** Number of doubtful frames, one after the other, up to now. */
  doubtfulFrames = 0;
  private usual: number | null = null;

  constructor(private readonly rules: Rules) {}

  /** The similarity as a share of the usual one; 1 while nothing is usual yet. */
  relative(similarity: number): number {
    return this.usual === null || this.usual <= 0 ? 1 : similarity / this.usual;
  }

  /** Whether what was found is so much like a lost target that it may be it; `elsewhere`: not where the target was last seen. */
  isFound(score: number, similarity: number, elsewhere: boolean): boolean {
    const similar = score >= this.rules.found_score && this.relative(similarity) >= this.rules.found_similarity;
    return similar || (score >= this.rules.steady_score && !elsewhere);
  }

  /** Counts a frame of a target that is not lost; returns whether it was doubtful. */
  observe(score: number, similarity: number): boolean {
    const doubtful = this.isDoubtful(score, similarity);
    this.doubtfulFrames = doubtful ? this.doubtfulFrames + 1 : 0;
    if (!doubtful) this.usual = this.usual === null ? similarity : this.usual + MEMORY * (similarity - this.usual);
    this.lost = this.rules.redetection && this.doubtfulFrames >= this.rules.doubt_frames;
    return doubtful;
  }

  /** The target is there again. */
  found(): void {
    this.lost = false;
    this.doubtfulFrames = 0;
  }

  /** A target that turns may look quite different and still have a very high score; then the similarity says nothing against it. */
  private isDoubtful(score: number, similarity: number): boolean {
    const unlike = this.relative(similarity) < this.rules.lost_similarity && score < this.rules.steady_score;
    return score < this.rules.lost_score || unlike;
  }
}
