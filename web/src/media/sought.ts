// Frames through a video element that is moved from frame to frame: slower, for browsers and pages without WebCodecs (plain http from
// another machine has none), and for compressions that only the element knows.

import type { Frames } from "./frames";

export class SoughtFrames implements Frames {
  private constructor(
    private readonly element: HTMLVideoElement,
    private readonly times: readonly number[],
    private readonly width: number,
    private readonly height: number,
  ) {}

  /** Null where the browser cannot show the file. */
  static open(file: File, times: readonly number[], width: number, height: number): Promise<SoughtFrames | null> {
    const element = document.createElement("video");
    element.muted = element.playsInline = true;
    element.preload = "auto";
    return new Promise((resolve) => {
      element.onloadeddata = () => resolve(element.videoWidth > 0 ? new SoughtFrames(element, times, width, height) : null);
      element.onerror = () => {
        URL.revokeObjectURL(element.src);
        resolve(null);
      };
      element.src = URL.createObjectURL(file);
      element.load();
    });
  }

  async read(index: number): Promise<ImageBitmap> {
    const start = this.times[index]!;
    const end = this.times[index + 1] ?? Math.max(this.element.duration, start);
    await new Promise<void>((resolve, reject) => {
      this.element.onseeked = () => resolve();
      this.element.onerror = () => reject(new Error(`frame ${index} cannot be decoded; the video file is damaged there`));
      this.element.currentTime = (start + end) / 2; // well within the frame: its borders are rounded
    });
    return createImageBitmap(this.element, { resizeWidth: this.width, resizeHeight: this.height });
  }

  close(): void {
    URL.revokeObjectURL(this.element.src);
    this.element.removeAttribute("src");
  }
}
