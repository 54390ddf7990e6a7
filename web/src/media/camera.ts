// A camera: frames come when they come. Who is late misses some, and their numbers tell how many.

/** Is told of every frame that the page could take, with its number since the camera was opened and its time in seconds. */
export type OnFrame = (number: number, seconds: number) => void;

export class Camera {
  private first: { number: number; seconds: number } | null = null;
  private open = true;

  private constructor(
    private readonly element: HTMLVideoElement,
    private readonly stream: MediaStream,
    private readonly onFrame: OnFrame,
  ) {
    this.await();
  }

  static async open(onFrame: OnFrame): Promise<Camera> {
    if (!navigator.mediaDevices) {
      throw new Error("Browsers give a camera only to pages from this machine or over https. Record a video and open it here instead.");
    }
    const element = document.createElement("video");
    element.muted = element.playsInline = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: "environment" } });
      element.srcObject = stream;
      await element.play();
      return new Camera(element, stream, onFrame);
    } catch (error) {
      throw complaint(error);
    }
  }

  get name(): string {
    return "camera";
  }

  /** The picture of this moment, which belongs to the caller. */
  grab(): Promise<ImageBitmap> {
    return createImageBitmap(this.element);
  }

  close(): void {
    this.open = false;
    this.stream.getTracks().forEach((track) => track.stop());
    this.element.srcObject = null;
  }

  private await(): void {
    this.element.requestVideoFrameCallback((now, { presentedFrames, mediaTime }) => {
      if (!this.open) return;
      const seconds = mediaTime > 0 ? mediaTime : now / 1000;
      this.first ??= { number: presentedFrames, seconds };
      this.onFrame(presentedFrames - this.first.number, seconds - this.first.seconds);
      this.await();
    });
  }
}

function complaint(error: unknown): Error {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return new Error("The browser was told not to give the camera to this page. Allow it in the address bar and try again.");
  if (name === "NotFoundError") return new Error("There is no camera on this machine, or another program holds it.");
  return error instanceof Error ? error : new Error(String(error));
}
