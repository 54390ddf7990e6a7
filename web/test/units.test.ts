import { describe, expect, it } from "vitest";

import { crop, meanColour, type Frame } from "../src/crop";
import { decode } from "../src/decode";
import { clipBox, iou, shrunk, onPixels, step, toFrame, windowAround } from "../src/geometry";
import { BoxFile } from "../src/boxfile";
import { searchSide, type NetworkConfig, type Rules } from "../src/rules";
import { DualTemplate } from "../src/template";

const RULES: Rules = {
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
  update_interval: 2,
};

/** A frame whose red is the column, green the row, blue 7. */
function ramp(width: number, height: number): Frame {
  return {
    width,
    height,
    read: (x, y, w, h) => {
      const data = new Uint8Array(w * h * 4);
      for (let row = 0; row < h; row++) for (let column = 0; column < w; column++) data.set([x + column, y + row, 7, 255], (row * w + column) * 4);
      return { data, width: w, height: h };
    },
  };
}

describe("boxes and windows", () => {
  const box = { x: 10, y: 20, width: 20, height: 40 };

  it("grow, shrink and map back", () => {
    const window = windowAround(box, 2);
    expect(window).toEqual({ x: -30, y: -60, width: 100, height: 200 });
    expect(shrunk(window, 0.5)).toEqual({ x: -5, y: -10, width: 50, height: 100 });
    expect(toFrame(window, { x: 40, y: 40, width: 20, height: 20 }, 100)).toEqual({ x: 10, y: 20, width: 20, height: 40 });
  });

  it("only large windows move to whole pixels", () => {
    expect(onPixels({ x: 0.4, y: 0.6, width: 50, height: 200 })).toEqual({ x: 0.4, y: 0.6, width: 50, height: 200 });
    expect(onPixels({ x: 0.4, y: 0.6, width: 100.3, height: 200 })).toEqual({ x: 0, y: 1, width: 101, height: 200 });
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
    crop(ramp(100, 100), { x: 10, y: 20, width: 4, height: 8 }, 4, [0, 0, 0], out);
    expect([...out.slice(0, 6)]).toEqual([10, 21, 7, 11, 21, 7]); // 20.5 is rounded up
    expect([...out.slice(-3)]).toEqual([13, 27, 7]);
  });

  it("fill what lies outside", () => {
    const out = new Uint8Array(2 * 2 * 3);
    crop(ramp(10, 10), { x: -20, y: -20, width: 8.5, height: 8.5 }, 2, [1, 2, 3], out);
    expect([...out]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });

  it("have a mean colour", () => {
    expect(meanColour(ramp(3, 5))).toEqual([1, 2, 7]);
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

  it("smooths the size", () => {
    const { box } = decode(scores, boxes, { width: 40, height: 20 }, { ...RULES, size_rate: 0.5 });
    expect(box.width).toBeCloseTo(40 - 0.5 * 0.9 * 20);
  });
});

describe("rules", () => {
  const network: NetworkConfig = { name: "x", width: 4, template_size: 128, search_size: 256, least_search_size: 176 };

  it("steady targets are searched in as little as the weights know", () => {
    expect(searchSide(RULES, network, false)).toBe(192);
    expect(searchSide(RULES, network, true)).toBe(176);
    expect(searchSide(RULES, { ...network, least_search_size: 128 }, true)).toBe(128);
    expect(searchSide({ ...RULES, steady_search_size: null }, network, true)).toBe(192);
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

describe("box files", () => {
  it("are those of fear track", () => {
    const file = new BoxFile();
    file.add(4, 0.5, { box: { x: 1, y: 2, width: 3, height: 4 }, score: 0.9, similarity: 0.8, lost: true });
    expect(file.toCsv()).toBe("frame,time,target,x,y,w,h,score,similarity,lost\n4,0.500000,0,1.00,2.00,3.00,4.00,0.9000,0.8000,1\n");
  });
});
