// Numbers below the picture: where we are, how fast it goes. None of them is a live region; screen readers read them when asked.

import type { Session } from "../session";
import { element } from "./dom";

/** An average that forgets. */
class Smoothed {
  private value: number | null = null;

  add(sample: number): number {
    this.value = this.value === null ? sample : this.value + 0.1 * (sample - this.value);
    return this.value;
  }
}

export class Status {
  private pace = new Smoothed();
  private effort = new Smoothed();
  private last: number | null = null; // when the frame before was done

  constructor(private readonly session: Session) {}

  /** A run begins: what was measured before does not count. */
  restart(): void {
    [this.pace, this.effort, this.last] = [new Smoothed(), new Smoothed(), null];
  }

  tracked(milliseconds: number): void {
    const now = performance.now();
    set("milliseconds", `${this.effort.add(milliseconds).toFixed(1)} ms`);
    if (this.last !== null) set("fps", (1000 / this.pace.add(now - this.last)).toFixed(0));
    this.last = now;
  }

  update(): void {
    const { session } = this;
    const { video, camera, frame, time, missed } = session;
    set("place", video === null ? (camera === null ? "–" : `${frame}`) : `${frame + 1} of ${video.count}`);
    set("time", session.isOpen ? clock(time) : "–");
    const known = session.selected === null ? "–" : String(session.selected.length);
    set("known", camera !== null && session.selected !== null ? `${known}, ${missed} left out` : known);
  }
}

export function clock(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - minutes * 60).toFixed(3).padStart(6, "0")}`;
}

function set(id: string, text: string): void {
  const place = element(id);
  if (place.textContent !== text) place.textContent = text;
}
