"""Live sources against servers of this test on 127.0.0.1, and recorded ones by address; all bounded in time."""

from __future__ import annotations

import socket
import threading
import time
from itertools import pairwise
from pathlib import Path

import av
import cv2
import pytest

from clips import RATE, box, cut, found, iou, picture, read, write_clip
from fear.errors import VideoError
from fear.media.reader import open_source
from fear.media.source import Frame
from fear.media.threads import ReadAhead
from servers import answering


def jpegs(connection: socket.socket, pictures: list[bytes], pause: float) -> None:
    """Answers as cameras do: pictures without an end, each in a part of its own."""
    connection.recv(4096)
    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=next\r\n\r\n")
    for data in pictures:
        connection.sendall(b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(data), data))
        time.sleep(pause)


def jpeg(number: int) -> bytes:
    return bytes(cv2.imencode(".jpg", picture(number)[..., ::-1])[1])


@pytest.mark.parametrize("name", ["x.mp4", "x.ts", "x.mkv"])
def test_file_by_http_is_a_file(tmp_path: Path, served: str, name: str) -> None:
    write_clip(tmp_path / name)
    numbers, times, _, source = read(f"{served}/{name}")
    assert not source.live
    assert numbers == list(range(100))
    assert times == pytest.approx([k / RATE for k in range(100)], abs=1e-3)


def test_file_address_is_a_file(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "ü 1.mp4", 10)
    numbers, _, _, source = read(path.as_uri())
    assert (len(numbers), source.live) == (10, False)
    assert len(read(path.as_uri().replace("file://", "file:"))[0]) == 10
    assert len(read(path.as_uri().replace("file://", "file://localhost"))[0]) == 10
    with pytest.raises(VideoError, match="breaks off"):
        read(cut(write_clip(tmp_path / "y.mkv"), tmp_path / "z.mkv").as_uri())


def test_address_without_a_suffix_and_with_a_query_is_a_file(tmp_path: Path) -> None:
    """Many servers hand out files from the beginning only, under names that say nothing."""
    data = write_clip(tmp_path / "x.mp4", 30, container_options={"movflags": "faststart"}).read_bytes()

    def answer(connection: socket.socket, _: int) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data))

    with answering(answer, 2) as port:
        numbers, _, _, source = read(f"http://127.0.0.1:{port}/video?id=3&name=%20[x]*")
    assert (numbers, source.live) == (list(range(30)), False)


def test_pictures_before_a_cut_are_all_shown(tmp_path: Path) -> None:
    """A decoder with several threads and pictures that refer to later ones holds some back."""
    data = write_clip(tmp_path / "x.ts", 30).read_bytes()

    def answer(connection: socket.socket, _: int) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n%b" % data)

    with answering(answer, 1) as port:
        numbers, _, images, source = read(f"http://127.0.0.1:{port}/live", reconnect=0)
    assert numbers == list(range(30))
    assert iou(found(images[-1]), box(29)) > 0.85
    assert source.report.lines() == ["the stream ended after 30 frames"]


def test_playlist_without_an_end_is_live(tmp_path: Path, served: str) -> None:
    """A recording by HLS says where it ends; a broadcast does not, until it is over."""
    write_clip(tmp_path / "x.m3u8", 60, options={"g": "15"}, container_options={"hls_time": "0.5", "hls_list_size": "0"})
    whole = (tmp_path / "x.m3u8").read_text()
    numbers, _, _, recorded = read(f"{served}/x.m3u8")
    assert (len(numbers), recorded.live) == (60, False)
    (tmp_path / "live.m3u8").write_text(whole.replace("#EXT-X-ENDLIST\n", ""))
    with open_source(f"{served}/live.m3u8", reconnect=10) as source:
        assert source.live
        (tmp_path / "live.m3u8").write_text(whole)
        times = [frame.time for frame in source]
    assert all(later > earlier for earlier, later in pairwise(times))
    assert 15 <= len(times) <= 60
    assert source.report.lines() == [f"the stream ended after {len(times)} frames"]


