// The canvas: the frame with its box, and the box that somebody draws.

import type { Box } from "./geometry";
import type { Track } from "./tracker";

const FOUND = "#39d98a";
const LOST = "#ff5d5d";
const DRAWN = "#ffffff";
const LEAST = 4; // pixels of a drawn box

export class View {
  private readonly context: CanvasRenderingContext2D;
  private bitmap: ImageBitmap | null = null;

  /** @param onDrawn is called with every box that somebody drew; `onStart` when they begin */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    onStart: () => boolean,
    onDrawn: (box: Box | null) => void,
  ) {
    this.context = canvas.getContext("2d")!;
    let from: { x: number; y: number } | null = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (!onStart()) return;
      canvas.setPointerCapture(event.pointerId);
      from = this.place(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (from === null) return;
      this.paint();
      this.outline(between(from, this.place(event)), DRAWN, [6, 4]);
    });
    canvas.addEventListener("pointerup", (event) => {
      if (from === null) return;
      const box = between(from, this.place(event));
      from = null;
      onDrawn(Math.min(box.width, box.height) < LEAST ? null : box);
    });
    canvas.addEventListener("pointercancel", () => {
      if (from !== null) onDrawn(null);
      from = null;
    });
  }

  /** The frame that is shown; a copy that the caller may give away. */
  copy(): Promise<ImageBitmap> {
    if (this.bitmap === null) throw new Error("expected a frame before a box");
    return createImageBitmap(this.bitmap);
  }

  /** Shows a frame, which belongs to the view from now on. */
  show(bitmap: ImageBitmap, track: Track | null): void {
    this.bitmap?.close();
    this.bitmap = bitmap;
    this.paint();
    if (track !== null) this.outline(track.box, track.lost ? LOST : FOUND, track.lost ? [10, 8] : []);
  }

  private paint(): void {
    if (this.bitmap === null) return;
    const { width, height } = this.bitmap;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      [this.canvas.width, this.canvas.height] = [width, height];
      this.canvas.style.setProperty("--aspect", `${width / height}`);
    }
    this.context.drawImage(this.bitmap, 0, 0);
  }

  private outline({ x, y, width, height }: Box, colour: string, dashes: number[]): void {
    const { context } = this;
    const line = Math.max(2, this.canvas.width / 320);
    context.setLineDash(dashes.map((length) => (length * line) / 2));
    context.lineJoin = "round";
    for (const [stroke, thickness] of [["rgb(0 0 0 / 55%)", line * 2], [colour, line]] as const) {
      context.strokeStyle = stroke;
      context.lineWidth = thickness;
      context.strokeRect(x, y, width, height);
    }
    context.setLineDash([]);
  }

  private place(event: PointerEvent): { x: number; y: number } {
    const shown = this.canvas.getBoundingClientRect();
    const within = (value: number, end: number) => Math.min(Math.max(value, 0), end);
    return {
      x: within(((event.clientX - shown.left) * this.canvas.width) / shown.width, this.canvas.width),
      y: within(((event.clientY - shown.top) * this.canvas.height) / shown.height, this.canvas.height),
    };
  }
}

function between(a: { x: number; y: number }, b: { x: number; y: number }): Box {
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) };
}
