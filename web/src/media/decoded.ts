// Frames through WebCodecs: exact and fast forwards; backwards the frames since the last key frame are decoded again, and some are kept.

import { VideoSampleSink, type Input, type InputVideoTrack, type VideoSample } from "mediabunny";

import { indexAt, type Frames } from "./frames";

const KEPT_BYTES = 64 * 2 ** 20; // of pictures before the current one, for steps backwards
const MOST_KEPT = 32;
const WORTH_READING_ON = 32; // frames; a place further on is sought by its key frame

export class DecodedFrames implements Frames {
  private readonly sink: VideoSampleSink;
  private readonly canvas: OffscreenCanvas;
  private readonly kept = new Map<number, ImageBitmap>();
  private readonly mostKept: number;
  private samples: AsyncGenerator<VideoSample, void, unknown> | null = null;
  private next = 0; // the frame that `samples` gives next
  private asked = -1; // the frame that was asked for last

  constructor(
    private readonly input: Input,
    track: InputVideoTrack,
    private readonly times: readonly number[],
    width: number,
    height: number,
  ) {
    this.sink = new VideoSampleSink(track);
    this.canvas = new OffscreenCanvas(width, height);
    this.mostKept = Math.max(1, Math.min(MOST_KEPT, Math.floor(KEPT_BYTES / (4 * width * height))));
  }

  async read(index: number): Promise<ImageBitmap> {
    const backwards = index < this.asked;
    this.asked = index;
    const kept = this.kept.get(index);
    if (kept !== undefined) return createImageBitmap(kept);
    this.forget();
    if (this.samples === null || index < this.next || index > this.next + WORTH_READING_ON) {
      await this.start(backwards ? Math.max(0, index - this.mostKept + 1) : index);
    }
    for (;;) {
      const bitmap = await this.advance(index, backwards);
      if (bitmap !== null) return bitmap;
    }
  }

  close(): void {
    this.forget();
    void this.samples?.return();
    this.samples = null;
    this.input.dispose();
  }

  private async start(index: number): Promise<void> {
    await this.samples?.return();
    this.samples = this.sink.samples(this.times[index]!);
    this.next = index;
  }

  /** Reads one frame on; gives it where it is the wanted one. */
  private async advance(wanted: number, keep: boolean): Promise<ImageBitmap | null> {
    const { value: sample, done } = await this.samples!.next();
    if (done || sample === undefined) {
      this.samples = null;
      throw new Error(`frame ${wanted} cannot be decoded; the video file is damaged or was cut short`);
    }
    const index = indexAt(this.times, sample.timestamp);
    this.next = index + 1;
    if (index < wanted && !keep) {
      sample.close();
      return null;
    }
    const bitmap = this.draw(sample);
    if (index > wanted) {
      bitmap.close();
      throw new Error(`frame ${wanted} cannot be decoded; the video file is damaged there`);
    }
    if (keep) this.kept.set(index, index === wanted ? await createImageBitmap(bitmap) : bitmap);
    return index === wanted ? bitmap : null;
  }

  private draw(sample: VideoSample): ImageBitmap {
    const { width, height } = this.canvas;
    sample.draw(this.canvas.getContext("2d")!, 0, 0, width, height);
    sample.close();
    return this.canvas.transferToImageBitmap();
  }

  private forget(): void {
    for (const bitmap of this.kept.values()) bitmap.close();
    this.kept.clear();
  }
}
