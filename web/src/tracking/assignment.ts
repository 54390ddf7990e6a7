// Assigns search results to targets, so that no two targets get the same object (src/fear/tracking/assignment.py).

import { iou, type Box } from "./geometry";

const SAME = 0.5; // boxes that overlap by more are taken for the same object

/** A peak that a target may take. */
export interface Option {
  readonly box: Box;
  readonly affinity: number; // how well it suits the target, from 0 up; 0 for a peak that the target should not take
}

/** How well a peak suits a target that would be at `expected` if it moved on as before. */
export function affinity(box: Box, expected: Box, score: number, relativeSimilarity: number): number {
  const across = (box.x + box.width / 2 - expected.x - expected.width / 2) / expected.width;
  const down = (box.y + box.height / 2 - expected.y - expected.height / 2) / expected.height;
  return score * Math.max(relativeSimilarity, 0) * Math.exp(-(across ** 2 + down ** 2));
}

/** Gives each target one of its peaks, by its number, so that no two targets get the same object; null where nothing is left. */
export function assign(options: readonly (readonly Option[])[]): (number | null)[] {
  const chosen: (number | null)[] = options.map(() => null);
  const taken: Box[] = [];
  const pairs = options.flatMap((peaks, target) => peaks.map((option, place) => ({ ...option, place, target })));
  pairs.sort((a, b) => b.affinity - a.affinity || a.place - b.place || a.target - b.target);
  for (const { affinity: value, place, target, box } of pairs) {
    if (chosen[target] !== null || value <= 0 || belongsTo(box, taken)) continue;
    chosen[target] = place;
    taken.push(box);
  }
  return chosen;
}

/** Whether a box is the same object as one of the others. */
export function belongsTo(box: Box, others: readonly Box[]): boolean {
  return others.some((other) => iou(box, other) > SAME);
}

/** Whether two of these boxes are the same object. */
export function inConflict(boxes: readonly Box[]): boolean {
  return boxes.some((box, number) => belongsTo(box, boxes.slice(0, number)));
}
