// Boxes as files: the CSV, JSON lines and MOT that `fear track --boxes` writes too.

import type { Recording } from "./record";
import type { Entry, Target } from "./target";

export const FIELDS = ["frame", "time", "target", "x", "y", "w", "h", "score", "similarity", "lost"] as const;

interface Row {
  readonly frame: number;
  readonly seconds: number;
  readonly target: Target;
  readonly entry: Entry;
}

/** All entries, frame by frame, targets in their order within a frame. */
function rows(record: Recording, times: readonly number[] | null): Row[] {
  const all = record.targets.flatMap((target) =>
    target.rows().map(([frame, entry]) => ({ frame, target, entry, seconds: record.timeOf(frame, times) })),
  );
  return all.sort((a, b) => a.frame - b.frame || a.target.id - b.target.id);
}

/** A table with a header. */
export function toCsv(record: Recording, times: readonly number[] | null): string {
  const lines = rows(record, times).map(({ frame, seconds, target, entry }) => {
    const { box, score, similarity, lost } = entry;
    const place = [box.x, box.y, box.width, box.height].map((value) => value.toFixed(2));
    return [frame, seconds.toFixed(6), target.id, ...place, score.toFixed(4), similarity.toFixed(4), Number(lost)].join(",");
  });
  return [FIELDS.join(","), ...lines, ""].join("\n");
}

/** The same fields with the target's name, as one list of objects. */
export function toJson(record: Recording, times: readonly number[] | null): string {
  const objects = rows(record, times).map(({ frame, seconds, target, entry }) => ({
    frame,
    time: round(seconds, 6),
    target: target.id,
    name: target.name,
    x: round(entry.box.x, 2),
    y: round(entry.box.y, 2),
    w: round(entry.box.width, 2),
    h: round(entry.box.height, 2),
    score: round(entry.score, 4),
    similarity: round(entry.similarity, 4),
    lost: entry.lost,
    key: entry.key,
  }));
  return `[\n${objects.map((object) => JSON.stringify(object)).join(",\n")}\n]\n`;
}

/** MOTChallenge: frame and target counted from 1, `-1` for what is not known; frames in which the target is lost have no line. */
export function toMot(record: Recording, times: readonly number[] | null): string {
  const lines = rows(record, times)
    .filter(({ entry }) => !entry.lost)
    .map(({ frame, target, entry: { box, score } }) => {
      const place = [box.x, box.y, box.width, box.height].map((value) => value.toFixed(2));
      return [frame + 1, target.id + 1, ...place, score.toFixed(4), -1, -1, -1].join(",");
    });
  return [...lines, ""].join("\n");
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Reads such a CSV into a recording that is empty: the first row of each target is its first key frame. */
export function readCsv(text: string, name: string, record: Recording): void {
  const [header = "", ...lines] = text.trim().split(/\r?\n/);
  const fields = header.split(",");
  const missing = FIELDS.filter((field) => !fields.includes(field) && field !== "similarity" && field !== "time");
  if (missing.length > 0) throw new Error(`${name}: expected a CSV with the columns ${FIELDS.join(", ")}; ${missing.join(", ")} is missing.`);
  const targets = new Map<number, Target>();
  lines.forEach((line, number) => {
    const cells = line.split(",");
    const value = (field: string) => Number(cells[fields.indexOf(field)] ?? NaN);
    const frame = value("frame");
    const box = { x: value("x"), y: value("y"), width: value("w"), height: value("h") };
    if (!Number.isInteger(frame) || !Object.values(box).every(Number.isFinite)) {
      throw new Error(`${name}, line ${number + 2}: expected a frame and a box in numbers, got ${line.slice(0, 60)}`);
    }
    const id = value("target");
    const known = targets.get(id);
    const target = known ?? record.create(undefined, id);
    targets.set(id, target);
    const similarity = fields.includes("similarity") ? value("similarity") : 1;
    target.put(frame, { box, score: value("score"), similarity, lost: value("lost") === 1, key: known === undefined });
  });
}
