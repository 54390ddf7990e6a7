// What the page and its worker say to each other.

import type { Box } from "./geometry";
import type { Card, Rules } from "./rules";
import type { Track } from "./tracker";

/** A target is known by its number on both sides. */
export type Request =
  | { kind: "load"; folder: string; card: Card; rules: Rules }
  | { kind: "init"; target: number; bitmap: ImageBitmap; box: Box }
  | { kind: "place"; target: number; box: Box }
  | { kind: "remove"; target: number }
  | { kind: "update"; targets: readonly number[]; bitmap: ImageBitmap };

/** Bitmaps travel back, so that the page can show the very frame that a box belongs to. */
export interface Answer {
  readonly bitmap?: ImageBitmap;
  readonly tracks?: readonly Track[]; // of an update, in the order of its targets
  readonly milliseconds: number;
  readonly error?: string;
}
