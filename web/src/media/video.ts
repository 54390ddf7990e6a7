// A video file as a table of frames, any of which can be read by its number. The table comes from the file itself (mediabunny reads
// the container), so numbers and times are true ones and no frame is left out, however slow the browser is.

import { BlobSource, EncodedPacketSink, Input, MATROSKA, MP4, MPEG_TS, QTFF, WEBM, type InputVideoTrack } from "mediabunny";

import { noVideo, unknownCodec, unknownContainer } from "./complaints";
import { DecodedFrames } from "./decoded";
import { indexAt, type Frames } from "./frames";
import { SoughtFrames } from "./sought";

/** An open video file. */
export class Video {
  private last: Promise<unknown> = Promise.resolve();
  private previous = -1; // the frame that was read last
  private ahead: { index: number; bitmap: Promise<ImageBitmap> } | null = null; // decoded while the caller works on the one before

  private constructor(
    readonly name: string,
    readonly width: number,
    readonly height: number,
    readonly times: readonly number[], // seconds, of every frame in the order of showing
    private readonly frames: Frames,
  ) {}

  static async open(file: File): Promise<Video> {
    const input = new Input({ source: new BlobSource(file), formats: [MP4, QTFF, WEBM, MATROSKA, MPEG_TS] });
    try {
      if (!(await input.canRead())) throw unknownContainer(file.name);
      const track = await input.getPrimaryVideoTrack();
      if (track === null) throw noVideo(file.name);
      const times = await timesOf(track);
      if (times.length === 0) throw noVideo(file.name);
      const { width, height } = await sizeOf(track);
      if (await track.canDecode()) return new Video(file.name, width, height, times, new DecodedFrames(input, track, times, width, height));
      const sought = await SoughtFrames.open(file, times, width, height);
      if (sought === null) throw unknownCodec(file.name, await track.getCodec());
      input.dispose();
      return new Video(file.name, width, height, times, sought);
    } catch (error) {
      input.dispose();
      throw error;
    }
  }

  get count(): number {
    return this.times.length;
  }

  /** Frame `index`, which belongs to the caller. Frames are read one after the other. */
  read(index: number): Promise<ImageBitmap> {
    const { ahead, previous } = this;
    [this.ahead, this.previous] = [null, index];
    const bitmap = ahead?.index === index ? ahead.bitmap : this.queue(index);
    if (ahead !== null && ahead.index !== index) ahead.bitmap.then((unused) => unused.close(), () => undefined);
    if (index === previous + 1 && index + 1 < this.count) {
      this.ahead = { index: index + 1, bitmap: this.queue(index + 1) };
      this.ahead.bitmap.catch(() => undefined); // told when the frame is asked for
    }
    return bitmap;
  }

  private queue(index: number): Promise<ImageBitmap> {
    const turn = this.last.then(() => this.frames.read(index));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** The frame that is shown at a time. */
  indexAt(seconds: number): number {
    return indexAt(this.times, seconds);
  }

  close(): void {
    this.frames.close();
  }
}

/** Times of all frames that are shown. Packets lie in the order of decoding; those that an edit list cuts off end before 0. */
async function timesOf(track: InputVideoTrack): Promise<number[]> {
  const times: number[] = [];
  for await (const packet of new EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: true })) {
    if (packet.timestamp + packet.duration > 0) times.push(packet.timestamp);
  }
  return times.sort((a, b) => a - b);
}

/** Size in stored pixels, turned as the file asks; `fear track` counts in the same. */
async function sizeOf(track: InputVideoTrack): Promise<{ width: number; height: number }> {
  const [width, height] = [await track.getCodedWidth(), await track.getCodedHeight()];
  return (await track.getRotation()) % 180 === 0 ? { width, height } : { width: height, height: width };
}
