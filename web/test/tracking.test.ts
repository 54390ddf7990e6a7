import { describe, expect, it } from "vitest";

import { cameraMotion, OVERVIEW } from "../src/tracking/camera";
import { crop, meanColour, type Frame } from "../src/tracking/crop";
import { decode, peaks } from "../src/tracking/decode";
import { clipBox, iou, shrunk, onPixels, step, toFrame, windowAround } from "../src/tracking/geometry";
import { requireRules, searchSide, type NetworkConfig, type Rules } from "../src/tracking/rules";
import { assign, inConflict } from "../src/tracking/assignment";
import { Presence } from "../src/tracking/presence";
import { Redetection } from "../src/tracking/redetection";
import { DualTemplate } from "../src/tracking/template";
import { frameThatReads } from "./frames";

const RULES: Rules = {
  dynamic_template: true,
  template_context: 0.25,
  search_context: 2,
  search_size: 192,
  steady_search_size: 128,
  steady_score: 0.95,
  steady_step: 0.25,
  window: 0,
  penalty: 0,
  size_rate: null,
  lost_score: 0.5,
  lost_similarity: 0.75,
  least_similarity: 0.5,
  doubt_frames: 2,
  camera_motion: true,
  redetection: true,
  redetection_work: 3,
  found_score: 0.8,
  found_similarity: 0.8,
  found_frames: 2,
  update_interval: 2,
};

/** A frame whose red is the column, green the row, blue 7. */
function ramp(width: number, height: number): Frame {
  return frameThatReads(width, height, (x, y, w, h) => {
    const data = new Uint8Array(w * h * 4);
    for (let row = 0; row < h; row++) for (let column = 0; column < w; column++) data.set([x + column, y + row, 7, 255], (row * w + column) * 4);
    return { data, width: w, height: h };
  });
}

describe("boxes and windows", () => {
  const box = { x: 10, y: 20, width: 20, height: 40 };

  it("grow, shrink and map back", () => {
    const window = windowAround(box, 2, 100);
    expect(window).toEqual({ x: -30, y: -60, width: 100, height: 200, side: 100 });
    expect(shrunk(window, 0.5)).toEqual({ x: -5, y: -10, width: 50, height: 100, side: 100 });
    expect(toFrame(window, { x: 40, y: 40, width: 20, height: 20 })).toEqual({ x: 10, y: 20, width: 20, height: 40 });
  });

  it("only large windows move to whole pixels", () => {
    expect(onPixels({ x: 0.4, y: 0.6, width: 50, height: 200, side: 96 })).toEqual({ x: 0.4, y: 0.6, width: 50, height: 200, side: 96 });
    expect(onPixels({ x: 0.4, y: 0.6, width: 100.3, height: 200, side: 96 })).toEqual({ x: 0, y: 1, width: 101, height: 200, side: 96 });
  });

  it("are clipped and compared", () => {
    expect(clipBox({ x: -10, y: 5, width: 30, height: 20 }, 200, 100)).toEqual({ x: 0, y: 5, width: 20, height: 20 });
    expect(iou(box, box)).toBe(1);
    expect(iou(box, { ...box, x: 30 })).toBe(0);
    expect(iou(box, { ...box, x: 20 })).toBeCloseTo(1 / 3);
    expect(step(box, { ...box, x: 15, y: 30 })).toBe(0.25);
  });
});

