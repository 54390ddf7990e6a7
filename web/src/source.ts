// Where frames come from: a video file, or a camera.

/** A playing or paused video; its frames are handed out as they are shown. */
export class Source {
  private constructor(
    readonly video: HTMLVideoElement,
    readonly live: boolean,
    private readonly release: () => void,
  ) {}

  static async fromFile(file: File): Promise<Source> {
    const url = URL.createObjectURL(file);
    return Source.open(file.name, url, () => URL.revokeObjectURL(url));
  }

  static async fromCamera(): Promise<Source> {
    if (!navigator.mediaDevices) throw new Error("This browser gives no camera to pages that do not come over https or from localhost.");
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: "environment" } });
    const video = quietVideo();
    video.srcObject = stream;
    await video.play();
    return new Source(video, true, () => stream.getTracks().forEach((track) => track.stop()));
  }

  private static open(name: string, url: string, release: () => void): Promise<Source> {
    const video = quietVideo();
    return new Promise((resolve, reject) => {
      video.onloadeddata = () => resolve(new Source(video, false, release));
      video.onerror = () => {
        release();
        reject(new Error(`${name}: this browser cannot read the video (${video.error?.message || "unknown format"})`));
      };
      video.src = url;
      video.load();
    });
  }

  /** Calls back with the time of every frame that is shown, until the source is closed. */
  onFrame(callback: (seconds: number) => void): void {
    const next: VideoFrameRequestCallback = (_, frame) => {
      callback(frame.mediaTime);
      this.video.requestVideoFrameCallback(next);
    };
    this.video.requestVideoFrameCallback(next);
  }

  /** The frame that is shown now. */
  grab(): Promise<ImageBitmap> {
    return createImageBitmap(this.video);
  }

  /** Back to the first frame, paused. */
  rewind(): Promise<void> {
    this.video.pause();
    return new Promise((resolve) => {
      this.video.onseeked = () => resolve();
      this.video.currentTime = 0;
    });
  }

  close(): void {
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.srcObject = null;
    this.release();
  }
}

function quietVideo(): HTMLVideoElement {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.preload = "auto";
  return video;
}
