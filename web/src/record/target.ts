// One target's track as a record: where it was in which frame, and in which frames a person said so (key frames).

import type { Box } from "../tracking/geometry";
import type { Track } from "../tracking/tracker";

/** Where the target was in one frame. */
export interface Entry extends Track {
  readonly key: boolean; // a person drew this box
}

export class Target {
  private readonly entries = new Map<number, Entry>(); // by the number of the frame
  private keyFrames: number[] = []; // rising
  private reach = 0; // every frame from the first key frame up to here, exclusive, has an entry

  constructor(
    readonly id: number,
    public name: string,
    readonly colour: string,
  ) {}

  get length(): number {
    return this.entries.size;
  }

  /** Frames in which a person drew the box, in rising order. */
  get keys(): readonly number[] {
    return this.keyFrames;
  }

  /** The frame in which the target was drawn first; null before that. */
  get first(): number | null {
    return this.keyFrames[0] ?? null;
  }

  at(frame: number): Entry | undefined {
    return this.entries.get(frame);
  }

  /** Frames in rising order, each with its entry. */
  rows(): [number, Entry][] {
    return [...this.entries].sort(([a], [b]) => a - b);
  }

  /** The last key frame that is not after `frame`: a track is taken up from there. */
  keyBefore(frame: number): number | null {
    return this.keyFrames.findLast((key) => key <= frame) ?? null;
  }

  /** A person drew the box: it holds from this frame on, up to the next key frame. What was before stays. */
  draw(frame: number, box: Box): void {
    this.put(frame, { box, score: 1, similarity: 1, lost: false, key: true });
    this.dropAfter(frame);
  }

  /** Takes a correction back; the track is to be found again from the frame before on. The first box cannot be taken back. */
  undraw(frame: number): boolean {
    if (this.entries.get(frame)?.key !== true || frame === this.first) return false;
    this.dropAfter(frame);
    this.entries.delete(frame);
    this.keyFrames = this.keyFrames.filter((key) => key !== frame);
    this.reach = Math.min(this.reach, frame);
    return true;
  }

  /** What the tracker found, or a file said; a person's word stays. */
  put(frame: number, entry: Entry): void {
    if (!entry.key && this.entries.get(frame)?.key === true) return;
    this.entries.set(frame, entry);
    if (!entry.key || this.keyFrames.includes(frame)) return;
    this.keyFrames = [...this.keyFrames, frame].sort((a, b) => a - b);
    this.reach = this.keyFrames[0]!;
  }

  /** Forgets what the tracker found and keeps what a person drew. */
  restart(): void {
    for (const [frame, { key }] of [...this.entries]) if (!key) this.entries.delete(frame);
    this.reach = this.first ?? 0;
  }

  /** The first frame after the first box that has no entry yet; null before the first box. */
  frontier(): number | null {
    if (this.first === null) return null;
    while (this.entries.has(this.reach)) this.reach += 1;
    return this.reach;
  }

  private dropAfter(frame: number): void {
    const next = this.keyFrames.find((key) => key > frame) ?? Infinity;
    for (const other of [...this.entries.keys()]) if (other > frame && other < next) this.entries.delete(other);
    this.reach = Math.min(this.reach, frame);
  }
}