def test_description_of_a_session_is_live(tmp_path: Path) -> None:
    """A file .sdp names a sender by RTP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1] & ~1
    session = f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 26\n"
    (tmp_path / "x.sdp").write_text(session)
    film = write_clip(tmp_path / "x.avi", 60, "mjpeg", pix_fmt="yuvj420p", options={"huffman": "default"})

    def send() -> None:
        with av.open(str(film)) as old, av.open(f"rtp://127.0.0.1:{port}", "w", format="rtp") as new:
            copy = new.add_stream_from_template(old.streams.video[0])
            for packet in old.demux(video=0):
                if packet.dts is not None:
                    packet.stream = copy
                    new.mux(packet)
                    time.sleep(0.02)

    sending = threading.Timer(0.3, send)
    sending.start()
    with open_source(tmp_path / "x.sdp", reconnect=0) as source:
        assert source.live
        times = [frame.time for frame, _ in zip(source, range(20), strict=False)]
    sending.join()
    assert all(later > earlier for earlier, later in pairwise(times))


def test_missing_address_is_told(served: str) -> None:
    with pytest.raises(VideoError, match="expected a video that can be opened"):
        open_source(f"{served}/nothing.mp4")


def test_camera_by_http_is_live_and_timed_by_arrival() -> None:
    pictures = [jpeg(number) for number in range(40)]
    with answering(lambda connection, _: jpegs(connection, pictures, 0.05), 1) as port:
        numbers, times, _, source = read(f"http://127.0.0.1:{port}/live", reconnect=0)
    assert source.live
    assert numbers == list(range(40))
    assert times[-1] - times[20] == pytest.approx(19 * 0.05, abs=0.4)
    assert times == sorted(set(times))
    assert source.report.ended == "the stream ended after 40 frames"


def test_broken_picture_of_a_live_camera_is_one_lost_picture() -> None:
    pictures = [jpeg(number) for number in range(30)]
    pictures[12] = pictures[12][:2] + bytes(len(pictures[12]) - 4) + pictures[12][-2:]
    with answering(lambda connection, _: jpegs(connection, pictures, 0.02), 1) as port:
        numbers, _, _, source = read(f"http://127.0.0.1:{port}/live", reconnect=0)
    assert len(numbers) == 29
    assert source.report.lost_pictures == 1


def test_ten_cuts_are_ten_reconnects_and_time_never_runs_backwards(tmp_path: Path) -> None:
    data = write_clip(tmp_path / "x.ts", 15).read_bytes()
    with answering(lambda connection, _: connection.sendall(data), 11) as port:
        numbers, times, _, source = read(f"tcp://127.0.0.1:{port}", reconnect=1.2)
    assert numbers == list(range(165))
    assert all(later > earlier for earlier, later in pairwise(times))
    assert source.report.reconnects == 10
    assert source.report.ended == "the stream ended after 165 frames, and did not come back within 1.2 s"


def test_time_passes_while_a_stream_is_away(tmp_path: Path) -> None:
    data = write_clip(tmp_path / "x.ts", 15).read_bytes()

    def answer(connection: socket.socket, number: int) -> None:
        time.sleep(1.0 * number)
        connection.sendall(data)

    with answering(answer, 2) as port:
        _, times, _, _ = read(f"tcp://127.0.0.1:{port}", reconnect=2)
    assert 0.9 < times[15] - times[14] < 3


def test_stream_that_sends_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fear.media.reader.PATIENCE", 0.5)
    with (
        answering(lambda connection, _: time.sleep(2), 1) as port,
        pytest.raises(VideoError, match=r"expected a stream that sends pictures, got no data for 0\.5 s"),
    ):
        open_source(f"tcp://127.0.0.1:{port}")


def test_stream_that_falls_silent_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fear.media.reader.PATIENCE", 1.0)
    monkeypatch.setattr("fear.media.streams.PATIENCE", 1.0)
    data = write_clip(tmp_path / "x.ts", 30, options={"bf": "0"}).read_bytes()
    frames: list[Frame] = []

    def answer(connection: socket.socket, _: int) -> None:
        connection.sendall(data)
        time.sleep(4)

    with (
        answering(answer, 1) as port,
        pytest.raises(VideoError, match=r"cut off after [0-9]+ frames \(no data for 1 s\)"),
        open_source(f"tcp://127.0.0.1:{port}", reconnect=0) as source,
    ):
        frames.extend(source)
    assert len(frames) > 20


def test_restarted_sender_does_not_turn_time_back(tmp_path: Path) -> None:
    """A sender by UDP that is started again begins at its own time 0."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = write_clip(tmp_path / "x.ts", 45, options={"g": "5", "bf": "0"}).read_bytes()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(2):
                for place in range(0, len(data), 1316):
                    sender.sendto(data[place : place + 1316], ("127.0.0.1", port))
                    time.sleep(1.5 * 1316 / len(data))

    sending = threading.Timer(0.5, send)
    sending.start()
    times = []
    with open_source(f"udp://127.0.0.1:{port}", options={"analyzeduration": "200000", "probesize": "20000"}, reconnect=0) as source:
        assert source.live
        for frame in source:
            times.append(frame.time)
            if len(times) >= 60:
                break
    sending.join()
    assert all(later > earlier for earlier, later in pairwise(times))
    assert times[-1] < 6


def test_leaving_a_stream_that_waits_to_come_back_is_quick(tmp_path: Path) -> None:
    data = write_clip(tmp_path / "x.ts", 15).read_bytes()
    with answering(lambda connection, _: connection.sendall(data), 1) as port:
        source = open_source(f"tcp://127.0.0.1:{port}", reconnect=30)
        with source, ReadAhead(source) as ahead:
            for frame in ahead:
                if frame.index == 14:
                    break
            begun = time.monotonic()
    assert time.monotonic() - begun < 6


def test_options_reach_ffmpeg(served: str, tmp_path: Path) -> None:
    write_clip(tmp_path / "x.mp4", 3)
    with pytest.raises(VideoError):
        open_source(f"{served}/x.mp4", options={"protocol_whitelist": "file"})


def test_numbers_of_cameras() -> None:
    from fear.media.cameras import camera_format, find_camera, list_cameras

    assert find_camera(2, "linux") == ("/dev/video2", "v4l2", {})
    assert find_camera(0, "darwin") == ("0:none", "avfoundation", {"framerate": "30"})
    assert camera_format("win32") == "dshow"
    assert isinstance(list_cameras(), list)


def test_cameras_of_windows_are_found_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    from fear.media.cameras import find_camera, list_cameras

    class Device:
        def __init__(self, name: str, kinds: list[str]) -> None:
            self.name, self.description, self.media_types = name, f"the {name}", kinds

    devices = [Device("Microphone", ["audio"]), Device("Inner", ["video"]), Device("Outer: HD", ["video"])]
    monkeypatch.setattr(av, "enumerate_input_devices", lambda interface: devices)
    assert list_cameras("win32") == [("Inner", "the Inner"), ("Outer: HD", "the Outer: HD")]
    assert find_camera(1, "win32").name == "video=Outer: HD"
    with pytest.raises(VideoError, match="expected a number below 2"):
        find_camera(2, "win32")
