// Follows targets, by their numbers: `init(target, frame, box)`, then `update(targets, frame)` (src/fear/tracking/tracker.py).

import { assign, inConflict } from "./assignment";
import type { Frame } from "./crop";
import type { Box, Window } from "./geometry";
import type { Network } from "./network";
import type { Card, Rules } from "./rules";
import { Target, type Detection, type Track } from "./target";

export type { Track } from "./target";

const PEAKS = 3; // of each search that are offered where targets are in conflict

export class Tracker {
  private readonly targets = new Map<number, Target>();
  private readonly crops = new Map<number, Uint8Array>(); // by their side

  constructor(
    private readonly network: Network,
    private readonly card: Card,
    private readonly rules: Rules,
  ) {}

  /** Starts a target, or starts it anew. */
  async init(number: number, frame: Frame, box: Box): Promise<void> {
    this.targets.set(number, await Target.start(this.network, this.card, this.rules, frame, box));
  }

  place(number: number, box: Box): void {
    this.target(number).place(box);
  }

  remove(number: number): void {
    this.targets.delete(number);
  }

  /** Finds these targets in the next frame; no two of them get the same object. */
  async update(numbers: readonly number[], frame: Frame): Promise<Track[]> {
    const targets = numbers.map((number) => this.target(number));
    for (const target of targets) target.limitSize(targets.filter((other) => other !== target));
    const peaks = targets.length > 1 ? PEAKS : 1;
    const [local, wide]: [Detection[][], Detection[][]] = [[], []];
    for (const target of targets) {
      local.push(await this.searchHere(frame, target, peaks));
      const elsewhere: Detection[] = [];
      for (const window of target.wideWindows()) elsewhere.push(...(await this.search(frame, target, window, peaks)));
      wide.push(elsewhere);
    }
    const chosen = choose(targets, local);
    const tracks = new Map<Target, Track>();
    const lost = (target: Target) => Number(target.claimedBox === null);
    for (const target of [...targets].sort((a, b) => lost(a) - lost(b))) {
      // lost ones come last: they get what is left
      const others = targets.flatMap((other) => (other === target || other.claimedBox === null ? [] : [other.claimedBox]));
      const place = targets.indexOf(target);
      tracks.set(target, await target.advance(frame, chosen[place]!, wide[place]!, others));
    }
    return targets.map((target) => tracks.get(target)!);
  }

  /** The local search, and a second one where the camera may have moved the target out of it. */
  private async searchHere(frame: Frame, target: Target, count: number): Promise<Detection[]> {
    const first = await this.search(frame, target, target.searchWindow(), count);
    const window = target.secondWindow(frame, first[0]!);
    if (window === null) return first;
    const second = await this.search(frame, target, window, count);
    return target.convinces(second[0]!) ? second : first;
  }

  private async search(frame: Frame, target: Target, window: Window, count: number): Promise<Detection[]> {
    const { side } = window;
    const out = this.crops.get(side) ?? new Uint8Array(side * side * 3);
    this.crops.set(side, out);
    target.cut(frame, window, out);
    return target.read(frame, window, await this.network.match(out, target.template.features, this.card.network.width), count);
  }

  private target(number: number): Target {
    const target = this.targets.get(number);
    if (target === undefined) throw new Error(`expected target ${number} to be started before it is followed`);
    return target;
  }
}

/** What each target may take: all that was found where it is lost, else one place, or nothing, so that no two targets get the same object. */
function choose(targets: readonly Target[], local: readonly Detection[][]): (readonly Detection[])[] {
  const best: (readonly Detection[])[] = [...local];
  const following = targets.flatMap(({ claimedBox }, place) => (claimedBox === null ? [] : [place]));
  if (!inConflict(following.map((place) => local[place]![0]!.box))) return best;
  const chosen = assign(following.map((place) => targets[place]!.options(local[place]!)));
  following.forEach((place, row) => {
    const peak = chosen[row]!;
    best[place] = peak === null ? [] : [local[place]![peak]!];
  });
  return best;
}
