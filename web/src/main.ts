// The page: ties buttons, keys and pictures to the session.

import { Session } from "./session";
import { requireRules, type Models } from "./tracking/rules";
import { button, element } from "./ui/dom";
import { Drawing } from "./ui/drawing";
import { Opening } from "./ui/opening";
import { Saving } from "./ui/saving";
import { clock, Status } from "./ui/status";
import { TargetList } from "./ui/targets";
import { Timeline } from "./ui/timeline";
import { View } from "./ui/view";

const DEFAULT = "fear-xs";

class Page {
  private readonly view: View = new View(element("view"), () => this.session);
  private readonly session: Session = new Session(this.view, {
    onChange: () => this.update(),
    onTargets: () => this.targets.rebuild(),
    onTracked: (milliseconds) => this.status.tracked(milliseconds),
    onError: (error) => this.complain(error),
  });
  private readonly say = (text: string, wrong = false): void => {
    const hint = element("hint");
    hint.textContent = text;
    hint.classList.toggle("wrong", wrong);
  };
  private readonly status = new Status(this.session);
  private readonly timeline = new Timeline(element("timeline"), this.session, (frame) => this.guard(() => this.session.seek(frame)));
  private readonly targets = new TargetList(
    element("targets"),
    this.session,
    (target) => this.guard(() => this.session.removeTarget(target)),
    () => this.view.paint(),
  );
  private readonly opening = new Opening(this.session, this.say);
  private readonly saving = new Saving(this.session, this.say, (action) => this.guard(action));
  private models!: Models;
  private resume = false; // tracking goes on after the box that is being drawn

  async start(): Promise<void> {
    this.bindOpening();
    this.bindTransport();
    this.bindDrawing();
    this.bindKeys();
    this.update();
    const response = await fetch("./models.json");
    if (!response.ok) throw new Error(`models.json: expected the list of networks, got ${response.status}`);
    this.models = (await response.json()) as Models;
    requireRules(this.models.rules);
    element("version").textContent = `fear-tracker ${this.models.version}.`;
    const choice = element<HTMLSelectElement>("model");
    for (const [name, card] of Object.entries(this.models.cards)) {
      choice.add(new Option(`${name} · ${(card.parameters / 1e6).toFixed(2)} M parameters`, name, false, name === DEFAULT));
    }
    choice.onchange = () => this.guard(() => this.load(choice.value));
    await this.load(choice.value);
    document.body.dataset["network"] = "loaded";
    this.say("Open a video or a camera, then draw a box around what you want to follow.");
  }

