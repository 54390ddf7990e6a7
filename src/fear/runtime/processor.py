"""The name of this machine's processor."""

from __future__ import annotations

import platform
from pathlib import Path


def processor() -> str:
    """Name of the processor, and the sets of instructions that decide its speed, where the system tells them."""
    description = Path("/proc/cpuinfo")
    if not description.is_file():
        return platform.processor() or platform.machine()
    fields = dict(
        line.split(":", 1)
        for line in description.read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
        if ":" in line
    )
    entries = {key.strip(): value.strip() for key, value in fields.items()}
    flags = sorted(flag for flag in entries.get("flags", "").split() if flag.startswith(("avx", "amx")))
    return " ".join([entries.get("model name", platform.machine()), *flags])
