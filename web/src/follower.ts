// The trackers in the worker, one for each target, and how far each of them has seen the video.

import type { Recording } from "./record/record";
import type { Target } from "./record/target";
import type { Box } from "./tracking/geometry";
import { Remote } from "./tracking/remote";
import type { Card, Rules } from "./tracking/rules";

export class Follower {
  private readonly remote = new Remote();
  private readonly seen = new Map<number, number>(); // the last frame that a target's tracker knows, by the target's number

  /** Loads a network; all trackers begin anew. */
  async load(folder: string, card: Card, rules: Rules): Promise<void> {
    this.seen.clear();
    await this.remote.ask({ kind: "load", folder, card, rules });
  }

  /** The targets of other videos are forgotten. */
  async reset(): Promise<void> {
    const known = [...this.seen.keys()];
    this.seen.clear();
    await Promise.all(known.map((target) => this.remote.ask({ kind: "remove", target })));
  }

  async remove(target: Target): Promise<void> {
    this.seen.delete(target.id);
    await this.remote.ask({ kind: "remove", target: target.id });
  }

  /** The last frame that this target's tracker knows; undefined where it has none. */
  seenUpTo(target: Target): number | undefined {
    return this.seen.get(target.id);
  }

  /** Starts a target with its box in a frame; the bitmap is used up. */
  async start(target: Target, frame: number, bitmap: ImageBitmap, box: Box): Promise<void> {
    const answer = await this.remote.ask({ kind: "init", target: target.id, bitmap, box });
    answer.bitmap?.close();
    this.seen.set(target.id, frame);
  }

  /** Takes a track up again in a frame whose box is known: the template stays that of `start`. */
  async place(target: Target, frame: number, box: Box): Promise<void> {
    await this.remote.ask({ kind: "place", target: target.id, box });
    this.seen.set(target.id, frame);
  }

  /**
   * Finds targets in the frame after the one that their trackers know, and enters what was found unless `holds` says that nobody waits
   * for it any more. Gives the bitmap back.
   */
  async update(
    record: Recording,
    targets: readonly Target[],
    frame: number,
    bitmap: ImageBitmap,
    holds: () => boolean,
  ): Promise<{ bitmap: ImageBitmap; milliseconds: number }> {
    const answer = await this.remote.ask({ kind: "update", targets: targets.map(({ id }) => id), bitmap });
    targets.forEach((target, place) => {
      if (holds() && record.targets.includes(target)) {
        this.seen.set(target.id, frame);
        target.put(frame, { ...answer.tracks![place]!, key: false });
      } else {
        this.seen.delete(target.id); // its tracker is a frame ahead of the record
      }
    });
    return { bitmap: answer.bitmap!, milliseconds: answer.milliseconds };
  }
}
