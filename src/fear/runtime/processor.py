"""The name of this machine's processor, by which measurements and compiled networks are kept."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from pathlib import Path

from fear.weights.store import cache_folder, write_text_whole

_VECTORS = ("avx", "amx", "sve", "asimd")

_LINUX_DESCRIPTION = Path("/proc/cpuinfo")


@cache
def processor() -> str:
    """Returns the name of the processor and those of its instruction sets that decide the speed of a network.

    On Linux both are read from `/proc/cpuinfo` at once. On other systems py-cpuinfo finds them; it takes seconds, so its answer is kept in
    the cache folder.
    """
    if _LINUX_DESCRIPTION.is_file():
        return _from_linux(_LINUX_DESCRIPTION.read_text(encoding="utf-8", errors="replace"))
    system = f"{platform.node()} {platform.platform()} {platform.processor()}"
    kept = cache_folder() / f"processor-{hashlib.sha256(system.encode()).hexdigest()[:16]}.txt"
    if kept.is_file():
        return kept.read_text(encoding="utf-8").strip()
    name = _from_library()
    write_text_whole(kept, name + "\n")
    return name


def _from_linux(description: str) -> str:
    lines = description.split("\n\n")[0].splitlines()  # of the first core
    entries = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return _joined(entries.get("model name", platform.machine()), entries.get("flags", entries.get("Features", "")).split())


def _from_library() -> str:
    import cpuinfo

    found = cpuinfo.get_cpu_info()
    return _joined(found.get("brand_raw") or platform.processor() or platform.machine(), found.get("flags", []))


def _joined(name: str, flags: list[str]) -> str:
    return " ".join([name, *sorted(flag for flag in flags if flag.startswith(_VECTORS))])
