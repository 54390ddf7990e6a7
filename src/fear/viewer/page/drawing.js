// Drawing a box on the canvas: with a mouse or a finger from corner to corner, or with the keyboard. Escape gives it up; a click is no box.

const LEAST = 4; // pixels of the frame; what is smaller was a click
const FIRST_SHARE = 0.25; // of the frame, for the box that the keyboard begins with
const STEP = 1; // pixels of the frame for an arrow key
const LONG_STEP = 10; // with Shift

// those of the annotated video
export const COLOURS = ["#2ecc71", "#3498db", "#f1c40f", "#e74ca0", "#9b59ff", "#1ad6d6", "#ff8c3c", "#bedc5a"];

/** Paints a box with the number of its target. */
export function paintBox(context, [x, y, width, height], number, scale, dashed = false) {
  const line = Math.max(2, context.canvas.width / 400);
  const size = Math.max(14, context.canvas.width / 45);
  context.lineWidth = line;
  context.strokeStyle = context.fillStyle = COLOURS[number % COLOURS.length];
  context.setLineDash(dashed ? [3 * line, 2 * line] : []);
  context.strokeRect(x * scale, y * scale, width * scale, height * scale);
  const top = y * scale >= size * 1.3 ? y * scale - size * 1.3 : y * scale;
  context.fillRect(x * scale, top, size * (0.4 + 0.65 * String(number).length), size * 1.3);
  context.fillStyle = "#101010";
  context.font = `${size}px system-ui, sans-serif`;
  context.fillText(String(number), x * scale + size * 0.2, top + size);
}

/** Turns pointers and keys into boxes; `user` knows the frame's size and is told what happens. */
export class Drawing {
  draft = null; // the box that is being drawn
  #from = null; // where the pointer went down
  #byKeys = false;

  constructor(canvas, user) {
    this.canvas = canvas;
    this.user = user;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", () => this.#up());
    canvas.addEventListener("pointercancel", () => this.#giveUp());
    canvas.addEventListener("blur", () => this.#byKeys && this.#giveUp());
    canvas.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.draft !== null && this.#giveUp());
  }

  #place(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const frame = this.user.size();
    const within = (value, most) => Math.min(Math.max(value, 0), most);
    return [
      within(((event.clientX - left) / width) * frame.width, frame.width),
      within(((event.clientY - top) / height) * frame.height, frame.height),
    ];
  }

  #down(event) {
    if (!this.user.ready() || event.button !== 0) return;
    if (this.#byKeys) this.#giveUp();
    this.canvas.setPointerCapture(event.pointerId);
    this.#from = this.#place(event);
  }

  #move(event) {
    if (this.#from === null) return;
    const box = between(this.#from, this.#place(event));
    if (this.draft === null) {
      if (!largeEnough(box)) return;
      this.user.onBegin();
    }
    this.#set(box);
  }

  #up() {
    if (this.#from === null) return;
    this.#from = null;
    if (this.draft !== null) this.#end(largeEnough(this.draft) ? this.draft : null);
  }

  #key(event) {
    if (!this.user.ready() || event.ctrlKey || event.metaKey) return;
    const { width, height } = this.user.size();
    if (!this.#byKeys) {
      if (event.key !== "Enter") return;
      this.#byKeys = true;
      this.user.onBegin();
      const first = [(width * (1 - FIRST_SHARE)) / 2, (height * (1 - FIRST_SHARE)) / 2, width * FIRST_SHARE, height * FIRST_SHARE];
      this.#set(this.user.current() ?? first);
      this.user.say("Arrow keys move the box, with Alt they change its size, with Shift in larger steps. Enter takes it, Escape gives it up.");
    } else if (event.key === "Enter") {
      this.#end(this.draft);
    } else {
      const step = event.shiftKey ? LONG_STEP : STEP;
      const way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
      if (way === undefined) return;
      const [x, y, w, h] = this.draft;
      this.#set(event.altKey ? [x, y, Math.max(w + way[0], LEAST), Math.max(h + way[1], LEAST)] : [x + way[0], y + way[1], w, h]);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #set(box) {
    const { width, height } = this.user.size();
    const [w, h] = [Math.min(box[2], width), Math.min(box[3], height)];
    this.draft = [Math.min(Math.max(box[0], 0), width - w), Math.min(Math.max(box[1], 0), height - h), w, h];
    this.user.onChange();
  }

  #giveUp() {
    this.#from = null;
    if (this.draft !== null) this.#end(null);
  }

  #end(box) {
    this.draft = null;
    this.#byKeys = false;
    this.user.onEnd(box);
  }
}

function between([ax, ay], [bx, by]) {
  return [Math.min(ax, bx), Math.min(ay, by), Math.abs(ax - bx), Math.abs(ay - by)];
}

function largeEnough([, , width, height]) {
  return width >= LEAST && height >= LEAST;
}
