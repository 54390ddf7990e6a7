// The page of `fear track --select` and `--show`. The command says what is to be done (`mode`): aim a camera, draw boxes, watch. The page
// asks for the state again and again, and sends what the person wants.

import { Drawing, paintBox, COLOURS } from "./drawing.js";

const LEAST_WAIT = 40; // ms between two pictures: enough for the eye, little work for the machine that tracks
const $ = (id) => document.getElementById(id);
const view = $("view");
const context = view.getContext("2d");

let state = { mode: "wait", width: 1, height: 1, boxes: [], tracks: [], may_add: true };
let picture = null; // what is shown, and its number
let shown = -1;
let boxes = []; // that are being drawn: [x, y, width, height] in pixels of the frame
let chosen = 0; // the box that drawing replaces; behind the last one: a new box

const editing = () => state.mode === "edit" || state.mode === "aim";
const watching = () => state.mode === "watch" || state.mode === "paused";

function say(text, wrong = false) {
  if ($("hint").textContent !== text) $("hint").textContent = text; // a status that is set again would be spoken again
  $("hint").classList.toggle("wrong", wrong);
}

async function act(wish, more = {}) {
  const reply = await fetch("act", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ do: wish, ...more }),
  }).catch(() => null);
  if (reply === null) return;
  const { error } = await reply.json();
  if (error) say(error, true);
}

const drawing = new Drawing(view, {
  ready: editing,
  size: () => state,
  current: () => boxes[chosen] ?? null,
  onBegin: () => state.mode === "aim" && act("freeze", { picture: shown }),
  onChange: paint,
  onEnd: (box) => {
    if (box !== null) {
      boxes[chosen] = box;
      if (state.may_add) chosen = boxes.length;
    }
    say(box === null ? "No box was drawn." : "Start follows it. Draw another one, or draw again what is not right.");
    list();
    paint();
  },
  say,
});

function paint() {
  if (picture === null) return;
  if (view.width !== picture.width || view.height !== picture.height) {
    [view.width, view.height] = [picture.width, picture.height];
    view.style.setProperty("--aspect", `${picture.width} / ${picture.height}`);
  }
  context.drawImage(picture, 0, 0);
  if (!editing()) return; // otherwise the boxes are in the picture
  const scale = picture.width / state.width;
  boxes.forEach((box, number) => paintBox(context, box, number, scale));
  if (drawing.draft !== null) paintBox(context, drawing.draft, chosen, scale, true);
}

function list() {
  const rows = editing() ? drawnRows() : state.tracks.map(trackRow);
  $("targets").replaceChildren(...rows);
  $("start").disabled = state.mode !== "edit" || boxes.length === 0;
}

function drawnRows() {
  const rows = boxes.map((box, number) => {
    const row = choiceRow(number, `target ${number}: ${box.map(Math.round).join(", ")}`);
    if (state.may_add) {
      const remove = document.createElement("button");
      remove.textContent = "Remove";
      remove.setAttribute("aria-label", `Remove target ${number}`);
      remove.addEventListener("click", () => {
        boxes.splice(number, 1);
        chosen = boxes.length;
        list();
        paint();
      });
      row.append(remove);
    }
    return row;
  });
  return state.may_add ? [...rows, choiceRow(boxes.length, "a new target")] : rows;
}

function choiceRow(number, text) {
  const [row, label, radio] = ["li", "label", "input"].map((name) => document.createElement(name));
  Object.assign(radio, { type: "radio", name: "chosen", checked: number === chosen });
  radio.addEventListener("change", () => (chosen = number));
  label.append(radio, ` ${text}`);
  row.style.setProperty("--colour", COLOURS[number % COLOURS.length]);
  row.append(label);
  return row;
}

function trackRow({ id, score, lost }) {
  const [row, text] = [document.createElement("li"), document.createElement("span")];
  text.textContent = `target ${id}: ${lost ? "lost" : score.toFixed(2)}`;
  text.classList.toggle("lost", lost);
  row.style.setProperty("--colour", COLOURS[id % COLOURS.length]);
  row.append(text);
  return row;
}

const HINTS = {
  aim: "The camera runs. Press on the picture to hold it, and drag a box around the target.",
  edit: "Drag a box around each target, or press Enter on the picture. Then press Start.",
  watch: "Tracking.",
  paused: "Paused. Go on, by one frame or for good, or draw again.",
  ended: "The run has ended. This page can be closed.",
};

function apply(next) {
  const before = state.mode;
  state = next;
  document.body.dataset.mode = state.mode;
  $("place").textContent = state.frame === null ? "–" : `frame ${state.frame}, ${state.time.toFixed(2)} s`;
  $("pause").textContent = state.mode === "paused" ? "Go on" : "Pause";
  if (state.mode !== before) {
    if (state.mode === "edit") {
      boxes = before === "aim" ? [...state.boxes, ...boxes] : state.boxes;
      if (drawing.draft === null) chosen = state.may_add ? boxes.length : 0;
    }
    // the button that was pressed may be gone now, and the keys of the next mode belong to the picture
    if (drawing.draft === null) view.focus({ preventScroll: true });
    say(state.mode === "edit" && !state.may_add ? "Choose a target and draw it again. Then press Start." : HINTS[state.mode]);
  }
  if (state.mode !== before || watching()) list(); // a list that is made anew loses the keyboard's place
  paint();
}

async function follow() {
  let version = -1;
  while (state.mode !== "ended") {
    const reply = await fetch(`state?version=${version}&picture=${shown}`).catch(() => null);
    if (reply === null || !reply.ok) return apply({ ...state, mode: "ended" });
    const next = await reply.json();
    const held = next.mode === "aim" && drawing.draft !== null; // on what the person is drawing stays
    if (next.picture !== shown && next.picture >= 0 && !held) {
      const jpeg = await fetch("picture").catch(() => null);
      if (jpeg !== null && jpeg.ok) {
        picture = await createImageBitmap(await jpeg.blob());
        shown = Number(jpeg.headers.get("X-Picture"));
      }
    }
    if (next.version !== version || watching() || next.mode === "aim") apply(next);
    else paint();
    version = next.version;
    await new Promise((resolve) => setTimeout(resolve, LEAST_WAIT));
  }
}

$("start").addEventListener("click", () => act("start", { boxes }));
for (const id of ["quit", "quit-drawing"]) $(id).addEventListener("click", () => act("quit"));
$("pause").addEventListener("click", () => act(state.mode === "paused" ? "resume" : "pause"));
$("step").addEventListener("click", () => act("step"));
$("redraw").addEventListener("click", () => act("redraw"));
document.addEventListener("keydown", (event) => {
  if (!watching() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target instanceof HTMLButtonElement) return; // it presses the button
  const button = { " ": "pause", n: "step", r: "redraw", q: "quit" }[event.key.toLowerCase()];
  if (button === undefined) return;
  event.preventDefault();
  $(button).click();
});

follow();
