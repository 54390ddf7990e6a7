"""For which interpreters and systems does everything that the core needs exist as a wheel? Asks the package index; installs nothing.

Resolves the dependencies of the core with the versions of constraints.txt, as `pip install fear-tracker` does there, and prints a table.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "Linux, x86": [f"manylinux_2_{number}_x86_64" for number in range(17, 36)] + ["manylinux2014_x86_64"],
    "Linux, Arm": [f"manylinux_2_{number}_aarch64" for number in range(17, 36)] + ["manylinux2014_aarch64"],
    "macOS, Arm": [f"macosx_{number}_0_arm64" for number in range(11, 16)],
    "Windows": ["win_amd64"],
}
WITH_OPENVINO = ("Linux, x86", "Windows")


def requirements(system: str) -> list[str]:
    """What the core needs on a system."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [requirement.partition(";")[0].strip() for requirement in project["dependencies"]]
    return [name for name in names if system in WITH_OPENVINO or not name.startswith("openvino")]


def missing(python: str, system: str) -> str:
    """What has no wheel there, "something" where pip does not say what; nothing where all have one."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--dry-run", "-q", "--ignore-installed"]
    command += ["--only-binary=:all:", "--python-version", python, "-c", str(ROOT / "constraints.txt")]
    for platform in SYSTEMS[system]:
        command += ["--platform", platform]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*command, "--target", folder, *requirements(system)], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    found = re.findall(r"No matching distribution found for (\S+)", done.stderr)
    return ", ".join(found) or "something"


def main() -> None:
    """Prints the table."""
    print(f"| Python | {' | '.join(SYSTEMS)} |")
    print(f"|---|{'---|' * len(SYSTEMS)}")
    for python in PYTHONS:
        gaps = [missing(python, system) for system in SYSTEMS]
        print(f"| {python} |", " | ".join(f"no: {gap}" if gap else "all" for gap in gaps), "|", flush=True)


if __name__ == "__main__":
    main()
