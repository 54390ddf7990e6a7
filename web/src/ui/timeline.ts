// Score, similarity and lost frames of every target over the frames of the video; a click goes there.

import type { Session } from "../session";

const ROW = 44; // CSS pixels for one target
const GAP = 6;
const LOST_BAND = 6;

export class Timeline {
  private asked = false;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly session: Session,
    onSeek: (frame: number) => void,
  ) {
    let down = false;
    const seek = (event: PointerEvent) => {
      const shown = canvas.getBoundingClientRect();
      onSeek(((event.clientX - shown.left) / shown.width) * (session.count - 1));
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      down = true;
      seek(event);
    });
    canvas.addEventListener("pointermove", (event) => down && seek(event));
    canvas.addEventListener("pointerup", () => (down = false));
    canvas.addEventListener("pointercancel", () => (down = false));
    new ResizeObserver(() => this.update()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.update());
  }

  /** Paints with the next picture that the browser shows, however often it is called. */
  update(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.paint();
    });
  }

  private paint(): void {
    const { canvas, session } = this;
    const { targets } = session.record;
    canvas.hidden = targets.length === 0;
    if (canvas.hidden) return;
    canvas.style.setProperty("height", `${targets.length * ROW + 2}px`);
    const [width, height] = [canvas.clientWidth, targets.length * ROW + 2];
    const scale = devicePixelRatio;
    [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    const context = canvas.getContext("2d")!;
    context.scale(scale, scale);
    targets.forEach((_, place) => this.paintRow(context, place, width));
    context.fillStyle = this.colour("--text");
    context.fillRect(this.place(session.frame, width) - 1, 0, 2, height);
  }

  private paintRow(context: CanvasRenderingContext2D, row: number, width: number): void {
    const target = this.session.record.targets[row]!;
    const [top, bottom] = [row * ROW + GAP, (row + 1) * ROW - LOST_BAND - 2];
    const y = (share: number) => bottom - Math.min(Math.max(share, 0), 1) * (bottom - top);
    if (target === this.session.selected && this.session.record.targets.length > 1) {
      context.fillStyle = this.colour("--chosen");
      context.fillRect(0, row * ROW + 1, width, ROW - 1);
    }
    const entries = target.rows();
    const line = (value: (entry: (typeof entries)[number][1]) => number, colour: string, dashes: number[]) => {
      context.beginPath();
      let before = -2;
      for (const [frame, entry] of entries) {
        const [x, height] = [this.place(frame, width), y(value(entry))];
        if (frame === before + 1) context.lineTo(x, height);
        else context.moveTo(x, height);
        before = frame;
      }
      context.setLineDash(dashes);
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.stroke();
      context.setLineDash([]);
    };
    line(({ similarity }) => similarity, this.colour("--quiet"), [3, 3]);
    line(({ score }) => score, this.colour("--text"), []);
    const step = Math.max(1, width / Math.max(this.session.count - 1, 1));
    for (const [frame, { lost }] of entries) {
      context.fillStyle = lost ? this.colour("--lost") : target.colour;
      context.fillRect(this.place(frame, width) - step / 2, bottom + 2, step + 0.5, lost ? LOST_BAND : LOST_BAND / 2);
    }
    for (const key of target.keys) this.paintKey(context, this.place(key, width), bottom + 2, target.colour);
  }

  /** A diamond where a person drew the box. */
  private paintKey(context: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
    context.beginPath();
    context.moveTo(x, y - 6);
    context.lineTo(x + 5, y);
    context.lineTo(x, y + 6);
    context.lineTo(x - 5, y);
    context.closePath();
    context.fillStyle = colour;
    context.strokeStyle = this.colour("--text");
    context.lineWidth = 1.5;
    context.fill();
    context.stroke();
  }

  private place(frame: number, width: number): number {
    return (frame / Math.max(this.session.count - 1, 1)) * width;
  }

  private colour(name: string): string {
    return getComputedStyle(this.canvas).getPropertyValue(name);
  }
}
