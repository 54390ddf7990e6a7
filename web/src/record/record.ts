// All targets of one video.

import { Target } from "./target";

/** Distinguishable for most eyes, and bright enough on a dark halo (Okabe and Ito's palette, lightened where it was dark). */
export const COLOURS = ["#39d98a", "#56b4e9", "#e69f00", "#f0e442", "#cc79a7", "#ff7f50", "#b39ddb", "#ffffff"] as const;

export class Recording {
  private list: Target[] = [];
  private readonly clock = new Map<number, number>(); // of frames of a camera, which has no table of times

  get targets(): readonly Target[] {
    return this.list;
  }

  get empty(): boolean {
    return this.list.every((target) => target.length === 0);
  }

  /** Makes a target; without a number it takes the next free one. */
  create(name?: string, id = Math.max(-1, ...this.list.map((target) => target.id)) + 1): Target {
    const target = new Target(id, name ?? `target ${id}`, COLOURS[id % COLOURS.length]!);
    this.list.push(target);
    return target;
  }

  remove(target: Target): void {
    this.list = this.list.filter((other) => other !== target);
  }

  setTime(frame: number, seconds: number): void {
    this.clock.set(frame, seconds);
  }

  timeOf(frame: number, times: readonly number[] | null): number {
    return times?.[frame] ?? this.clock.get(frame) ?? 0;
  }
}
