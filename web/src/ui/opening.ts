// Opening: a video, the sample, a camera; a project or a file of boxes, before or after its video.

import { readCsv } from "../record/files";
import { readProject, type VideoFacts } from "../record/project";
import { Recording } from "../record/record";
import type { Session } from "../session";
import type { Box } from "../tracking/geometry";

type Say = (text: string) => void;

export class Opening {
  private waiting: { record: Recording; video: VideoFacts | null; name: string } | null = null; // boxes whose video is not open yet

  constructor(
    private readonly session: Session,
    private readonly say: Say,
  ) {}

  /** Files that were chosen or dropped: videos first, then what belongs to them. */
  async open(files: readonly File[]): Promise<void> {
    const isBoxes = (file: File) => /\.(csv|json)$/i.test(file.name);
    const videos = files.filter((file) => !isBoxes(file));
    if (videos.length > 1) throw new Error(`The page follows one video at a time; ${videos.length} were chosen.`);
    for (const file of files.filter(isBoxes)) this.waiting = await read(file);
    const [video] = videos;
    if (video !== undefined) {
      this.say(`Reading ${video.name} …`);
      await this.session.openFile(video);
      this.say("Draw a box around what you want to follow: drag from corner to corner, or press Enter on the picture.");
    }
    await this.useWaiting();
  }

  /** The rendered sample, with the box of its target. */
  async openSample(): Promise<void> {
    this.say("Rendering the sample …");
    const [box, video] = await Promise.all([get("./sample.json"), get("./sample.mp4")]);
    await this.session.openFile(new File([await video.blob()], "sample.mp4"));
    const [x, y, width, height] = (await box.json()) as [number, number, number, number];
    this.say("");
    await this.session.draw({ x, y, width, height } satisfies Box);
  }

  private async useWaiting(): Promise<void> {
    const { waiting, session } = this;
    if (waiting === null) return;
    const { video } = session;
    if (video === null) {
      const name = waiting.video?.name ?? "the video";
      this.say(`${waiting.name} is read. Now open ${name} that it belongs to.`);
      return;
    }
    this.waiting = null;
    const last = Math.max(...waiting.record.targets.flatMap((target) => target.rows().map(([frame]) => frame)), 0);
    if (last >= video.count) throw new Error(`${waiting.name}: it has boxes up to frame ${last}, ${video.name} has ${video.count} frames. Is it another video?`);
    const facts = waiting.video;
    if (facts !== null && (facts.width !== video.width || facts.height !== video.height)) {
      throw new Error(`${waiting.name}: it belongs to a video of ${facts.width}×${facts.height} pixels, ${video.name} has ${video.width}×${video.height}.`);
    }
    await session.use(waiting.record);
    this.say(session.unfinished ? "Boxes read. Track goes on where they end." : "Boxes read. Draw again where one is wrong.");
  }
}

async function read(file: File): Promise<{ record: Recording; video: VideoFacts | null; name: string }> {
  const text = await file.text();
  if (/\.json$/i.test(file.name)) {
    const { record, video } = readProject(text, file.name);
    return { record, video, name: file.name };
  }
  const record = new Recording();
  readCsv(text, file.name, record);
  return { record, video: null, name: file.name };
}

async function get(path: string): Promise<Response> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: expected the sample, got ${response.status} ${response.statusText}`);
  return response;
}
