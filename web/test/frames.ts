// Frames in memory, for tests.

import { crop, type Frame, type Pixels } from "../src/tracking/crop";

/** A frame whose parts are read by `read`; the overview is resampled from the whole, as the package does it. */
export function frameThatReads(width: number, height: number, read: Frame["read"]): Frame {
  const frame: Frame = {
    width,
    height,
    read,
    overview: (side): Pixels => {
      const rgb = new Uint8Array(side * side * 3);
      crop(frame, { x: 0, y: 0, width, height, side }, [0, 0, 0], rgb);
      const data = new Uint8Array(side * side * 4);
      for (let k = 0; k < side * side; k++) data.set(rgb.subarray(3 * k, 3 * k + 3), 4 * k);
      return { data, width: side, height: side };
    },
  };
  return frame;
}
