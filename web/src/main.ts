// The page: opens a source, lets somebody draw a box, and follows what is in it.

import { BoxFile } from "./boxfile";
import type { Box } from "./geometry";
import { Remote } from "./remote";
import type { Models } from "./rules";
import { Source } from "./source";
import type { Track } from "./tracker";
import { View } from "./view";

type State = "empty" | "ready" | "drawing" | "tracking" | "paused" | "ended";

const DEFAULT = "fear-xs";

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

/** Averages of the last second or so. */
class Smoothed {
  private value: number | null = null;

  add(sample: number): number {
    this.value = this.value === null ? sample : this.value + 0.1 * (sample - this.value);
    return this.value;
  }
}

class Page {
  private readonly remote = new Remote();
  private readonly view = new View(element("view"), () => this.beginBox(), (box) => void this.guard(() => this.endBox(box)));
  private models!: Models;
  private source: Source | null = null;
  private record = new BoxFile();
  private first: Box | null = null;
  private busy = false;
  private came = 0; // frames of the source since the track began, its first included
  private lastFrame = 0;
  private pace = new Smoothed();
  private effort = new Smoothed();
  private run = 0; // counts up with every source and every box, so that late answers are known as such

  async start(): Promise<void> {
    const response = await fetch("./models.json");
    if (!response.ok) throw new Error(`models.json: expected the list of networks, got ${response.status}`);
    this.models = (await response.json()) as Models;
    element("version").textContent = `fear-tracker ${this.models.version}.`;
    const choice = element<HTMLSelectElement>("model");
    for (const [name, card] of Object.entries(this.models.cards)) {
      choice.add(new Option(`${name} · ${(card.parameters / 1e6).toFixed(2)} M parameters`, name, false, name === DEFAULT));
    }
    choice.onchange = () => this.guard(() => this.load(choice.value));
    element("sample").onclick = () => this.guard(() => this.playSample());
    element("camera").onclick = () => this.guard(() => this.open(() => Source.fromCamera()));
    element<HTMLInputElement>("file").onchange = ({ target }) => {
      const input = target as HTMLInputElement;
      const file = input.files?.[0];
      input.value = ""; // so that the same file can be opened again
      if (file) void this.guard(() => this.open(() => Source.fromFile(file)));
    };
    this.acceptDrops(element("stage"));
    element("pause").onclick = () => this.pause();
    element("again").onclick = () => this.guard(() => this.again());
    element("save").onclick = () => this.save();
    document.addEventListener("click", ({ target, detail }) => {
      if (detail > 0 && target instanceof HTMLButtonElement) target.blur(); // clicked by hand: the space bar pauses again
    });
    document.addEventListener("keydown", (event) => {
      if (event.code !== "Space" || event.target instanceof HTMLButtonElement || event.target instanceof HTMLSelectElement) return;
      event.preventDefault();
      this.pause();
    });
    await this.load(choice.value);
    this.say("Open a video or a camera, then draw a box around what you want to follow.");
  }

