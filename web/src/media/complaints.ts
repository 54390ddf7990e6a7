// What to do about a video that this browser cannot read, in words of people who make videos.

const CONVERT = "Convert it to MP4 with H.264, for example with HandBrake, or with: ffmpeg -i";

const CONTAINERS: Readonly<Record<string, string>> = {
  avi: "AVI",
  wmv: "Windows Media",
  asf: "Windows Media",
  flv: "Flash video",
  mpg: "MPEG",
  mpeg: "MPEG",
  vob: "DVD video",
  ogv: "Ogg",
  mxf: "MXF",
};

const CODECS: Readonly<Record<string, string>> = {
  avc: "H.264",
  hevc: "H.265 (HEVC), as many phones record it",
  vp8: "VP8",
  vp9: "VP9",
  av1: "AV1",
  prores: "ProRes",
};

/** The file is none of the kinds that the page can open. */
export function unknownContainer(name: string): Error {
  const kind = CONTAINERS[suffix(name)];
  const what =
    kind === undefined
      ? "this is not a video that the page can open, or the file is damaged"
      : `${kind} files cannot be opened in a browser`;
  return new Error(`${name}: ${what}. The page opens MP4, MOV, WebM and MKV. ${CONVERT} ${name} ${stem(name)}.mp4`);
}

/** The file is sound, its compression is unknown to this browser. */
export function unknownCodec(name: string, codec: string | null): Error {
  const what = codec === null ? "in a way that this browser does not know" : `with ${CODECS[codec] ?? codec}, which this browser cannot decode`;
  return new Error(`${name}: the video is compressed ${what}. ${CONVERT} ${name} -c:v libx264 ${stem(name)}-h264.mp4`);
}

/** There is no picture in the file. */
export function noVideo(name: string): Error {
  return new Error(`${name}: the file has no video in it, only sound or text.`);
}

function suffix(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1).toLowerCase();
}

function stem(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(0, dot) : name;
}
