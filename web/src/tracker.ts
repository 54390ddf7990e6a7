// `init(frame, box)`, then `update(frame)` for every frame (src/fear/tracking/target.py). All state of a track is here.

import { crop, meanColour, type Colour, type Frame } from "./crop";
import { decode } from "./decode";
import { clipBox, shrunk, onPixels, step, toFrame, windowAround, type Box } from "./geometry";
import type { Network } from "./network";
import { searchSide, type Card, type Rules } from "./rules";
import { DualTemplate } from "./template";

const SMALLEST = 2; // pixels; a box below this holds nothing to search for

/** Where the target is in one frame. */
export interface Track {
  readonly box: Box; // within the frame's borders
  readonly score: number; // 0 to 1
  readonly similarity: number; // −1 to 1
  readonly lost: boolean; // the target is probably hidden or gone
}

/** Follows one target. */
export class Tracker {
  private box: Box = { x: 0, y: 0, width: 0, height: 0 };
  private fill: Colour = [0, 0, 0];
  private steady = false;
  private template: DualTemplate | null = null;
  private readonly crops = new Map<number, Uint8Array>();

  constructor(
    private readonly network: Network,
    private readonly card: Card,
    private readonly rules: Rules,
  ) {}

  /** Starts anew with this target. */
  async init(frame: Frame, box: Box): Promise<void> {
    const { width, dynamic_weight: weight } = { ...this.card.network, ...this.card };
    this.box = box;
    this.steady = false; // how it moves is not known yet
    this.fill = meanColour(frame);
    this.template = new DualTemplate(
      await this.network.encodeTemplate(this.cutTemplate(frame)),
      width,
      weight,
      this.rules.update_interval,
    );
  }

  /** Finds the target in the next frame. */
  async update(frame: Frame): Promise<Track> {
    const { network, rules, template } = this;
    if (template === null) throw new Error("expected init(frame, box) before update(frame)");
    const config = this.card.network;
    const side = searchSide(rules, config, this.steady);
    const window = onPixels(shrunk(windowAround(this.box, rules.search_context), side / config.search_size));
    const search = this.buffer(side);
    crop(frame, window, side, this.fill, search);
    const maps = await network.match(search, template.features, config.width);

    const before = this.box;
    const size = { width: (before.width * side) / window.width, height: (before.height * side) / window.height };
    const peak = decode(maps.scores, maps.boxes, size, rules);
    const similarity = template.similarity(maps.searchEmbedding);
    const lost = peak.score < rules.lost_score;
    this.box = keptInReach(toFrame(window, peak.box, side), frame);
    this.steady = peak.score >= rules.steady_score && step(before, this.box) <= rules.steady_step;
    await template.observe(similarity, lost ? null : () => this.cutTemplate(frame), (cut) => network.encodeTemplate(cut));
    return { box: clipBox(this.box, frame.width, frame.height), score: peak.score, similarity, lost };
  }

  private cutTemplate(frame: Frame): Uint8Array {
    const side = this.card.network.template_size;
    const out = new Uint8Array(side * side * 3);
    crop(frame, windowAround(this.box, this.rules.template_context), side, this.fill, out);
    return out;
  }

  private buffer(side: number): Uint8Array {
    const buffer = this.crops.get(side) ?? new Uint8Array(side * side * 3);
    this.crops.set(side, buffer);
    return buffer;
  }
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
