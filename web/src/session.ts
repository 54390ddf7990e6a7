// What is open, which frame is shown, and what runs: tracking, playing, or nothing. The page draws itself from this.

import { Follower } from "./follower";
import { Camera } from "./media/camera";
import { Video } from "./media/video";
import { Recording } from "./record/record";
import type { Target } from "./record/target";
import type { Box } from "./tracking/geometry";
import type { View } from "./ui/view";

export type State = "empty" | "ready" | "tracking" | "playing" | "saving";

/** What the page wants to know. */
export interface Listener {
  /** Anything changed: state, frame, record. Called for every frame. */
  onChange(): void;
  /** Targets came or went, another one was selected. */
  onTargets(): void;
  /** A frame was tracked. */
  onTracked(milliseconds: number): void;
  onError(error: unknown): void;
}

export class Session {
  readonly follower = new Follower();
  record = new Recording();
  selected: Target | null = null;
  video: Video | null = null;
  camera: Camera | null = null;
  frame = 0; // the one that is shown
  missed = 0; // frames of the camera that came while another was worked on
  model = "";
  private run = 0; // counts up with everything that is begun or stopped, so that late answers are known as such
  private mode: State = "empty";
  private wanted: number | null = null; // the frame that a person asked for while another is being read
  private seconds = 0; // time of the camera's frame that is shown
  private tracked: number | null = null; // the camera's frame that was tracked last
  private busy = false;

  constructor(
    private readonly view: View,
    private readonly listener: Listener,
  ) {}

  get state(): State {
    return this.mode;
  }

  get isOpen(): boolean {
    return this.video !== null || this.camera !== null;
  }

  /** Number of frames of a file; of a camera those so far. */
  get count(): number {
    return this.video?.count ?? this.frame + 1;
  }

  get time(): number {
    return this.video?.times[this.frame] ?? this.seconds;
  }

  /** Whether some target is not yet known in all frames after its first box. */
  get unfinished(): boolean {
    return this.record.targets.some((target) => (target.frontier() ?? Infinity) < this.count);
  }

  async openFile(file: File): Promise<void> {
    const video = await Video.open(file);
    await this.close();
    this.video = video;
    await this.show(0);
  }

  async openCamera(): Promise<void> {
    const camera = await Camera.open((number, seconds) => void this.onCameraFrame(number, seconds).catch((error) => this.listener.onError(error)));
    await this.close();
    this.camera = camera;
    this.view.show(await camera.grab(), 0);
    this.listener.onChange();
  }

  /** Takes the targets of a project or a file of boxes in place of those that were here. */
  async use(record: Recording): Promise<void> {
    this.stop();
    await this.follower.reset();
    this.record = record;
    this.select(record.targets[0] ?? null);
    this.view.paint();
  }

  select(target: Target | null): void {
    this.selected = target;
    this.view.paint();
    this.listener.onTargets();
    this.listener.onChange();
  }

  async removeTarget(target: Target): Promise<void> {
    this.stop();
    this.record.remove(target);
    await this.follower.remove(target);
    if (this.selected === target) this.select(this.record.targets[0] ?? null);
    else this.select(this.selected);
  }

  /** Ends whatever runs; the record stays. */
  stop(): void {
    this.run += 1;
    this.tracked = null;
    this.enter(this.isOpen ? "ready" : "empty");
  }

  /** A person drew the selected target's box in the frame that is shown; without a target this is a new one. */
  async draw(box: Box): Promise<void> {
    if (this.selected === null) this.select(this.record.create());
    const target = this.selected!;
    target.draw(this.frame, box);
    if (this.camera !== null) this.record.setTime(this.frame, this.seconds);
    await this.follower.start(target, this.frame, await this.view.copy(), box);
    this.view.paint();
    this.listener.onTargets();
    this.listener.onChange();
    if (this.camera !== null) this.trackCamera();
  }

  /** Shows a frame of the file; of many that are asked for in a row only the last one. */
  async seek(frame: number): Promise<void> {
    if (this.video === null) return;
    this.stop();
    const idle = this.wanted === null;
    this.wanted = Math.min(Math.max(Math.round(frame), 0), this.video.count - 1);
    if (!idle) return;
    try {
      for (let shown = -1; shown !== this.wanted; ) {
        shown = this.wanted;
        await this.show(shown);
      }
    } finally {
      this.wanted = null;
    }
  }

