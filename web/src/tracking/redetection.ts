// Finding a lost target again: where to look, and when a candidate counts (src/fear/tracking/redetection.py).

import { onPixels, type Box, type Window } from "./geometry";
import { searchWindow, type NetworkConfig, type Rules } from "./rules";

const STEP = 0.6; // distance of neighbouring windows, relative to their size; a target near a border is well inside the next window
const SCALES = [1, 1.5, 1, 1.5, 0.67]; // assumed size of the target relative to its last size, one value for each round over the picture
const MOST = 128; // most windows along one side of the picture, so that a tiny target does not cost seconds
const LARGEST_CHANGE = 2.5; // largest ratio of width or height between the last confident box and a candidate

export class Redetection {
  /** Looked at again in the next frames, until it convinced or did not. */
  candidate: Box | null = null;
  private convinced = 0;
  private readonly places = this.allPlaces();

  /** @param box where the target was last sure; `frame`: its size in pixels */
  constructor(
    private readonly box: Box,
    private readonly frame: { width: number; height: number },
    private readonly rules: Rules,
    private readonly network: NetworkConfig,
  ) {}

  /** What this frame's searches show besides the local one; none while a candidate is looked at. */
  windows(): Window[] {
    if (this.candidate !== null) return [];
    const count = this.rules.redetection_work - 1; // the local search is one of them
    return Array.from({ length: count }, () => this.places.next().value!);
  }

  /** Whether a box has about the size of the target. */
  isPlausible({ width, height }: Box): boolean {
    const fits = (change: number) => change >= 1 / LARGEST_CHANGE && change <= LARGEST_CHANGE;
    return fits(width / this.box.width) && fits(height / this.box.height);
  }

  /** A search found something that may be the target; the next frames look at it. */
  propose(box: Box): void {
    [this.candidate, this.convinced] = [box, 0];
  }

  /** The candidate convinced once more, at this place; returns whether it counts as found. */
  confirm(box: Box): boolean {
    this.candidate = box;
    this.convinced += 1;
    return this.convinced >= this.rules.found_frames;
  }

  /** The candidate did not convince. */
  drop(): void {
    [this.candidate, this.convinced] = [null, 0];
  }

  /** Windows over the whole picture without end, round after round, nearest to the last sure place first. */
  private *allPlaces(): Generator<Window, never> {
    for (let round = 0; ; round++) yield* this.round(SCALES[round % SCALES.length]!);
  }

  private round(scale: number): Window[] {
    const { box, frame } = this;
    const size = { x: 0, y: 0, width: box.width * scale, height: box.height * scale };
    const { width, height, side } = searchWindow(size, this.rules, this.network, true);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const far = ([cx, cy]: readonly [number, number]) => Math.hypot((cx - x) / width, (cy - y) / height);
    return line(width, frame.width, x)
      .flatMap((cx) => line(height, frame.height, y).map((cy) => [cx, cy] as const))
      .sort((a, b) => far(a) - far(b))
      .map(([cx, cy]) => onPixels({ x: cx - width / 2, y: cy - height / 2, width, height, side }));
  }
}

/** Centres of windows that cover a frame along one side, or its part around a place where they would be too many. */
function line(window: number, frame: number, place: number): number[] {
  const room = Math.max(frame - window * STEP, 0);
  const count = 1 + Math.ceil(room / Math.max(window * STEP, frame * 1e-9)); // a window may be as small as a float can be
  if (count === 1) return [frame / 2];
  const nearest = ((place - (window * STEP) / 2) / room) * (count - 1);
  const first = Math.min(Math.max(Math.round(nearest) - MOST / 2, 0), Math.max(count - MOST, 0));
  const last = Math.min(first + MOST, count);
  return Array.from({ length: last - first }, (_, k) => (window * STEP) / 2 + ((first + k) * room) / (count - 1));
}
