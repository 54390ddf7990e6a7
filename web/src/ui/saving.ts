// The buttons that save: boxes in three formats, the project, the video with its boxes.

import { writeVideo } from "../media/recorder";
import { toCsv, toJson, toMot } from "../record/files";
import { toProject } from "../record/project";
import type { Session } from "../session";
import { button, download } from "./dom";
import { paintTargets } from "./paint";

type Say = (text: string) => void;

const IDS = ["save-csv", "save-json", "save-mot", "save-project", "save-video"] as const;

export class Saving {
  constructor(
    private readonly session: Session,
    private readonly say: Say,
    guard: (action: () => Promise<void>) => Promise<void>,
  ) {
    const text = (id: (typeof IDS)[number], make: () => [suffix: string, content: string, type: string]) => {
      button(id).onclick = () => guard(async () => this.saveText(...make()));
    };
    const times = () => session.video?.times ?? null;
    text("save-csv", () => ["csv", toCsv(session.record, times()), "text/csv"]);
    text("save-json", () => ["json", toJson(session.record, times()), "application/json"]);
    text("save-mot", () => ["mot.txt", toMot(session.record, times()), "text/plain"]);
    text("save-project", () => ["fear.json", this.project(), "application/json"]);
    button("save-video").onclick = () => guard(() => this.saveVideo());
  }

  update(): void {
    const { record, state, video } = this.session;
    for (const id of IDS) button(id).disabled = record.empty || state === "saving";
    button("save-video").disabled ||= video === null;
    button("save-project").disabled ||= video === null;
  }

  private project(): string {
    const { video, record, model } = this.session;
    const { name, width, height, count } = video!;
    return toProject({ video: { name, width, height, frames: count }, model, record });
  }

  private saveText(suffix: string, content: string, type: string): void {
    download(`${this.stem}.${suffix}`, new Blob([content], { type }));
  }

  private async saveVideo(): Promise<void> {
    const { session } = this;
    const video = session.video!;
    const run = session.begin("saving");
    try {
      const written = await writeVideo(
        video,
        (context, frame) => paintTargets(context, session.record, frame, null, Math.max(1, video.width / 640)),
        (frame) => {
          const holds = session.holds(run);
          if (holds && (frame + 1) % 25 === 0) this.say(`Writing frame ${frame + 1} of ${video.count} …`);
          return holds;
        },
      );
      if (written !== null) {
        download(`${this.stem}-tracked.${written.suffix}`, written.blob);
        this.say(`Saved ${video.count} frames.`);
      }
    } finally {
      if (session.holds(run)) session.stop();
    }
  }

  private get stem(): string {
    const name = this.session.video?.name ?? "camera";
    const dot = name.lastIndexOf(".");
    return dot > 0 ? name.slice(0, dot) : name;
  }
}
