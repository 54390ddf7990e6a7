// A project: everything that the page knows about a video, to be opened again with it; `fear data unpack` reads it too.

import { round } from "./files";
import { Recording } from "./record";

const FORMAT = "fear-project";
const VERSION = 1;

/** The video that a project belongs to. It is not part of the file. */
export interface VideoFacts {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
}

/** As the file holds it. A row: frame, x, y, w, h, score, similarity, lost, key. */
interface ProjectFile {
  readonly format: typeof FORMAT;
  readonly version: number;
  readonly video: VideoFacts;
  readonly model: string;
  readonly targets: readonly { id: number; name: string; rows: readonly (readonly number[])[] }[];
}

export interface Project {
  readonly video: VideoFacts;
  readonly model: string;
  readonly record: Recording;
}

export function toProject({ video, model, record }: Project): string {
  const targets = record.targets.map((target) => ({
    id: target.id,
    name: target.name,
    rows: target.rows().map(([frame, { box, score, similarity, lost, key }]) => {
      return [frame, box.x, box.y, box.width, box.height, round(score, 4), round(similarity, 4), Number(lost), Number(key)];
    }),
  }));
  const file: ProjectFile = { format: FORMAT, version: VERSION, video, model, targets };
  return JSON.stringify(file).replaceAll("],[", "],\n[") + "\n";
}

export function readProject(text: string, name: string): Project {
  const wrong = (what: string) => new Error(`${name}: expected a project that this page saved, got ${what}.`);
  let file: ProjectFile;
  try {
    file = JSON.parse(text) as ProjectFile;
  } catch {
    throw wrong("a file that is not JSON");
  }
  if (file?.format !== FORMAT) throw wrong("another kind of JSON");
  if (file.version !== VERSION) throw wrong(`version ${file.version}; this page reads version ${VERSION}`);
  const record = new Recording();
  for (const { id, name: title, rows } of file.targets) {
    const target = record.create(title, id);
    for (const row of rows) {
      if (row.length !== 9 || !row.every(Number.isFinite)) throw wrong(`a row that is not nine numbers: ${row.join(", ")}`);
      const [frame, x, y, width, height, score, similarity, lost, key] = row as [number, number, number, number, number, number, number, number, number];
      target.put(frame, { box: { x, y, width, height }, score, similarity, lost: lost === 1, key: key === 1 });
    }
  }
  return { video: file.video, model: file.model, record };
}
