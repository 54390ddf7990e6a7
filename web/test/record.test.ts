import { describe, expect, it } from "vitest";

import { unknownCodec, unknownContainer } from "../src/media/complaints";
import { indexAt } from "../src/media/frames";
import { readCsv, toCsv, toJson, toMot } from "../src/record/files";
import { readProject, toProject } from "../src/record/project";
import { Recording } from "../src/record/record";

const BOX = { x: 1, y: 2, width: 3, height: 4 };
const OTHER = { x: 5, y: 6, width: 7, height: 8 };
const FOUND = { box: OTHER, score: 0.9, similarity: 0.8, lost: false, key: false };

/** A target that was drawn in frame 0 and found up to `last`. */
function tracked(last: number) {
  const record = new Recording();
  const target = record.create();
  target.draw(0, BOX);
  for (let frame = 1; frame <= last; frame++) target.put(frame, FOUND);
  return { record, target };
}

describe("a track with key frames", () => {
  it("drawing again keeps what was before and forgets what comes after", () => {
    const { target } = tracked(9);
    target.draw(4, OTHER);
    expect(target.rows().map(([frame]) => frame)).toEqual([0, 1, 2, 3, 4]);
    expect(target.keys).toEqual([0, 4]);
    expect(target.frontier()).toBe(5);
  });

  it("drawing before a later correction keeps that correction and what was found from it", () => {
    const { target } = tracked(3);
    target.draw(4, OTHER);
    for (const frame of [5, 6]) target.put(frame, FOUND);
    target.draw(2, BOX);
    expect(target.rows().map(([frame]) => frame)).toEqual([0, 1, 2, 4, 5, 6]);
    expect(target.frontier()).toBe(3);
    target.put(3, FOUND);
    expect(target.frontier()).toBe(7);
    expect(target.keyBefore(3)).toBe(2);
  });

  it("from the start uses the first box, and keeps what was drawn later", () => {
    const { target } = tracked(9);
    target.draw(4, OTHER);
    target.put(5, FOUND);
    target.restart();
    expect(target.rows().map(([frame, { key }]) => [frame, key])).toEqual([[0, true], [4, true]]);
    expect(target.first).toBe(0);
    expect(target.frontier()).toBe(1);
  });

  it("a correction can be taken back, the first box cannot", () => {
    const { target } = tracked(9);
    target.draw(4, OTHER);
    expect(target.undraw(0)).toBe(false);
    expect(target.undraw(3)).toBe(false);
    expect(target.undraw(4)).toBe(true);
    expect(target.keys).toEqual([0]);
    expect(target.frontier()).toBe(4);
  });

  it("the tracker never replaces what a person drew", () => {
    const { target } = tracked(2);
    target.put(0, FOUND);
    expect(target.at(0)?.box).toEqual(BOX);
  });

  it("a target that begins before its first box is moved to the earlier one", () => {
    const record = new Recording();
    const target = record.create();
    target.draw(5, BOX);
    expect(target.frontier()).toBe(6);
    target.draw(2, OTHER);
    expect(target.frontier()).toBe(3);
  });
});

describe("files", () => {
  const { record, target } = tracked(1);
  target.put(2, { ...FOUND, lost: true });
  const times = [0, 0.04, 0.08];

  it("CSV is that of fear track", () => {
    expect(toCsv(record, times).split("\n")).toEqual([
      "frame,time,target,x,y,w,h,score,similarity,lost",
      "0,0.000000,0,1.00,2.00,3.00,4.00,1.0000,1.0000,0",
      "1,0.040000,0,5.00,6.00,7.00,8.00,0.9000,0.8000,0",
      "2,0.080000,0,5.00,6.00,7.00,8.00,0.9000,0.8000,1",
      "",
    ]);
  });

  it("CSV is read back, and says what is wrong with another table", () => {
    const read = new Recording();
    readCsv(toCsv(record, times), "boxes.csv", read);
    expect(toCsv(read, times)).toBe(toCsv(record, times));
    expect(read.targets[0]!.keys).toEqual([0]);
    expect(() => readCsv("a,b\n1,2\n", "boxes.csv", new Recording())).toThrow("frame, target, x, y, w, h, score, lost is missing");
    expect(() => readCsv(`${toCsv(record, times)}3,x\n`, "boxes.csv", new Recording())).toThrow("boxes.csv, line 5: expected a frame");
  });

  it("MOT counts from 1 and leaves out lost frames", () => {
    expect(toMot(record, times)).toBe("1,1,1.00,2.00,3.00,4.00,1.0000,-1,-1,-1\n2,1,5.00,6.00,7.00,8.00,0.9000,-1,-1,-1\n");
  });

  it("JSON has the fields of CSV with name and key", () => {
    expect(JSON.parse(toJson(record, times))[1]).toEqual({
      ...{ frame: 1, time: 0.04, target: 0, name: "target 0" },
      ...{ x: 5, y: 6, w: 7, h: 8, score: 0.9, similarity: 0.8, lost: false, key: false },
    });
  });

  it("a project is read back as it was, with names and key frames", () => {
    target.name = "goose";
    const video = { name: "lake.mp4", width: 640, height: 360, frames: 3 };
    const text = toProject({ video, model: "fear-xs", record });
    const read = readProject(text, "lake.fear.json");
    expect(read.video).toEqual(video);
    expect(toProject(read)).toBe(text);
    expect(() => readProject("{", "x.json")).toThrow("x.json: expected a project that this page saved, got a file that is not JSON");
    expect(() => readProject('{"format": "coco"}', "x.json")).toThrow("another kind of JSON");
  });
});

describe("videos", () => {
  it("frames are found by their time, though decoders round it", () => {
    const times = [0, 1 / 30, 2 / 30, 0.5];
    expect([-1, 0, 0.0333, 0.04, 0.0667, 0.49, 0.5, 9].map((seconds) => indexAt(times, seconds))).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  it("complaints name the kind of file and what to do", () => {
    expect(unknownContainer("old.avi").message).toBe(
      "old.avi: AVI files cannot be opened in a browser. The page opens MP4, MOV, WebM and MKV. " +
        "Convert it to MP4 with H.264, for example with HandBrake, or with: ffmpeg -i old.avi old.mp4",
    );
    expect(unknownCodec("phone.mov", "hevc").message).toContain("H.265 (HEVC), as many phones record it, which this browser cannot decode");
  });
});