describe("crops", () => {
  it("sample where pixels have their centres", () => {
    const out = new Uint8Array(4 * 4 * 3);
    crop(ramp(100, 100), { x: 10, y: 20, width: 4, height: 8, side: 4 }, [0, 0, 0], out);
    expect([...out.slice(0, 6)]).toEqual([10, 21, 7, 11, 21, 7]); // 20.5 is rounded up
    expect([...out.slice(-3)]).toEqual([13, 27, 7]);
  });

  it("fill what lies outside", () => {
    const out = new Uint8Array(2 * 2 * 3);
    crop(ramp(10, 10), { x: -20, y: -20, width: 8.5, height: 8.5, side: 2 }, [1, 2, 3], out);
    expect([...out]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });

  it("have a mean colour", () => {
    expect(meanColour(ramp(3, 5))).toEqual([1, 2, 7]);
  });
});

describe("the camera's motion", () => {
  /** Waves that do not repeat within the frame, moved. */
  const waves = (across: number, down: number) =>
    frameThatReads(512, 256, (left, top, w, h) => {
      const data = new Uint8Array(w * h * 4);
      for (let row = 0; row < h; row++) {
        for (let column = 0; column < w; column++) {
          const [x, y] = [left + column - across, top + row - down];
          const value = 128 + 60 * Math.sin(x / 9 + (y * y) / 3000) + 60 * Math.cos(y / 7 + (x * x) / 5000);
          data.fill(value, (row * w + column) * 4, (row * w + column) * 4 + 4);
        }
      }
      return { data, width: w, height: h };
    }).overview(OVERVIEW);

  it("is that of what stands still", () => {
    for (const [across, down] of [[0, 0], [40, -12], [-4, 6]] as const) {
      const motion = cameraMotion(waves(0, 0), waves(across, down), { width: 512, height: 256 })!;
      expect(Math.abs(motion[0] - across)).toBeLessThan(2);
      expect(Math.abs(motion[1] - down)).toBeLessThan(2);
    }
  });

  it("is none where a frame shows nothing", () => {
    const nothing = frameThatReads(512, 256, (_x, _y, w, h) => ({ data: new Uint8Array(w * h * 4), width: w, height: h })).overview(OVERVIEW);
    expect(cameraMotion(waves(0, 0), nothing, { width: 512, height: 256 })).toEqual([0, 0]);
  });

  it("is unknown at a cut to another scene", () => {
    const noise = (seed: number, shift: number) =>
      frameThatReads(512, 256, (_x, _y, w, h) => {
        const data = Uint8Array.from({ length: w * h * 4 }, (_, k) => ((k >> 2) * (2 * seed + 7919) * 104729) >>> shift);
        return { data, width: w, height: h };
      }).overview(OVERVIEW);
    expect(cameraMotion(noise(1, 24), noise(2, 26), { width: 512, height: 256 })).toBeNull();
    expect(cameraMotion(noise(1, 24), noise(2, 24), { width: 512, height: 256 })).toEqual([0, 0]); // as bright as before
  });
});

describe("decoding", () => {
  const scores = new Float32Array(64).fill(0.1);
  const boxes = new Float32Array(4 * 64).fill(10);
  scores[3 * 8 + 5] = 0.9;

  it("reads the box of the best cell", () => {
    const { box, score } = decode(scores, boxes, { width: 20, height: 20 }, RULES);
    expect(score).toBeCloseTo(0.9);
    expect(box).toEqual({ x: 70, y: 38, width: 20, height: 20 });
  });

  it("prefers the middle by the window, the old shape by the penalty", () => {
    const corner = scores.slice();
    corner[0] = 0.95;
    expect(decode(corner, boxes, { width: 20, height: 20 }, { ...RULES, window: 0.38 }).box.x).toBe(70);
    const changed = boxes.slice();
    for (let side = 0; side < 4; side++) changed[side * 64] = 60;
    expect(decode(corner, changed, { width: 20, height: 20 }, { ...RULES, penalty: 0.062 }).box.x).toBe(70);
  });

  it("gives further places that are apart from the best one", () => {
    const two = scores.slice();
    [two[3 * 8 + 4], two[0]] = [0.8, 0.7];
    const small = new Float32Array(4 * 64).fill(20);
    const found = [...peaks(two, small, { width: 40, height: 40 }, RULES)].slice(0, 2);
    expect(found.map(({ score }) => Math.round(score * 10))).toEqual([9, 7]);
  });

  it("smooths the size", () => {
    const { box } = decode(scores, boxes, { width: 40, height: 20 }, { ...RULES, size_rate: 0.5 });
    expect(box.width).toBeCloseTo(40 - 0.5 * 0.9 * 20);
  });
});

describe("rules", () => {
  it("that the page needs must come with the networks", () => {
    expect(requireRules(RULES)).toBe(RULES);
    const { window: _, ...rest } = RULES;
    expect(() => requireRules(rest)).toThrow("expected the rules window, which it lacks");
  });

  const network: NetworkConfig = { name: "x", width: 4, template_size: 128, search_size: 256, least_search_size: 176 };

  it("steady targets are searched in as little as the weights know", () => {
    expect(searchSide(RULES, network, false)).toBe(192);
    expect(searchSide(RULES, network, true)).toBe(176);
    expect(searchSide(RULES, { ...network, least_search_size: 128 }, true)).toBe(128);
    expect(searchSide({ ...RULES, steady_search_size: null }, network, true)).toBe(192);
  });
});

describe("presence", () => {
  it("a target is lost after some doubtful frames and not before", () => {
    const presence = new Presence(RULES, 0.8);
    expect(presence.observe(0.99, 0.8)).toBe(false);
    expect([presence.observe(0.3, 0.8), presence.lost]).toEqual([true, false]);
    expect([presence.observe(0.9, 0.3), presence.lost]).toEqual([true, true]); // found, but unlike
    presence.found();
    expect([presence.observe(0.97, 0.6), presence.lost]).toEqual([false, false]); // so sure that it is the target, turned
    expect(presence.observe(0.97, 0.3)).toBe(true); // however sure, another object
  });

  it("a doubtful target is lost at once at a cut", () => {
    const presence = new Presence({ ...RULES, doubt_frames: 5 }, 0.8);
    presence.observe(0.99, 0.8, true);
    expect(presence.lost).toBe(false); // it is there in both scenes
    presence.observe(0.3, 0.8, true);
    expect(presence.lost).toBe(true);
  });

  it("elsewhere a lost target has to look like itself", () => {
    const presence = new Presence(RULES, 0.8);
    expect(presence.isFound(0.97, 0.6, false)).toBe(true);
    expect(presence.isFound(0.97, 0.3, false)).toBe(false);
    expect(presence.isFound(0.97, 0.6, true)).toBe(false);
    expect(presence.isFound(0.85, 0.7, true)).toBe(true);
  });
});

describe("finding a lost target again", () => {
  const network: NetworkConfig = { name: "x", width: 4, template_size: 128, search_size: 256, least_search_size: 176 };
  const box = { x: 100, y: 100, width: 40, height: 20 };

  it("looks over the whole picture, nearest first", () => {
    const redetection = new Redetection(box, { width: 640, height: 360 }, RULES, network);
    const [first, second] = redetection.windows();
    const far = ({ x, y, width, height }: typeof box) => Math.hypot((x + width / 2 - 120) / width, (y + height / 2 - 110) / height);
    expect(far(first!)).toBeLessThanOrEqual(far(second!));
    expect(first!.side).toBe(176);
    const all = [first!, second!, ...Array.from({ length: 40 }, () => redetection.windows()).flat()];
    expect(Math.min(...all.map(({ x }) => x))).toBeLessThanOrEqual(0);
    expect(Math.max(...all.map(({ x, width }) => x + width))).toBeGreaterThanOrEqual(640);
  });

  it("a candidate counts when it convinced twice, and nothing else is looked at meanwhile", () => {
    const redetection = new Redetection(box, { width: 640, height: 360 }, RULES, network);
    redetection.propose(box);
    expect(redetection.windows()).toEqual([]);
    expect([redetection.confirm(box), redetection.confirm(box)]).toEqual([false, true]);
    expect(redetection.isPlausible({ ...box, width: 200 })).toBe(false);
  });
});

describe("several targets", () => {
  const box = { x: 0, y: 0, width: 10, height: 10 };
  const other = { ...box, x: 30 };

  it("that found the same object: it goes to the one that it suits better, the other takes its next peak", () => {
    expect(inConflict([box, other])).toBe(false);
    expect(inConflict([box, { ...box, x: 1 }])).toBe(true);
    const options = [[{ box, affinity: 0.5 }, { box: other, affinity: 0.2 }], [{ box, affinity: 0.9 }]];
    expect(assign(options)).toEqual([1, 0]);
    expect(assign([[{ box, affinity: 0.5 }], [{ box, affinity: 0.9 }]])).toEqual([null, 0]);
  });
});

describe("the dual template", () => {
  const features = Float32Array.from([1, 1, 0, 0]); // two channels of two places

  it("takes the frame with the highest similarity at the end of an interval", async () => {
    const template = new DualTemplate(features, 2, 0.5, 2);
    expect(template.similarity(Float32Array.from([2, 0]))).toBeCloseTo(1);
    const embed = async (crop: Uint8Array) => new Float32Array(4).fill(crop[0]!);
    await template.observe(0.9, () => Uint8Array.of(3), embed);
    expect(template.features).toBe(features);
    await template.observe(0.8, () => Uint8Array.of(5), embed);
    expect([...template.features]).toEqual([2, 2, 1.5, 1.5]);
  });

  it("keeps the first frame's where w is 0, and where the target was lost all the while", async () => {
    const never = new DualTemplate(features, 2, 0, 1);
    await never.observe(1, () => expect.fail("no crop is needed"), async () => features);
    const lost = new DualTemplate(features, 2, 0.5, 1);
    await lost.observe(1, null, () => expect.fail("there is no crop"));
    expect(lost.features).toBe(features);
  });
});