  /** Plays the file at its pace without tracking. */
  async play(): Promise<void> {
    const { video } = this;
    if (video === null) return;
    const run = this.begin("playing");
    if (this.frame >= video.count - 1) await this.show(0);
    const [start, from] = [performance.now(), video.times[this.frame]!];
    while (run === this.run && this.frame < video.count - 1) {
      const next = Math.max(this.frame + 1, video.indexAt(from + (performance.now() - start) / 1000));
      const wait = (video.times[next]! - from) * 1000 - (performance.now() - start);
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      if (run === this.run) await this.show(next);
    }
    if (run === this.run) this.stop();
  }

  /** Follows all targets through all frames in which they are not known yet. */
  async track(): Promise<void> {
    if (this.camera !== null) {
      this.trackCamera();
      return;
    }
    const { video } = this;
    if (video === null) return;
    const run = this.begin("tracking");
    while (run === this.run) {
      const frame = Math.min(...this.record.targets.map((target) => target.frontier() ?? Infinity));
      if (frame >= video.count) break;
      await this.trackFrame(video, frame, run);
    }
    if (run === this.run) this.stop();
  }

  /** Follows all targets again from their first boxes; boxes that were drawn later stay. */
  async restart(): Promise<void> {
    this.stop();
    await this.follower.reset();
    for (const target of this.record.targets) target.restart();
    await this.show(Math.min(...this.record.targets.map((target) => target.first ?? 0)));
    await this.track();
  }

  /** Begins something that others must not disturb, such as saving a video. */
  begin(state: State): number {
    this.run += 1;
    this.enter(state);
    return this.run;
  }

  holds(run: number): boolean {
    return run === this.run;
  }

  private async trackFrame(video: Video, frame: number, run: number): Promise<void> {
    const due = this.record.targets.filter((target) => target.frontier() === frame);
    for (const target of due) {
      if (this.follower.seenUpTo(target) !== frame - 1) await this.takeUp(video, target, frame - 1);
    }
    if (run !== this.run) return;
    const picture = await video.read(frame);
    const { bitmap, milliseconds } = await this.follower.update(this.record, due, frame, picture, () => run === this.run);
    if (run !== this.run) {
      bitmap.close();
      return;
    }
    this.frame = frame;
    this.view.show(bitmap, frame);
    this.listener.onTracked(milliseconds);
    this.listener.onChange();
  }

  /** Makes a tracker that knows the target up to `frame`: with the template of the key frame before, where the record says it was. */
  private async takeUp(video: Video, target: Target, frame: number): Promise<void> {
    const key = target.keyBefore(frame)!;
    const bitmap = key === this.frame ? await this.view.copy() : await video.read(key);
    await this.follower.start(target, key, bitmap, target.at(key)!.box);
    if (key < frame) await this.follower.place(target, frame, target.at(frame)!.box);
  }

  private async show(frame: number): Promise<void> {
    const { video } = this;
    if (video === null) return;
    const bitmap = await video.read(frame);
    if (video !== this.video) {
      bitmap.close();
      return;
    }
    this.frame = frame;
    this.view.show(bitmap, frame);
    this.listener.onChange();
  }

  private trackCamera(): void {
    const known = this.record.targets.some((target) => this.follower.seenUpTo(target) !== undefined);
    this.tracked = this.frame;
    this.begin(known ? "tracking" : "ready");
  }

  private async onCameraFrame(number: number, seconds: number): Promise<void> {
    const { camera } = this;
    if (camera === null || this.busy || this.frozen) return;
    this.busy = true;
    try {
      const run = this.run;
      const picture = await camera.grab();
      const due = this.mode === "tracking" ? this.record.targets.filter((target) => this.follower.seenUpTo(target) !== undefined) : [];
      const { bitmap, milliseconds } =
        due.length > 0
          ? await this.follower.update(this.record, due, number, picture, () => run === this.run)
          : { bitmap: picture, milliseconds: 0 };
      if (run !== this.run || this.frozen) {
        bitmap.close();
        return;
      }
      [this.frame, this.seconds] = [number, seconds];
      if (due.length > 0) {
        this.record.setTime(number, seconds);
        this.missed += number - (this.tracked ?? number - 1) - 1;
        this.tracked = number;
        this.listener.onTracked(milliseconds);
      }
      this.view.show(bitmap, number);
      this.listener.onChange();
    } finally {
      this.busy = false;
    }
  }

  /** A box is being drawn on the camera's picture, or a person paused it. */
  frozen = false;

  private async close(): Promise<void> {
    this.video?.close();
    this.camera?.close();
    [this.video, this.camera, this.frame, this.missed, this.frozen] = [null, null, 0, 0, false];
    this.record = new Recording();
    await this.follower.reset();
    this.enter("ready");
    this.run += 1;
    this.select(null);
  }

  private enter(state: State): void {
    this.mode = state;
    this.listener.onChange();
  }
}
