// One target: where it was, how it looks, and whether it is there (src/fear/tracking/target.py).

import { affinity, belongsTo, type Option } from "./assignment";
import { cameraMotion, OVERVIEW } from "./camera";
import { crop, meanColour, type Colour, type Frame, type Pixels } from "./crop";
import { peaks } from "./decode";
import { clipBox, onPixels, step, toFrame, windowAround, type Box, type Window } from "./geometry";
import type { Maps, Network } from "./network";
import { Presence } from "./presence";
import { Redetection } from "./redetection";
import { searchWindow, type Card, type Rules } from "./rules";
import { DualTemplate } from "./template";

const LEAST_MOVE = 0.3; // of the box; what the camera moves less is in the middle of the search anyway
const GROWTH = 1.2; // of a box beside another target, at most
const INERTIA = 0.2; // share of the newest frame in the velocity
const SIZE_MEMORY = 0.05; // and in the usual size
const SMALLEST = 2; // pixels; a box below this holds nothing to search for

/** Where the target is in one frame. */
export interface Track {
  readonly box: Box; // within the frame's borders
  readonly score: number; // 0 to 1
  readonly similarity: number; // −1 to 1
  readonly lost: boolean; // the target is probably hidden or gone
}

/** The best place of one search; the box may reach over the borders of the frame. */
export interface Detection {
  readonly box: Box;
  readonly score: number;
  readonly similarity: number;
}

export class Target {
  readonly template: DualTemplate;
  private sureBox: Box;
  private steady = false; // how it moves is not known yet
  private velocity: readonly [number, number] = [0, 0]; // pixels a frame, across and down
  private usualSize: readonly [number, number];
  private largest: readonly [number, number] | null = null; // width and height, while another target is near
  private readonly presence: Presence;
  private readonly unbiased: Rules; // of searches that do not know where the target was
  private redetection: Redetection | null = null;
  private camera: readonly [number, number] = [0, 0]; // its motion since the last sure frame, in pixels across and down
  private isCut = false; // this frame shows another scene than the one before

  private constructor(
    private readonly network: Network,
    private readonly card: Card,
    private readonly rules: Rules,
    private readonly fill: Colour,
    private box: Box,
    template: DualTemplate,
    similarity: number,
    private before: Pixels | null, // overview of the frame before the next one, where it is known
  ) {
    this.sureBox = box;
    this.usualSize = [box.width, box.height];
    this.presence = new Presence(rules, similarity);
    this.unbiased = { ...rules, window: 0, penalty: 0, size_rate: null };
    this.template = template;
  }

  static async start(network: Network, card: Card, rules: Rules, frame: Frame, box: Box): Promise<Target> {
    const fill = meanColour(frame);
    const { width } = card.network;
    const features = await network.encodeTemplate(cutTemplate(frame, box, fill, card, rules));
    const template = new DualTemplate(features, width, rules.dynamic_template ? card.dynamic_weight : 0, rules.update_interval);
    const window = onPixels(searchWindow(box, rules, card.network, true)); // how similar the target is where it stands in this frame
    const shown = new Uint8Array(window.side * window.side * 3);
    crop(frame, window, fill, shown);
    const similarity = template.similarity((await network.match(shown, template.features, width)).searchEmbedding);
    return new Target(network, card, rules, fill, box, template, similarity, frame.overview(OVERVIEW));
  }

  /** Says where the target was in the frame before the next one, where a track is taken up again; the template stays that of `start`. */
  place(box: Box): void {
    this.box = this.sureBox = box;
    this.steady = false;
    this.usualSize = [box.width, box.height];
    this.before = null;
    this.camera = [0, 0];
  }

  /** The box of a target that is not lost, which no other target can have; null while the target is lost. */
  get claimedBox(): Box | null {
    return this.redetection === null ? this.box : null;
  }

  /** What the next local search shows: the surroundings of the last box, or of a candidate for a lost target. */
  searchWindow(): Window {
    const small = this.steady || this.redetection !== null; // while lost, a frame has other searches as well
    return onPixels(searchWindow(this.redetection?.candidate ?? this.box, this.rules, this.card.network, small));
  }

