// From score and box maps to one box and its score (src/fear/tracking/decode.py).

import type { Box } from "./geometry";
import type { Rules } from "./rules";

const STRIDE = 16; // pixels of a crop for one cell of its map

/** The best cell of a search crop. */
export interface Peak {
  readonly box: Box; // in pixels of the crop
  readonly score: number; // the network's confidence there, untouched by window and penalty
}

/**
 * Chooses the best cell and reads its box.
 *
 * @param scores (S, S) confidence, 0 to 1
 * @param boxes (4, S, S) distances left, top, right, bottom from each cell's place, in crop pixels
 * @param before width and height of the last box in pixels of this crop
 */
export function decode(scores: Float32Array, boxes: Float32Array, before: { width: number; height: number }, rules: Rules): Peak {
  const cells = Math.sqrt(scores.length);
  const line = Float32Array.from({ length: cells }, (_, k) => 0.5 - 0.5 * Math.cos((2 * Math.PI * k) / (cells - 1)));
  const side = (which: number, cell: number) => boxes[which * scores.length + cell]!;
  const kept = (cell: number) =>
    rules.penalty === 0 ? 1 : keepsShape(side(0, cell) + side(2, cell), side(1, cell) + side(3, cell), before, rules.penalty);

  let best = 0;
  let bestRank = -Infinity;
  for (let cell = 0; cell < scores.length; cell++) {
    const place = line[Math.floor(cell / cells)]! * line[cell % cells]!;
    const rank = scores[cell]! * kept(cell) * (1 - rules.window) + place * rules.window;
    if (rank > bestRank) [best, bestRank] = [cell, rank];
  }

  const [left, top, right, bottom] = [side(0, best), side(1, best), side(2, best), side(3, best)];
  const score = scores[best]!;
  const centreX = (best % cells) * STRIDE + (right - left) / 2;
  const centreY = Math.floor(best / cells) * STRIDE + (bottom - top) / 2;
  const rate = rules.size_rate === null ? 1 : rules.size_rate * score * kept(best);
  const width = before.width + rate * (left + right - before.width);
  const height = before.height + rate * (top + bottom - before.height);
  return { box: { x: centreX - width / 2, y: centreY - height / 2, width, height }, score };
}

/** 1 where scale and ratio are those of the last box, towards 0 the more they changed. */
function keepsShape(width: number, height: number, before: { width: number; height: number }, strength: number): number {
  const change = (ratio: number) => Math.max(ratio, 1 / ratio);
  const padded = (w: number, h: number) => Math.sqrt((w + (w + h) / 2) * (h + (w + h) / 2));
  const scale = change(padded(width, height) / padded(before.width, before.height));
  const ratio = change(width / height / (before.width / before.height));
  return Math.exp(-strength * (scale * ratio - 1));
}
