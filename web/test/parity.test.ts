// The browser's tracker against the package's, frame by frame. The Python tests write the frames and the truth, then run this.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import * as ort from "onnxruntime-web/wasm";
import { expect, it } from "vitest";

import type { Frame } from "../src/tracking/crop";
import { iou, type Box } from "../src/tracking/geometry";
import { Network } from "../src/tracking/network";
import type { Card, Rules } from "../src/tracking/rules";
import { Tracker, type Track } from "../src/tracking/tracker";
import { frameThatReads } from "./frames";

const FOLDER = process.env["FEAR_PARITY"];
// OpenCV counts in 1/32 of a pixel when it resamples, we do not; what differs by that is fed back from frame to frame
const LEAST_OVERLAP = 0.9;
const MEAN_OVERLAP = 0.97;

interface Truth {
  readonly width: number;
  readonly height: number;
  readonly model: string;
  readonly card: Card;
  readonly rules: Rules;
  readonly tracks: readonly { box: readonly [number, number, number, number]; score: number; similarity: number; lost: boolean }[];
}

function box([x, y, width, height]: readonly [number, number, number, number]): Box {
  return { x, y, width, height };
}

/** Frame `index` of a file of RGBA pictures. */
function frameOf(pixels: Uint8Array, index: number, width: number, height: number): Frame {
  const start = index * width * height * 4;
  return frameThatReads(width, height, (x, y, w, h) => {
    const data = new Uint8Array(w * h * 4);
    for (let row = 0; row < h; row++) {
      const from = start + ((y + row) * width + x) * 4;
      data.set(pixels.subarray(from, from + w * 4), row * w * 4);
    }
    return { data, width: w, height: h };
  });
}

it.skipIf(FOLDER === undefined)("follows as the package does", { timeout: 120_000 }, async () => {
  const truth = JSON.parse(readFileSync(join(FOLDER!, "truth.json"), "utf8")) as Truth;
  const pixels = new Uint8Array(readFileSync(join(FOLDER!, "frames.rgba")));
  ort.env.wasm.numThreads = 1;
  const network = await Network.load(ort, async (file) => new Uint8Array(await readFile(join(truth.model, file))));
  const tracker = new Tracker(network, truth.card, truth.rules);
  await tracker.init(0, frameOf(pixels, 0, truth.width, truth.height), box(truth.tracks[0]!.box));
  const overlaps: number[] = [];
  for (const [index, known] of truth.tracks.entries()) {
    if (index === 0) continue;
    const [track] = (await tracker.update([0], frameOf(pixels, index, truth.width, truth.height))) as [Track];
    overlaps.push(iou(track.box, box(known.box)));
    expect(overlaps.at(-1), `frame ${index}`).toBeGreaterThan(LEAST_OVERLAP);
    expect(track.score, `score of frame ${index}`).toBeCloseTo(known.score, 1);
    expect(track.similarity, `similarity of frame ${index}`).toBeCloseTo(known.similarity, 1);
    expect(track.lost).toBe(known.lost);
  }
  expect(overlaps.reduce((sum, overlap) => sum + overlap, 0) / overlaps.length).toBeGreaterThan(MEAN_OVERLAP);
});
