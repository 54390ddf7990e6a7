"""The page's files and the server that hands them out."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fear
from fear.cli import app
from fear.config import TrackerConfig
from fear.demo import Site, serve, write_site
from fear.errors import ConfigError
from fear.geometry.boxes import iou
from fear.media.reader import open_source
from fear.media.synthetic import render
from fear.weights import packaged


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    command = [sys.executable, "-u", "-m", "fear.cli", "demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[4]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0  # Ctrl-C is how it is meant to end


def fetch(address: str, path: str, **headers: str) -> tuple[bytes, dict[str, str]]:
    with urllib.request.urlopen(urllib.request.Request(address + path, headers=headers)) as response:
        return response.read(), dict(response.headers)


def test_the_page_is_served_with_what_threads_need(address: str) -> None:
    data, headers = fetch(address, "")
    assert b"<title>FEAR tracker</title>" in data
    assert headers["Content-Type"].startswith("text/html")
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"


def test_the_page_may_run_its_own_files_and_nothing_else(address: str) -> None:
    _, headers = fetch(address, "")
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"  # WebAssembly cannot be compiled without; eval stays forbidden
    assert not any("unsafe-inline" in sources or "'unsafe-eval'" in sources or "http" in sources for sources in policy.values())
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_serving_the_network_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "fear.cli", "demo", "--port", "0", "--host", "0.0.0.0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stdout.readline().split()[4]
        warning = process.stderr.readline()
        assert b"<title>" in fetch(address, "")[0]
        process.terminate()
    assert "Everyone who can reach this machine can now open the page" in warning
    assert "--certificate" in warning


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_the_page_is_served_over_https_with_a_certificate(tmp_path: Path) -> None:
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, "-keyout", key, "-out", chain], check=True, capture_output=True)
    command = [sys.executable, "-u", "-m", "fear.cli", "demo", "--port", "0", "--certificate", str(chain), "--key", str(key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[4]
        with urllib.request.urlopen(address, context=ssl.create_default_context(cafile=str(chain))) as response:
            assert b"<title>" in response.read()
        process.terminate()
    assert address.startswith("https://")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--certificate", "no.pem", "--key", "no.pem"], "expected a certificate and its key as PEM files"),
        (["--certificate", "no.pem"], "expected --certificate and --key together"),
        (["--host", "203.0.113.1"], "host 203.0.113.1: expected an address of this machine"),
    ],
)
def test_what_cannot_be_served_is_said(options: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["demo", "--port", "0", *options])
    assert result.exit_code == 1
    assert message in result.stderr


def test_every_file_that_the_page_names_is_there(address: str) -> None:
    site = Site()
    for path in site:
        data, headers = fetch(address, path)
        assert data
        assert int(headers["Content-Length"]) == len(data)
    page = site.get("")
    assert page is not None
    for part in page.data.decode().split('"'):
        if part.startswith("./assets/"):
            assert site.get(part.removeprefix("./")) is not None


def test_compressed_files_are_unpacked_for_whoever_cannot(address: str) -> None:
    path = "ort/ort-wasm-simd-threaded.wasm"
    plain, _ = fetch(address, path)
    packed, headers = fetch(address, path, **{"Accept-Encoding": "gzip, br"})
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"] == "application/wasm"
    assert gzip.decompress(packed) == plain
    assert plain[:4] == b"\0asm"
    for refused in ("gzip;q=0", "gzip; q=0.00, br", "x-notgzip", "identity"):
        assert fetch(address, path, **{"Accept-Encoding": refused})[0] == plain


def test_networks_and_rules_are_the_packages_own(address: str) -> None:
    models = json.loads(fetch(address, "models.json")[0])
    assert models["version"] == fear.__version__
    assert models["rules"] == json.loads(json.dumps(TrackerConfig().to_dict()))
    assert list(models["cards"]) == list(packaged())
    for model, weights in packaged().items():
        assert weights.folder is not None
        assert fetch(address, f"models/{model}/match.onnx")[0] == (weights.folder / "match.onnx").read_bytes()


def test_the_sample_begins_with_its_box(address: str, tmp_path: Path) -> None:
    (tmp_path / "sample.mp4").write_bytes(fetch(address, "sample.mp4")[0])
    box = json.loads(fetch(address, "sample.json")[0])
    assert iou(box, next(render()).box_xywh) == pytest.approx(1)
    with open_source(tmp_path / "sample.mp4") as frames:
        assert sum(1 for _ in frames) == 180


@pytest.mark.parametrize(
    "path", ["nothing.html", "../server.py", "..%2fserver.py", "%2e%2e/%2e%2e/cli.py", "models/fear-xs/checkpoint.safetensors"]
)
def test_nothing_else_is_served(address: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(address, path)
    assert caught.value.code == 404
    caught.value.close()


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} of 127.0.0.1: expected one that is free"):
            serve(port, lambda _: None)
        result = CliRunner().invoke(app, ["demo", "--port", str(port)])
        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
    assert CliRunner().invoke(app, ["demo", "--port", "70000"]).exit_code == 2


def test_the_page_as_plain_files(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--output", str(tmp_path / "page")])
    assert result.exit_code == 0, result.output
    written = {path.relative_to(tmp_path / "page").as_posix() for path in (tmp_path / "page").rglob("*") if path.is_file()}
    assert written == set(Site())
    assert (tmp_path / "page" / "ort" / "ort-wasm-simd-threaded.wasm").read_bytes()[:4] == b"\0asm"
    with pytest.raises(ConfigError, match="expected a new or empty folder"):
        write_site(tmp_path / "page")


def test_the_page_knows_every_rule_and_no_other() -> None:
    """A rule that is added, renamed or removed has to be followed by the page's own tracker as well."""
    source = Path(__file__).parents[2] / "web" / "src" / "tracking" / "rules.ts"
    fields = source.read_text(encoding="utf-8").split("export interface Rules {")[1].split("}")[0]
    assert set(re.findall(r"readonly (\w+):", fields)) == set(TrackerConfig().to_dict())
