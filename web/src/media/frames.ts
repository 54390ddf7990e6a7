// Frames by their number, and numbers by the time.

/** Hands out single frames of a video file. */
export interface Frames {
  /** Frame `index`, which belongs to the caller. */
  read(index: number): Promise<ImageBitmap>;
  close(): void;
}

/** Number of the last time that is not after `seconds`; half a millisecond is forgiven, since decoders round. */
export function indexAt(times: readonly number[], seconds: number): number {
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const between = Math.ceil((low + high) / 2);
    if (times[between]! <= seconds + 0.0005) low = between;
    else high = between - 1;
  }
  return low;
}