  /** Runs what a person asked for and says what went wrong. */
  async guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error), true);
    }
  }

  private get state(): State {
    return document.body.dataset["state"] as State;
  }

  private set state(state: State) {
    document.body.dataset["state"] = state;
    const pause = element<HTMLButtonElement>("pause");
    pause.disabled = !(state === "tracking" || state === "paused");
    pause.textContent = state === "paused" ? "Go on" : "Pause";
    element<HTMLButtonElement>("again").disabled = this.first === null || this.source === null || this.source.live;
    element<HTMLButtonElement>("save").disabled = this.record.frames === 0;
  }

  private say(text: string, wrong = false): void {
    const hint = element("hint");
    hint.textContent = text;
    hint.classList.toggle("wrong", wrong);
  }

  private async load(name: string): Promise<void> {
    const card = this.models.cards[name];
    if (card === undefined) throw new Error(`${name}: expected one of ${Object.keys(this.models.cards).join(", ")}`);
    const before = this.state;
    this.stop();
    this.say("Loading the network …");
    await this.remote.ask({ kind: "load", folder: new URL(`./models/${name}/`, document.baseURI).href, card, rules: this.models.rules });
    this.say(before === "empty" ? "" : "Draw a box around what you want to follow.");
  }

  /** Ends the track, not the source: a new box begins another. */
  private stop(): void {
    this.run += 1;
    if (this.source !== null && !this.source.live) this.source.video.pause();
    if (this.source !== null) this.state = "ready";
  }

  private async open(make: () => Promise<Source>): Promise<void> {
    const source = await make();
    this.source?.close();
    this.run += 1;
    [this.source, this.first, this.record] = [source, null, new BoxFile()];
    source.onFrame((seconds) => void this.guard(() => this.onFrame(source, seconds)));
    source.video.onended = () => this.end(source);
    this.view.show(await source.grab(), null);
    this.state = "ready";
    this.say("Draw a box around what you want to follow.");
  }

  private async playSample(): Promise<void> {
    const response = await fetch("./sample.json");
    if (!response.ok) throw new Error(`sample.json: expected the sample's box, got ${response.status}`);
    const [x, y, width, height] = (await response.json()) as [number, number, number, number];
    await this.open(async () => Source.fromFile(new File([await (await fetch("./sample.mp4")).blob()], "sample.mp4")));
    await this.follow({ x, y, width, height });
  }

  private beginBox(): boolean {
    if (this.source === null || this.state === "drawing") return false;
    this.run += 1;
    if (!this.source.live) this.source.video.pause();
    this.state = "drawing";
    return true;
  }

  private async endBox(box: Box | null): Promise<void> {
    this.state = "ready";
    if (box === null) this.say("That box is too small; drag from one corner of the target to the other.");
    else await this.follow(box);
  }

  /** Starts a track on the frame that is shown. */
  private async follow(box: Box): Promise<void> {
    const source = this.source!;
    const run = ++this.run;
    this.say("");
    await this.remote.ask({ kind: "init", bitmap: await this.view.copy(), box });
    if (run !== this.run) return;
    [this.first, this.record, this.came] = [box, new BoxFile(), 1];
    [this.pace, this.effort, this.lastFrame] = [new Smoothed(), new Smoothed(), performance.now()];
    const track = { box, score: 1, similarity: 1, lost: false };
    this.record.add(0, source.video.currentTime, track);
    element("frames").textContent = "1";
    this.view.show(await this.view.copy(), track);
    this.state = "tracking";
    if (!source.live) await source.video.play();
  }

  private async onFrame(source: Source, seconds: number): Promise<void> {
    if (source !== this.source || this.state === "drawing" || this.state === "paused") return;
    const number = this.came;
    if (this.state === "tracking") this.came += 1;
    if (this.busy) return; // late frames are left out
    this.busy = true;
    try {
      const run = this.run;
      const bitmap = await source.grab();
      if (this.state !== "tracking") {
        if (run === this.run && source.live) this.view.show(bitmap, null);
        return;
      }
      const answer = await this.remote.ask({ kind: "update", bitmap });
      if (run !== this.run || answer.track === undefined) return; // a new box was drawn meanwhile
      this.view.show(answer.bitmap!, answer.track);
      this.record.add(number, seconds, answer.track);
      this.report(answer.track, answer.milliseconds);
    } finally {
      this.busy = false;
    }
  }

  private report({ score, similarity, lost }: Track, milliseconds: number): void {
    const now = performance.now();
    const interval = this.pace.add(now - this.lastFrame);
    this.lastFrame = now;
    element("milliseconds").textContent = this.effort.add(milliseconds).toFixed(1);
    element("fps").textContent = (1000 / interval).toFixed(0);
    element<HTMLMeterElement>("score").value = score;
    element("score-text").textContent = score.toFixed(2);
    element("similarity").textContent = similarity.toFixed(2);
    element("target").textContent = lost ? "lost" : "found";
    const left = this.came - this.record.frames;
    element("frames").textContent = left === 0 ? `${this.record.frames}` : `${this.record.frames}, ${left} left out`;
    element<HTMLButtonElement>("save").disabled = false;
  }

  private pause(): void {
    if (this.state === "tracking") {
      this.source!.video.pause();
      this.state = "paused";
    } else if (this.state === "paused") {
      this.lastFrame = performance.now();
      this.state = "tracking";
      void this.guard(() => this.source!.video.play());
    }
  }

  private end(source: Source): void {
    if (source !== this.source) return;
    this.state = "ended";
    this.say("The video is over. Draw another box, or follow it from the start.");
  }

  private async again(): Promise<void> {
    const { source, first } = this;
    if (source === null || first === null) return;
    this.run += 1;
    this.state = "ready";
    await source.rewind();
    this.view.show(await source.grab(), null);
    await this.follow(first);
  }

  private save(): void {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.record.toCsv()], { type: "text/csv" }));
    link.download = "boxes.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  private acceptDrops(stage: HTMLElement): void {
    stage.addEventListener("dragover", (event) => event.preventDefault());
    stage.addEventListener("drop", (event) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) void this.guard(() => this.open(() => Source.fromFile(file)));
    });
  }
}

const page = new Page();
void page.guard(() => page.start());