  /** Runs what a person asked for and says what went wrong. */
  async guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.complain(error);
    }
  }

  private complain(error: unknown): void {
    this.session.stop();
    this.say(error instanceof Error ? error.message : String(error), true);
  }

  private async load(name: string): Promise<void> {
    const card = this.models.cards[name];
    if (card === undefined) throw new Error(`${name}: expected one of ${Object.keys(this.models.cards).join(", ")}`);
    this.session.stop();
    this.say("Loading the network …");
    await this.session.follower.load(new URL(`./models/${name}/`, document.baseURI).href, card, this.models.rules);
    this.session.model = name;
    this.say(this.session.record.empty ? "" : "Tracking goes on with this network; From the start follows all frames with it.");
  }

  private bindOpening(): void {
    button("sample").onclick = () =>
      this.guard(async () => {
        await this.opening.openSample();
        await this.track();
      });
    button("camera").onclick = () =>
      this.guard(async () => {
        await this.session.openCamera();
        this.say("Draw a box around what you want to follow.");
      });
    const input = element<HTMLInputElement>("file");
    input.onchange = () => {
      const files = [...(input.files ?? [])];
      input.value = ""; // so that the same file can be opened again
      if (files.length > 0) void this.guard(() => this.opening.open(files));
    };
    const stage = element("stage");
    stage.addEventListener("dragover", (event) => event.preventDefault());
    stage.addEventListener("drop", (event) => {
      event.preventDefault();
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0) void this.guard(() => this.opening.open(files));
    });
  }

  private bindTransport(): void {
    const { session } = this;
    button("track").onclick = () => this.guard(() => this.toggleTracking());
    button("play").onclick = () => this.guard(async () => (session.state === "playing" ? session.stop() : session.play()));
    button("back").onclick = () => this.guard(() => session.seek(session.frame - 1));
    button("forth").onclick = () => this.guard(() => session.seek(session.frame + 1));
    button("again").onclick = () => this.guard(() => this.track(() => session.restart()));
    element<HTMLInputElement>("seek").oninput = ({ target }) => this.guard(() => session.seek(Number((target as HTMLInputElement).value)));
    button("add").onclick = () => {
      session.stop();
      session.select(null);
      this.say("Draw the box of the next target.");
      element("view").focus();
    };
    button("undraw").onclick = () => {
      session.stop();
      if (session.selected?.undraw(session.frame)) this.say("The correction is gone. Track follows the target again from before it.");
      session.select(session.selected);
    };
  }

  private bindDrawing(): void {
    const { session } = this;
    new Drawing(this.view, {
      ready: () => session.isOpen && session.state !== "saving",
      onBegin: () => {
        this.resume = session.state === "tracking";
        if (session.camera !== null) session.frozen = true;
        session.stop();
      },
      onEnd: (box) =>
        void this.guard(async () => {
          if (box !== null) await session.draw(box);
          session.frozen = false; // not before: the camera's picture must be the one that was drawn on
          if (this.resume) await this.track();
          else if (box === null) this.say("No box was drawn.");
          else this.say(session.camera === null ? "Track follows it through the video. Add a target to follow more than one." : "");
        }),
      onClick: ({ x, y }) => {
        const holds = (target: (typeof session.record.targets)[number]) => {
          const box = target.at(session.frame)?.box;
          return box !== undefined && x >= box.x && y >= box.y && x <= box.x + box.width && y <= box.y + box.height;
        };
        const hit = session.record.targets.find(holds);
        if (hit !== undefined) session.select(hit);
      },
      current: () => session.selected?.at(session.frame)?.box ?? null,
      say: (text) => this.say(text),
    });
  }

  private bindKeys(): void {
    document.addEventListener("click", ({ target, detail }) => {
      if (detail > 0 && target instanceof HTMLButtonElement) target.blur(); // clicked by hand: the space bar pauses again
    });
    document.addEventListener("keydown", (event) => {
      const { target } = event;
      const free = target === document.body || target === this.view.canvas;
      if (!free || event.ctrlKey || event.metaKey || event.altKey || !this.session.isOpen) return;
      if (event.code === "Space") void this.guard(() => this.toggleTracking());
      else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
        const step = (event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 10 : 1);
        void this.guard(() => this.session.seek(this.session.frame + step));
      } else return;
      event.preventDefault();
    });
  }

  private async toggleTracking(): Promise<void> {
    const { session } = this;
    if (session.state === "saving") return;
    if (session.state === "tracking") {
      session.frozen = session.camera !== null;
      session.stop();
    } else await this.track();
  }

  private async track(work = () => this.session.track()): Promise<void> {
    const { session } = this;
    session.frozen = false;
    if (session.record.empty) {
      this.say("Draw a box around what you want to follow first.");
      return;
    }
    this.status.restart();
    this.say("");
    await work();
    if (session.video !== null && session.state === "ready" && !session.unfinished) {
      this.say("All frames are known. Draw again where a box is wrong, or save the boxes.");
    }
  }

  /** Everything that shows the session. */
  private update(): void {
    const { session } = this;
    const { state, video, record } = session;
    document.body.dataset["state"] = state;
    const file = video !== null && state !== "saving";
    const track = button("track");
    track.disabled = !session.isOpen || state === "saving" || record.empty;
    label(track, state === "tracking" ? "Pause" : "Track");
    label(button("play"), state === "playing" ? "Pause playing" : "Play only");
    for (const id of ["play", "back", "forth"]) button(id).disabled = !file;
    button("again").disabled = !file || record.empty;
    button("add").disabled = !session.isOpen || record.targets.length === 0 || state === "saving";
    const { selected, frame } = session;
    button("undraw").disabled = state === "saving" || selected?.at(frame)?.key !== true || selected.first === frame;
    const seek = element<HTMLInputElement>("seek");
    seek.disabled = !file;
    seek.max = String(Math.max(session.count - 1, 1));
    if (document.activeElement !== seek || Number(seek.value) !== frame) seek.value = String(frame);
    seek.setAttribute("aria-valuetext", video === null ? "no video" : `frame ${frame + 1} of ${video.count}, ${clock(session.time)}`);
    this.saving.update();
    this.status.update();
    this.targets.update();
    this.timeline.update();
  }
}

function label(control: HTMLButtonElement, text: string): void {
  if (control.textContent !== text) control.textContent = text;
}

const page = new Page();
void page.guard(() => page.start());
