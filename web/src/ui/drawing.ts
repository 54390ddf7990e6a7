// Drawing a box on the canvas: with a pointer from corner to corner, or with the keyboard. Escape gives it up; a click is no box.

import { clipBox, type Box } from "../tracking/geometry";
import type { View } from "./view";

const LEAST = 4; // pixels of the frame; what is smaller was a click
const FIRST_SHARE = 0.25; // of the frame, for the box that the keyboard begins with
const STEP = 1; // pixels of the frame for an arrow key
const LONG_STEP = 10; // with Shift

interface Point {
  readonly x: number;
  readonly y: number;
}

/** What the drawing needs to know and to tell. */
export interface DrawingUser {
  /** Whether there is a frame to draw on. */
  ready(): boolean;
  /** A box is being drawn: the frame must stay. */
  onBegin(): void;
  /** The box, or null where it was given up. */
  onEnd(box: Box | null): void;
  /** A place was clicked. */
  onClick(place: Point): void;
  /** The box of the selected target in this frame, to begin with. */
  current(): Box | null;
  say(text: string): void;
}

export class Drawing {
  private from: Point | null = null; // where the pointer went down
  private draft: Box | null = null;
  private byKeys = false;

  constructor(
    private readonly view: View,
    private readonly user: DrawingUser,
  ) {
    const { canvas } = view;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", () => this.giveUp());
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.byKeys && this.giveUp());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && (this.draft !== null || this.from !== null)) this.giveUp();
    });
  }

  get active(): boolean {
    return this.draft !== null;
  }

  private down(event: PointerEvent): void {
    if (!this.user.ready() || event.button !== 0) return;
    if (this.byKeys) this.giveUp();
    this.view.canvas.setPointerCapture(event.pointerId);
    this.from = this.place(event);
  }

  private move(event: PointerEvent): void {
    if (this.from === null) return;
    const box = between(this.from, this.place(event));
    if (this.draft === null) {
      if (!largeEnough(box)) return;
      this.user.onBegin();
    }
    this.set(box);
  }

  private up(event: PointerEvent): void {
    if (this.from === null) return;
    const [from, box] = [this.from, between(this.from, this.place(event))];
    this.from = null;
    if (this.draft === null) this.user.onClick(from);
    else if (largeEnough(box)) this.finish(box);
    else this.giveUp();
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey) return;
    if (this.draft === null || !this.byKeys) {
      if (event.key !== "Enter" || !this.user.ready()) return;
      event.preventDefault();
      event.stopPropagation();
      this.beginByKeys();
      return;
    }
    const step = event.shiftKey ? LONG_STEP : STEP;
    const direction = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (event.key === "Enter") this.finish(this.draft);
    else if (direction !== undefined) this.nudge(direction[0]!, direction[1]!, event.altKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private beginByKeys(): void {
    const { width, height } = this.view;
    this.user.onBegin();
    this.byKeys = true;
    this.set(
      this.user.current() ?? {
        x: (width * (1 - FIRST_SHARE)) / 2,
        y: (height * (1 - FIRST_SHARE)) / 2,
        width: width * FIRST_SHARE,
        height: height * FIRST_SHARE,
      },
    );
    this.user.say("Arrow keys move the box, with Alt they change its size, with Shift in larger steps. Enter takes it, Escape gives it up.");
  }

  private nudge(across: number, down: number, resize: boolean): void {
    const box = this.draft!;
    const { width, height } = this.view;
    if (resize) {
      const grown = { ...box, width: Math.max(box.width + across, LEAST), height: Math.max(box.height + down, LEAST) };
      this.set(clipBox(grown, width, height));
    } else {
      const x = Math.min(Math.max(box.x + across, 0), width - box.width);
      const y = Math.min(Math.max(box.y + down, 0), height - box.height);
      this.set({ ...box, x, y });
    }
  }

  private finish(box: Box): void {
    this.byKeys = false;
    this.set(null);
    this.user.onEnd(box);
  }

  private giveUp(): void {
    const begun = this.draft !== null;
    this.from = null;
    this.byKeys = false;
    this.set(null);
    if (begun) this.user.onEnd(null);
  }

  private set(box: Box | null): void {
    this.draft = box;
    this.view.setDraft(box);
  }

  private place(event: PointerEvent): Point {
    const { canvas, width, height } = this.view;
    const shown = canvas.getBoundingClientRect();
    const within = (value: number, end: number) => Math.min(Math.max(value, 0), end);
    return {
      x: within(((event.clientX - shown.left) * width) / shown.width, width),
      y: within(((event.clientY - shown.top) * height) / shown.height, height),
    };
  }
}

function largeEnough(box: Box): boolean {
  return Math.min(box.width, box.height) >= LEAST;
}

function between(a: Point, b: Point): Box {
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) };
}
