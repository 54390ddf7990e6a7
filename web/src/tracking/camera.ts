// How the camera moved from one frame to the next, by phase correlation (src/fear/tracking/camera.py).

import type { Pixels } from "./crop";

/** Side of an overview of a frame in pixels. */
export const OVERVIEW = 128;

const FLAT = 1e-6; // product of two spectra, of which one has nothing but rounding errors
const LEAST_PEAK = 0.1; // below it no shift explains the difference between the frames
const LEAST_COMMON = 0.75; // of the pixels
const LEVELS = 16; // levels of brightness, 0 to 255, that count as one

/** Complex numbers in rows of `OVERVIEW`. */
interface Spectrum {
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

/**
 * The shift of the static background from one frame to the next, to the right and down, in pixels of the frame. No motion where it cannot
 * be told, such as where a frame is of one colour; null where the frames show different scenes, as at a cut.
 *
 * @param before overview of a frame
 * @param now overview of the next one, of the same size
 * @param frame width and height of the frames
 */
export function cameraMotion(before: Pixels, now: Pixels, frame: { width: number; height: number }): readonly [number, number] | null {
  const [old, difference] = [spectrum(before), spectrum(now)];
  let strongest = 0;
  for (let k = 0; k < old.real.length; k++) {
    // the product with the conjugate, of which the phase alone is kept
    const real = difference.real[k]! * old.real[k]! + difference.imaginary[k]! * old.imaginary[k]!;
    const imaginary = difference.imaginary[k]! * old.real[k]! - difference.real[k]! * old.imaginary[k]!;
    const size = Math.hypot(real, imaginary) + 1e-9;
    strongest = Math.max(strongest, size);
    difference.real[k] = real / size;
    difference.imaginary[k] = -imaginary / size; // conjugate, so that the transform below is the inverse one
  }
  if (strongest < FLAT) return [0, 0];
  transform(difference);
  const peaks = difference.real.map((value) => value / difference.real.length);
  const best = peaks.reduce((highest, value, place) => (value > peaks[highest]! ? place : highest), 0);
  if (peaks[best]! < LEAST_PEAK) return commonBrightness(before, now) < LEAST_COMMON ? null : [0, 0];
  const [row, column] = [Math.floor(best / OVERVIEW), best % OVERVIEW];
  const across = shift((k) => peaks[row * OVERVIEW + k]!, column);
  const down = shift((k) => peaks[k * OVERVIEW + column]!, row);
  return [(across * frame.width) / OVERVIEW, (down * frame.height) / OVERVIEW];
}

/** Brightness of each pixel of an overview, 0 to 255. */
function grey({ data }: Pixels): Float64Array {
  return Float64Array.from({ length: OVERVIEW * OVERVIEW }, (_, k) => (data[4 * k]! + data[4 * k + 1]! + data[4 * k + 2]!) / 3);
}

/** The share of pixels that two overviews have in common when only their brightness counts: the intersection of the histograms. */
function commonBrightness(before: Pixels, now: Pixels): number {
  const [old, recent] = [before, now].map((overview) => {
    const counts = new Uint32Array(256 / LEVELS);
    for (const value of grey(overview)) counts[Math.floor(value / LEVELS)]! += 1;
    return counts;
  }) as [Uint32Array, Uint32Array];
  return old.reduce((sum, count, level) => sum + Math.min(count, recent[level]!), 0) / (OVERVIEW * OVERVIEW);
}

/** Fourier transform of a grey overview that fades out towards its borders, which do not belong to the scene. */
function spectrum(overview: Pixels): Spectrum {
  const real = grey(overview);
  const mean = real.reduce((sum, value) => sum + value, 0) / real.length;
  const fade = Float64Array.from({ length: OVERVIEW }, (_, k) => 0.5 - 0.5 * Math.cos((2 * Math.PI * k) / (OVERVIEW - 1)));
  const faded = real.map((value, k) => (value - mean) * fade[Math.floor(k / OVERVIEW)]! * fade[k % OVERVIEW]!);
  const both = { real: faded, imaginary: new Float64Array(faded.length) };
  transform(both);
  return both;
}

/** Place of a peak on a line that is closed to a ring: that of a parabola through the best value and its neighbours. */
function shift(line: (place: number) => number, best: number): number {
  const [left, middle, right] = [line((best + OVERVIEW - 1) % OVERVIEW), line(best), line((best + 1) % OVERVIEW)];
  const bend = left - 2 * middle + right;
  const place = best + (bend < 0 ? (0.5 * (left - right)) / bend : 0);
  return place > OVERVIEW / 2 ? place - OVERVIEW : place;
}

/** Fourier transform of rows and then of columns, in place. */
function transform({ real, imaginary }: Spectrum): void {
  for (let line = 0; line < OVERVIEW; line++) transformLine(real, imaginary, line * OVERVIEW, 1);
  for (let line = 0; line < OVERVIEW; line++) transformLine(real, imaginary, line, OVERVIEW);
}

/** Fourier transform of one line in place (Cooley and Tukey, radix 2); `step` leads from one number to the next. */
function transformLine(real: Float64Array, imaginary: Float64Array, first: number, step: number): void {
  const swap = (values: Float64Array, a: number, b: number) => ([values[a], values[b]] = [values[b]!, values[a]!]);
  for (let k = 1, mirrored = 0; k < OVERVIEW; k++) {
    let bit = OVERVIEW >> 1;
    for (; mirrored & bit; bit >>= 1) mirrored ^= bit;
    mirrored ^= bit; // the bits of k in reversed order
    if (k < mirrored) for (const values of [real, imaginary]) swap(values, first + k * step, first + mirrored * step);
  }
  for (let length = 2; length <= OVERVIEW; length *= 2) {
    for (let k = 0; k < length / 2; k++) {
      const [cosine, sine] = [Math.cos((2 * Math.PI * k) / length), -Math.sin((2 * Math.PI * k) / length)];
      for (let start = 0; start < OVERVIEW; start += length) {
        const [even, odd] = [first + (start + k) * step, first + (start + k + length / 2) * step];
        const turnedReal = real[odd]! * cosine - imaginary[odd]! * sine;
        const turnedImaginary = real[odd]! * sine + imaginary[odd]! * cosine;
        real[odd] = real[even]! - turnedReal;
        imaginary[odd] = imaginary[even]! - turnedImaginary;
        real[even]! += turnedReal;
        imaginary[even]! += turnedImaginary;
      }
    }
  }
}
