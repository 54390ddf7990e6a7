"""Your own loop: blur what is tracked, keep the video's time stamps.

python examples/blur_faces.py VIDEO OUTPUT.mp4 X,Y,W,H [X,Y,W,H ...]
"""

import sys

import cv2

import fear


def main(video: str, output: str, *boxes: str) -> None:
    tracker = fear.MultiTracker("fear-xs")
    with fear.open_source(video) as source, fear.VideoWriter(output, source.rate) as writer:
        for frame in source:
            if frame.index == 0:
                tracker.init(frame.image, [box.split(",") for box in boxes])
            else:
                for track in tracker.update(frame.image):
                    x, y, w, h = (round(value) for value in track.box_xywh)
                    if not track.lost and w > 0 and h > 0:
                        face = frame.image[y : y + h, x : x + w]
                        face[:] = cv2.blur(face, (w // 3 + 1, h // 3 + 1))
            writer.write(frame.image, frame.time)
    print(f"wrote {output}")


if __name__ == "__main__":
    main(*sys.argv[1:])
