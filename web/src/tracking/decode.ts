// From score and box maps to one box and its score (src/fear/tracking/decode.py).

import type { Box } from "./geometry";
import type { Rules } from "./rules";

const STRIDE = 16; // pixels of a crop for one cell of its map

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The best cell of a search crop. */
export interface Peak {
  readonly box: Box; // in pixels of the crop
  readonly score: number; // the network's confidence there, untouched by window and penalty
}

/** Chooses the best cell and reads its box; the arguments are those of `peaks`. */
export function decode(scores: Float32Array, boxes: Float32Array, before: Size, rules: Rules): Peak {
  return peaks(scores, boxes, before, rules).next().value!;
}

/**
 * Chooses cells one after the other, the best first; cells whose box has its centre in that of a chosen one are left out.
 *
 * @param scores (S, S) confidence, 0 to 1
 * @param boxes (4, S, S) distances left, top, right, bottom from each cell's place, in crop pixels
 * @param before width and height of the last box in pixels of this crop
 */
export function* peaks(scores: Float32Array, boxes: Float32Array, before: Size, rules: Rules): Generator<Peak, void> {
  const cells = Math.sqrt(scores.length);
  const line = Float32Array.from({ length: cells }, (_, k) => 0.5 - 0.5 * Math.cos((2 * Math.PI * k) / (cells - 1)));
  const side = (which: number, cell: number) => boxes[which * scores.length + cell]!;
  const kept = (cell: number) =>
    rules.penalty === 0 ? 1 : keepsShape(side(0, cell) + side(2, cell), side(1, cell) + side(3, cell), before, rules.penalty);
  const centre = (cell: number) => ({
    x: (cell % cells) * STRIDE + (side(2, cell) - side(0, cell)) / 2,
    y: Math.floor(cell / cells) * STRIDE + (side(3, cell) - side(1, cell)) / 2,
  });
  const ranks = Float64Array.from(scores, (score, cell) => {
    const place = line[Math.floor(cell / cells)]! * line[cell % cells]!;
    return score * kept(cell) * (1 - rules.window) + place * rules.window;
  });
  for (;;) {
    const best = ranks.reduce((highest, rank, cell) => (rank > ranks[highest]! ? cell : highest), 0);
    if (ranks[best] === -Infinity) return;
    const [left, top, right, bottom] = [side(0, best), side(1, best), side(2, best), side(3, best)];
    const { x, y } = centre(best);
    const score = scores[best]!;
    const rate = rules.size_rate === null ? 1 : rules.size_rate * score * kept(best);
    const width = before.width + rate * (left + right - before.width);
    const height = before.height + rate * (top + bottom - before.height);
    yield { box: { x: x - width / 2, y: y - height / 2, width, height }, score };
    const [column, row] = [(best % cells) * STRIDE, Math.floor(best / cells) * STRIDE];
    for (let cell = 0; cell < ranks.length; cell++) {
      const other = centre(cell);
      const inside = other.x > column - left && other.x < column + right && other.y > row - top && other.y < row + bottom;
      if (inside || cell === best) ranks[cell] = -Infinity;
    }
  }
}

/** 1 where scale and ratio are those of the last box, towards 0 the more they changed. */
function keepsShape(width: number, height: number, before: Size, strength: number): number {
  const change = (ratio: number) => Math.max(ratio, 1 / ratio);
  const padded = (w: number, h: number) => Math.sqrt((w + (w + h) / 2) * (h + (w + h) / 2));
  const scale = change(padded(width, height) / padded(before.width, before.height));
  const ratio = change(width / height / (before.width / before.height));
  return Math.exp(-strength * (scale * ratio - 1));
}
