"""Packs everything that a machine with a graphics card and without a network needs to train, and says what to run there.

    python scripts/prepare_gpu.py --shared ../shared --output build/gpu      # what `make gpu-train` calls

The folder holds wheels (the package and what training imports, without torch, which the machine has), pictures and clips with their longer
side reduced to 512 pixels, the teacher as a checkpoint, the recipe, and `train.sh`, which installs offline, trains, resumes, and leaves the
weights in `runs`, with a copy in `$OUT` where that is set.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2

from fear.loading.convert import published_checkpoint
from fear.media.image import read_image

CANVAS = 512
NEEDED = (
    "kornia",
    "kornia_rs",
    "lightning",
    "lightning-utilities",
    "opencv-python-headless",
    "pydantic",
    "pydantic-core",
    "safetensors",
    "tomli-w",
    "torchmetrics",
)

SCRIPT = """#!/bin/sh
# Installs offline into a folder of its own, then trains; the same command again goes on where it stopped.
set -e
here=$(cd "$(dirname "$0")" && pwd)
python3 -m pip install --quiet --no-index --find-links "$here/wheels" --no-deps --target "$here/site" --upgrade "$here"/wheels/*.whl
export PYTHONPATH="$here/site:$PYTHONPATH"
cd "$here"
resume=""
[ -f runs/{recipe}/recipe.toml ] && resume="--resume"
python3 -c "
import sys
from pathlib import Path
from fear.training.recipe import load_recipe
from fear.training.run import train
train(load_recipe(Path('{recipe}.toml')), Path('runs/{recipe}'), resume=bool('$resume'))
"
if [ -n "$OUT" ]; then cp runs/{recipe}/weights.safetensors runs/{recipe}/*/metrics.csv "$OUT"; fi
"""


def main() -> None:
    """Parses, downloads, packs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/images, data/videos and official")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--recipe", type=Path, default=Path("recipes/distill_xs_gpu.toml"))
    parser.add_argument("--python", default="3.12", help="version of Python on that machine")
    options = parser.parse_args()
    target = options.output
    shutil.rmtree(target, ignore_errors=True)
    (target / "wheels").mkdir(parents=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wheel = [
        "--only-binary=:all:",
        "--platform",
        "manylinux_2_28_x86_64",
        "--platform",
        "manylinux2014_x86_64",
        "--python-version",
        options.python,
    ]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "--wheel-dir", target / "wheels", "."], check=True)
    subprocess.run([*pip, "download", "-q", "--no-deps", *wheel, "--dest", target / "wheels", *NEEDED], check=True)
    for folder in ("images", "videos"):
        _pack(options.shared / "data" / folder, target / "data" / folder)
    (target / "data" / "official").mkdir()
    shutil.copy(published_checkpoint(options.shared / "official"), target / "data" / "official" / "teacher.safetensors")
    shutil.copy(options.recipe, target / options.recipe.name)
    script = target / "train.sh"
    script.write_text(SCRIPT.replace("{recipe}", options.recipe.stem), encoding="utf-8")
    script.chmod(0o755)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"packed {size / 2**20:.0f} MiB; take {target} to the machine and run there: sh {target.name}/train.sh")


def _pack(source: Path, target: Path) -> None:
    """Copies pictures, reduced where they are larger than training looks at; boxes are reduced with them."""
    scales: dict[str, float] = {}

    def one(path: Path) -> None:
        name = path.relative_to(source)
        image = read_image(path)[:, :, ::-1]  # RGB → BGR
        scale = min(1.0, CANVAS / max(image.shape[:2]))
        scales[name.as_posix()] = scale
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if scale == 1:
            shutil.copy(path, target / name)
        else:
            cv2.imwrite(str(target / name), cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))

    with ThreadPoolExecutor() as pool:
        list(pool.map(one, list(source.rglob("*.jpg"))))
    table = source / "sources.json"
    entries = json.loads(table.read_text(encoding="utf-8")) if table.is_file() else []
    if isinstance(entries, list):
        kept = []
        for entry in entries:
            scale = scales.get(entry["file"], 1.0)
            if entry.get("boxes"):
                kept.append({"file": entry["file"], "boxes": [[value * scale for value in box] for box in entry["boxes"]]})
        (target / "boxes.json").write_text(json.dumps(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
