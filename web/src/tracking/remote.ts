// The page's side of the worker: one question at a time, each with its answer.

import type { Answer, Request } from "./messages";

export class Remote {
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  private last: Promise<unknown> = Promise.resolve();

  /** Asks the worker when it has answered whatever was asked before. Rejects with the worker's error. */
  ask(request: Request): Promise<Answer> {
    const turn = this.last.then(() => this.exchange(request));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private exchange(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.worker.onmessage = ({ data }: MessageEvent<Answer>) => (data.error === undefined ? resolve(data) : reject(new Error(data.error)));
      this.worker.onerror = (event) => reject(new Error(event.message || "the worker could not be started"));
      this.worker.postMessage(request, "bitmap" in request ? [request.bitmap] : []);
    });
  }
}
