"""Follow one object and print where it is.

python examples/track_video.py VIDEO X,Y,W,H
"""

import sys

import fear


def main(video: str, box: str) -> None:
    for index, track in fear.track(video, box.split(",")):
        x, y, w, h = track.box_xywh
        print(f"{index:5d}  x {x:7.1f}  y {y:7.1f}  w {w:6.1f}  h {h:6.1f}  score {track.score:.2f}{'  lost' if track.lost else ''}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
