// From frame and window to a square crop, bilinear; what lies outside the frame gets a fill colour (src/fear/media/crop.py).

import type { Window } from "./geometry";

/** Pixels as a canvas gives them. */
export interface Pixels {
  readonly data: Uint8ClampedArray | Uint8Array; // RGBA, row by row
  readonly width: number;
  readonly height: number;
}

/** A frame of which parts can be read: a bitmap behind a canvas, or an array in tests. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Pixels of a rectangle that lies within the frame. */
  read(x: number, y: number, width: number, height: number): Pixels;
  /** The whole frame, stretched to a small square. */
  overview(side: number): Pixels;
}

export type Colour = readonly [number, number, number];

/** Resamples a window of the frame into `out`, RGB, (side, side, 3). */
export function crop(frame: Frame, window: Window, fill: Colour, out: Uint8Array): void {
  const size = window.side;
  const part = partAround(frame, window);
  const across = sampling(window.x - part.x, window.width / size, size, part.pixels.width);
  const down = sampling(window.y - part.y, window.height / size, size, part.pixels.height);
  const edge = !liesWithin(frame, window);
  const { data, width, height } = part.pixels;
  const at = (x: number, y: number, channel: number): number =>
    edge && (x < 0 || y < 0 || x >= width || y >= height)
      ? fill[channel]!
      : data[(clamp(y, height) * width + clamp(x, width)) * 4 + channel]!;
  let place = 0;
  for (let row = 0; row < size; row++) {
    const y = down.first[row]!;
    const low = down.share[row]!;
    for (let column = 0; column < size; column++) {
      const x = across.first[column]!;
      const right = across.share[column]!;
      for (let channel = 0; channel < 3; channel++) {
        const above = at(x, y, channel) * (1 - right) + at(x + 1, y, channel) * right;
        const below = at(x, y + 1, channel) * (1 - right) + at(x + 1, y + 1, channel) * right;
        out[place++] = above * (1 - low) + below * low + 0.5;
      }
    }
  }
}

/** The mean of each channel: the fill for what lies outside the first frame. */
export function meanColour(frame: Frame): Colour {
  const { data } = frame.read(0, 0, frame.width, frame.height);
  const sums = [0, 0, 0];
  for (let place = 0; place < data.length; place += 4) {
    for (let channel = 0; channel < 3; channel++) sums[channel]! += data[place + channel]!;
  }
  const count = data.length / 4;
  return [sums[0]! / count, sums[1]! / count, sums[2]! / count];
}

/** The part of the frame that the window and what bilinear sampling touches around it show. */
function partAround(frame: Frame, window: Window): { x: number; y: number; pixels: Pixels } {
  const margin = 2;
  const start = (value: number, end: number) => Math.min(Math.max(Math.floor(value) - margin, 0), end - 1);
  const stop = (value: number, from: number, end: number) => Math.max(Math.min(Math.ceil(value) + margin, end), from + 1);
  const x = start(window.x, frame.width);
  const y = start(window.y, frame.height);
  const right = stop(window.x + window.width, x, frame.width);
  const bottom = stop(window.y + window.height, y, frame.height);
  return { x, y, pixels: frame.read(x, y, right - x, bottom - y) };
}

/** Where each pixel of a crop's line is sampled: the first of two neighbours, and the share of the second. */
function sampling(start: number, scale: number, size: number, length: number): { first: Int32Array; share: Float32Array } {
  const first = new Int32Array(size);
  const share = new Float32Array(size);
  for (let k = 0; k < size; k++) {
    // crop pixel k has its centre at k + 0.5; frame pixels are counted from their own centres
    const place = Math.min(Math.max(start + (k + 0.5) * scale - 0.5, -2), length + 1);
    first[k] = Math.floor(place);
    share[k] = place - first[k]!;
  }
  return { first, share };
}

/** Whole pixels within the frame: borders repeat there, as in `cv2.resize`, and no fill shows. */
function liesWithin(frame: Frame, window: Window): boolean {
  const whole = [window.x, window.y, window.width, window.height].every(Number.isInteger);
  return whole && window.x >= 0 && window.y >= 0 && window.x + window.width <= frame.width && window.y + window.height <= frame.height;
}

function clamp(value: number, end: number): number {
  return value < 0 ? 0 : value >= end ? end - 1 : value;
}