  /**
   * Where to look again in a frame in which the target was hardly found: where it would be if only the camera had moved. Null where the
   * local search was sure, or had this place in its middle.
   */
  secondWindow(frame: Frame, { score, similarity }: Detection): Window | null {
    this.isCut = false;
    if (!this.rules.camera_motion || this.redetection !== null || !this.presence.isDoubtful(score, similarity)) return null;
    const motion = this.before === null ? ([0, 0] as const) : cameraMotion(this.before, frame.overview(OVERVIEW), frame);
    this.isCut = motion === null;
    if (motion === null) return null;
    const [across, down] = (this.camera = [this.camera[0] + motion[0], this.camera[1] + motion[1]]);
    const { width, height } = this.sureBox;
    const place = { x: this.sureBox.x + across, y: this.sureBox.y + down, width, height };
    const [centreX, centreY] = [place.x + width / 2, place.y + height / 2];
    const moved = Math.abs(across) >= LEAST_MOVE * width || Math.abs(down) >= LEAST_MOVE * height;
    if (!moved || centreX < 0 || centreX >= frame.width || centreY < 0 || centreY >= frame.height) return null;
    return onPixels(searchWindow(place, this.rules, this.card.network, false));
  }

  /** Whether a place other than the expected one shows this target. */
  convinces({ score, similarity }: Detection): boolean {
    return this.presence.isFound(score, similarity, true);
  }

  /** What further searches of this frame show; none while the target is not lost. */
  wideWindows(): Window[] {
    return this.redetection?.windows() ?? [];
  }

  /** Writes the crop of a window into `out`, (side, side, 3). */
  cut(frame: Frame, window: Window, out: Uint8Array): void {
    crop(frame, window, this.fill, out);
  }

  /** What a search found, the best place first, `count` places at most that are apart from each other. */
  read(frame: Frame, window: Window, maps: Maps, count: number): Detection[] {
    const size = { width: (this.box.width * window.side) / window.width, height: (this.box.height * window.side) / window.height };
    const similarity = this.template.similarity(maps.searchEmbedding);
    const found: Detection[] = [];
    for (const { box, score } of peaks(maps.scores, maps.boxes, size, this.redetection === null ? this.rules : this.unbiased)) {
      found.push({ box: keptInReach(this.limited(toFrame(window, box)), frame), score, similarity });
      if (found.length === count) break;
    }
    return found;
  }

  /** Limits the size of the box while another target is near: it would grow until it holds both. */
  limitSize(others: readonly Target[]): void {
    if (!others.some(({ claimedBox }) => claimedBox !== null && this.isNear(claimedBox))) this.largest = null;
    else this.largest ??= [GROWTH * this.usualSize[0], GROWTH * this.usualSize[1]];
  }

  /** How well each place suits this target. */
  options(detections: readonly Detection[]): Option[] {
    const frames = this.presence.doubtfulFrames + 1;
    const expected = { ...this.box, x: this.box.x + frames * this.velocity[0], y: this.box.y + frames * this.velocity[1] };
    return detections.map(({ box, score, similarity }, place) => {
      const possible = place === 0 || score >= this.rules.lost_score; // a second choice has to be a likely one
      return { box, affinity: possible ? affinity(box, expected, score, this.presence.relative(similarity)) : 0 };
    });
  }

  /**
   * Takes what the searches of a frame found.
   *
   * @param local found around the last box or the candidate, the best first; nothing: what was found there belongs to another target
   * @param wide found elsewhere
   * @param others places of other targets in this frame, which a lost target cannot have
   */
  async advance(frame: Frame, local: readonly Detection[], wide: readonly Detection[], others: readonly Box[]): Promise<Track> {
    const nothing = { box: this.box, score: 0, similarity: 0 };
    let found = local[0] ?? nothing;
    let lost: boolean;
    if (this.redetection === null) lost = await this.follow(frame, found);
    else {
      const [free, elsewhere] = [local, wide].map((some) => some.filter((one) => !belongsTo(one.box, others))) as [Detection[], Detection[]];
      found = this.lookFor(this.redetection, free, elsewhere) ?? free[0] ?? nothing;
      lost = this.redetection !== null;
    }
    this.before = frame.overview(OVERVIEW);
    return { box: clipBox(this.box, frame.width, frame.height), score: found.score, similarity: found.similarity, lost };
  }

