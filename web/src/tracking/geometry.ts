// Boxes and windows; the same arithmetic as src/fear/geometry/boxes.py and window.py. Pixel k covers [k, k + 1].

/** Left, top, width, height in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The rectangle of the frame that a crop shows, and the side of that crop in pixels. */
export interface Window extends Box {
  readonly side: number;
}

const LARGE = 96; // pixels; to the window of a smaller target half a pixel matters

/** The box with `context` times its size added on every side. */
export function windowAround(box: Box, context: number, side: number): Window {
  return {
    side,
    x: box.x - context * box.width,
    y: box.y - context * box.height,
    width: box.width * (1 + 2 * context),
    height: box.height * (1 + 2 * context),
  };
}

/** A window with the same centre, `share` of its width and height. */
export function shrunk(window: Window, share: number): Window {
  return {
    side: window.side,
    x: window.x + (window.width * (1 - share)) / 2,
    y: window.y + (window.height * (1 - share)) / 2,
    width: window.width * share,
    height: window.height * share,
  };
}

/** The nearest window of whole pixels; small windows stay as they are. */
export function onPixels(window: Window): Window {
  if (Math.min(window.width, window.height) < LARGE) return window;
  const x = Math.round(window.x);
  const y = Math.round(window.y);
  const [right, bottom] = [Math.round(window.x + window.width), Math.round(window.y + window.height)];
  return { x, y, width: right - x, height: bottom - y, side: window.side };
}

/** A box of the crop as a box of the frame. */
export function toFrame(window: Window, box: Box): Box {
  const across = window.width / window.side;
  const down = window.height / window.side;
  return { x: window.x + box.x * across, y: window.y + box.y * down, width: box.width * across, height: box.height * down };
}

/** The part of a box that lies in the frame. */
export function clipBox(box: Box, width: number, height: number): Box {
  const within = (value: number, end: number) => Math.min(Math.max(value, 0), end);
  const left = within(box.x, width);
  const top = within(box.y, height);
  return { x: left, y: top, width: within(box.x + box.width, width) - left, height: within(box.y + box.height, height) - top };
}

/** How far a box's centre moved, in widths or heights of the box before, whichever is more. */
export function step(before: Box, after: Box): number {
  const across = after.x + after.width / 2 - before.x - before.width / 2;
  const down = after.y + after.height / 2 - before.y - before.height / 2;
  return Math.max(Math.abs(across) / before.width, Math.abs(down) / before.height);
}

/** Intersection over union; 0 where both boxes are empty. */
export function iou(a: Box, b: Box): number {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(across, 0) * Math.max(down, 0);
  const union = a.width * a.height + b.width * b.height - shared;
  return union > 0 ? shared / union : 0;
}
