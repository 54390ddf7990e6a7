// The video with its boxes drawn in, encoded by the browser (WebCodecs).

import { BufferTarget, CanvasSource, getFirstEncodableVideoCodec, Mp4OutputFormat, Output, QUALITY_HIGH, WebMOutputFormat } from "mediabunny";

import type { Video } from "./video";

/** Paints what belongs to a frame on top of it. */
export type Paint = (context: OffscreenCanvasRenderingContext2D, frame: number) => void;

/**
 * Reads all frames again and writes them with what `paint` adds.
 *
 * @param onFrame is told of each frame that is done; false ends the work
 * @returns the file and its suffix, or null where it was ended
 */
export async function writeVideo(video: Video, paint: Paint, onFrame: (frame: number) => boolean): Promise<{ blob: Blob; suffix: string } | null> {
  // encoders of 4:2:0 take even sides
  const [width, height] = [video.width + (video.width % 2), video.height + (video.height % 2)];
  const codec = await getFirstEncodableVideoCodec(["avc", "vp9", "vp8", "av1"], { width, height });
  if (codec === null) {
    throw new Error("This browser cannot encode videos here. Save the boxes, or make the video with: fear track … --output tracked.mp4");
  }
  const mp4 = codec === "avc";
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d")!;
  const source = new CanvasSource(canvas, { codec, quality: QUALITY_HIGH });
  const target = new BufferTarget();
  const output = new Output({ format: mp4 ? new Mp4OutputFormat() : new WebMOutputFormat(), target });
  output.addVideoTrack(source);
  await output.start();
  for (let frame = 0; frame < video.count; frame++) {
    const bitmap = await video.read(frame);
    context.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();
    paint(context, frame);
    const start = video.times[frame]! - video.times[0]!;
    await source.add(start, durationOf(video, frame));
    if (!onFrame(frame)) {
      await output.cancel();
      return null;
    }
  }
  await output.finalize();
  return { blob: new Blob([target.buffer!], { type: mp4 ? "video/mp4" : "video/webm" }), suffix: mp4 ? "mp4" : "webm" };
}

function durationOf({ times, count }: Video, frame: number): number {
  if (frame + 1 < count) return times[frame + 1]! - times[frame]!;
  return count > 1 ? (times[count - 1]! - times[0]!) / (count - 1) : 1 / 30;
}
