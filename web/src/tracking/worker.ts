// The tracker in a thread of its own, so that the page stays alive while the network computes.

import type * as Ort from "onnxruntime-web";

import type { Frame, Pixels } from "./crop";
import type { Answer, Request } from "./messages";
import { Network } from "./network";
import { Tracker } from "./tracker";

const MOST_THREADS = 4; // maps of 8×8 cells hold no work for more

/** A bitmap of which parts can be read. */
class BitmapFrame implements Frame {
  private static readonly context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })!;
  private small: Pixels | null = null; // the overview, which all targets ask for

  constructor(private readonly bitmap: ImageBitmap) {}

  get width(): number {
    return this.bitmap.width;
  }

  get height(): number {
    return this.bitmap.height;
  }

  read(x: number, y: number, width: number, height: number): Pixels {
    const { context } = BitmapFrame;
    if (context.canvas.width < width) context.canvas.width = width;
    if (context.canvas.height < height) context.canvas.height = height;
    context.drawImage(this.bitmap, x, y, width, height, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  }

  overview(side: number): Pixels {
    if (this.small?.width !== side) {
      const { context } = BitmapFrame;
      if (context.canvas.width < side) context.canvas.width = side;
      if (context.canvas.height < side) context.canvas.height = side;
      context.drawImage(this.bitmap, 0, 0, side, side);
      this.small = context.getImageData(0, 0, side, side);
    }
    return this.small;
  }
}

let tracker: Tracker | null = null;

/** ONNX Runtime lies beside the page and starts threads from its own files. */
async function runtime(folder: URL): Promise<typeof Ort> {
  const base = new URL("ort/", folder).href;
  const ort = (await import(/* @vite-ignore */ `${base}ort.wasm.min.mjs`)) as typeof Ort;
  ort.env.wasm.wasmPaths = base;
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;
  return ort;
}

async function load({ folder, card, rules }: Extract<Request, { kind: "load" }>): Promise<void> {
  const network = await Network.load(await runtime(new URL("../../", folder)), async (file) => {
    const response = await fetch(new URL(file, folder));
    if (!response.ok) throw new Error(`${file}: expected the network, got ${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  });
  tracker = new Tracker(network, card, rules);
}

async function answer(request: Request): Promise<Omit<Answer, "milliseconds">> {
  if (request.kind === "load") {
    await load(request);
    return {};
  }
  if (tracker === null) throw new Error("expected a network before the first box");
  switch (request.kind) {
    case "init":
      await tracker.init(request.target, new BitmapFrame(request.bitmap), request.box);
      return { bitmap: request.bitmap };
    case "place":
      tracker.place(request.target, request.box);
      return {};
    case "remove":
      tracker.remove(request.target);
      return {};
    case "update":
      return { bitmap: request.bitmap, tracks: await tracker.update(request.targets, new BitmapFrame(request.bitmap)) };
  }
}

self.addEventListener("message", async ({ data }: MessageEvent<Request>) => {
  const start = performance.now();
  let reply: Omit<Answer, "milliseconds">;
  try {
    reply = await answer(data);
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) };
  }
  const message: Answer = { ...reply, milliseconds: performance.now() - start };
  self.postMessage(message, { transfer: message.bitmap ? [message.bitmap] : [] });
});
