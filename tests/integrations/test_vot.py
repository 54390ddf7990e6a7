"""The VOT toolkit's own check of an integration, on its synthetic sequence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_toolkits_own_check(tmp_path: Path) -> None:
    pytest.importorskip("trax", reason="needs the VOT toolkit (requirements-vot.txt)", exc_type=ImportError)
    toolkit = Path(sys.executable).with_name("vot")
    if not toolkit.is_file():
        pytest.skip("needs the VOT toolkit (requirements-vot.txt)")
    (tmp_path / "trackers.ini").write_text(
        f"[FEAR]\nlabel = FEAR-XS\nprotocol = trax\ncommand = {sys.executable} -m fear.integrations.vot fear-xs\n"
    )
    done = subprocess.run(
        [str(toolkit), "--registry", str(tmp_path / "trackers.ini"), "test", "FEAR"],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        cwd=tmp_path,
    )
    assert "Test concluded successfuly" in done.stdout + done.stderr, (done.stdout + done.stderr)[-2000:]