  /** Moves a target that is not lost to the box that was found; returns `lost` of this frame. */
  private async follow(frame: Frame, { box, score, similarity }: Detection): Promise<boolean> {
    const before = this.box;
    this.box = box;
    this.steady = score >= this.rules.steady_score && step(before, box) <= this.rules.steady_step;
    const doubtful = this.presence.observe(score, similarity, this.isCut);
    if (!doubtful) {
      this.sureBox = box;
      this.camera = [0, 0];
      this.velocity = blend(this.velocity, movement(before, box), INERTIA);
      this.usualSize = blend(this.usualSize, [box.width, box.height], SIZE_MEMORY);
    }
    const cut = () => cutTemplate(frame, this.box, this.fill, this.card, this.rules);
    await this.template.observe(similarity, doubtful ? null : cut, (template) => this.network.encodeTemplate(template));
    if (this.presence.lost) {
      [this.box, this.velocity] = [this.sureBox, [0, 0]];
      this.redetection = new Redetection(this.box, { width: frame.width, height: frame.height }, this.rules, this.card.network);
    }
    return this.presence.lost || score < this.rules.lost_score;
  }

  /** Takes what was found of a lost target; returns what convinced in the local search. */
  private lookFor(redetection: Redetection, local: readonly Detection[], wide: readonly Detection[]): Detection | null {
    const convinces = ({ box, score, similarity }: Detection, elsewhere: boolean) =>
      this.presence.isFound(score, similarity, elsewhere) && redetection.isPlausible(box);
    const looksAtCandidate = redetection.candidate !== null;
    const here = local.find((one) => convinces(one, looksAtCandidate)) ?? null;
    if (here !== null) {
      if (redetection.confirm(here.box)) {
        this.box = this.sureBox = here.box;
        this.presence.found();
        this.redetection = null;
        this.camera = [0, 0];
        this.steady = false;
      }
    } else if (looksAtCandidate) redetection.drop();
    else {
      const convincing = wide.filter((one) => convinces(one, true));
      const better = (best: Detection, one: Detection) => (one.score * one.similarity > best.score * best.similarity ? one : best);
      if (convincing.length > 0) redetection.propose(convincing.reduce(better).box);
    }
    return here;
  }

  private limited(box: Box): Box {
    if (this.largest === null) return box;
    const [width, height] = [Math.min(box.width, this.largest[0]), Math.min(box.height, this.largest[1])];
    return { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height };
  }

  /** Whether another box comes within half a box of this one. */
  private isNear(other: Box): boolean {
    const [across, down] = movement(this.box, other);
    const { width, height } = this.box;
    return Math.abs(across) < (width + other.width) / 2 + width / 2 && Math.abs(down) < (height + other.height) / 2 + height / 2;
  }
}

function cutTemplate(frame: Frame, box: Box, fill: Colour, card: Card, rules: Rules): Uint8Array {
  const side = card.network.template_size;
  const out = new Uint8Array(side * side * 3);
  crop(frame, windowAround(box, rules.template_context, side), fill, out);
  return out;
}

/** How far the centre of a box moved, across and down. */
function movement(before: Box, after: Box): readonly [number, number] {
  return [after.x + after.width / 2 - before.x - before.width / 2, after.y + after.height / 2 - before.y - before.height / 2];
}

/** A mean over frames that follows the newest one by a share. */
function blend(old: readonly [number, number], newest: readonly [number, number], share: number): readonly [number, number] {
  return [old[0] + share * (newest[0] - old[0]), old[1] + share * (newest[1] - old[1])];
}

/** The box itself, moved where its centre left the frame and grown where it vanished: so the next search sees the frame. */
function keptInReach(box: Box, frame: Frame): Box {
  const within = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most);
  const centreX = within(box.x + box.width / 2, 0, frame.width);
  const centreY = within(box.y + box.height / 2, 0, frame.height);
  const width = within(box.width, SMALLEST, 2 * frame.width);
  const height = within(box.height, SMALLEST, 2 * frame.height);
  return { x: centreX - width / 2, y: centreY - height / 2, width, height };
}
