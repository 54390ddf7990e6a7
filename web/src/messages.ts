// What the page and its worker say to each other.

import type { Box } from "./geometry";
import type { Card, Rules } from "./rules";
import type { Track } from "./tracker";

export type Request =
  | { kind: "load"; folder: string; card: Card; rules: Rules }
  | { kind: "init"; bitmap: ImageBitmap; box: Box }
  | { kind: "update"; bitmap: ImageBitmap };

/** Bitmaps travel back, so that the page can show the very frame that a box belongs to. */
export interface Answer {
  readonly bitmap?: ImageBitmap;
  readonly track?: Track; // of an update
  readonly milliseconds: number;
  readonly error?: string;
}
