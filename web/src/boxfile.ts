// The boxes of a track as `fear track --boxes out.csv` writes them.

import type { Track } from "./tracker";

const HEADER = "frame,time,target,x,y,w,h,score,similarity,lost";

/** Lines of a box file, gathered frame by frame. */
export class BoxFile {
  private readonly lines: string[] = [];

  get frames(): number {
    return this.lines.length;
  }

  add(frame: number, seconds: number, { box, score, similarity, lost }: Track): void {
    const place = [box.x, box.y, box.width, box.height].map((value) => value.toFixed(2));
    const fields = [frame, seconds.toFixed(6), 0, ...place, score.toFixed(4), similarity.toFixed(4), Number(lost)];
    this.lines.push(fields.join(","));
  }

  /** A table with a header. */
  toCsv(): string {
    return [HEADER, ...this.lines, ""].join("\n");
  }
}
