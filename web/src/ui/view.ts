// The canvas: a frame, the boxes of its targets, and the box that somebody is drawing.

import type { Recording } from "../record/record";
import type { Target } from "../record/target";
import type { Box } from "../tracking/geometry";
import { outline, paintTargets } from "./paint";

const DRAWN = "#ffffff";
const MOST_SCALE = 4; // canvas pixels for one of the frame: boxes on small videos are drawn as sharp as the screen shows them

export class View {
  private readonly context: CanvasRenderingContext2D;
  private bitmap: ImageBitmap | null = null;
  private draft: Box | null = null;
  private frame = 0;

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly shown: () => { record: Recording; selected: Target | null },
  ) {
    this.context = canvas.getContext("2d")!;
    new ResizeObserver(() => this.paint()).observe(canvas);
  }

  /** Of the frame that is shown, in its own pixels. */
  get width(): number {
    return this.bitmap?.width ?? this.canvas.width;
  }

  get height(): number {
    return this.bitmap?.height ?? this.canvas.height;
  }

  /** A copy of the frame that is shown, which belongs to the caller. */
  copy(): Promise<ImageBitmap> {
    if (this.bitmap === null) throw new Error("Open a video or a camera first.");
    return createImageBitmap(this.bitmap);
  }

  /** Shows a frame, which belongs to the view from now on. */
  show(bitmap: ImageBitmap, frame: number): void {
    this.bitmap?.close();
    [this.bitmap, this.frame] = [bitmap, frame];
    this.paint();
  }

  /** Shows the box that is being drawn, or no longer. */
  setDraft(box: Box | null): void {
    this.draft = box;
    this.paint();
  }

  paint(): void {
    if (this.bitmap === null) return;
    const { width, height } = this.bitmap;
    this.canvas.style.setProperty("--aspect", `${width / height}`);
    const onScreen = (this.canvas.clientWidth || width) / width; // screen pixels for one of the frame
    const scale = Math.min(Math.max(Math.ceil(onScreen * devicePixelRatio), 1), MOST_SCALE);
    if (this.canvas.width !== width * scale || this.canvas.height !== height * scale) {
      [this.canvas.width, this.canvas.height] = [width * scale, height * scale];
    }
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.context.drawImage(this.bitmap, 0, 0);
    const { record, selected } = this.shown();
    const unit = 1 / onScreen;
    paintTargets(this.context, record, this.frame, selected, unit);
    if (this.draft !== null) outline(this.context, this.draft, DRAWN, { dashed: true, thick: false, unit });
  }
}
