"""The cost of a new process, and the highest rate of computation that this processor reaches."""

from __future__ import annotations

import json
import os
import subprocess
import sys

_START = """
import json, sys, time
start = time.perf_counter()
import numpy, fear
fear.Tracker
imported = time.perf_counter()
model, runtime, threads = json.loads(sys.argv[1])
tracker = fear.Tracker(model, runtime=runtime, threads=threads)
loaded = time.perf_counter()
frame = numpy.zeros((480, 640, 3), numpy.uint8)
tracker.init(frame, (300, 200, 60, 60))
tracker.update(frame)
end = time.perf_counter()
import pathlib, psutil
memory = getattr(psutil.Process().memory_info(), "peak_wset", 0) / 1e6
status = pathlib.Path("/proc/self/status")
if status.is_file():  # getrusage would include the memory of the parent at the start of this process
    memory = next(int(line.split()[1]) / 1e3 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
memory = memory or __import__("resource").getrusage(0).ru_maxrss / 1e6  # bytes on macOS
print(json.dumps({"import_s": imported - start, "load_s": loaded - imported, "first_frame_s": end - start,
                  "peak_memory_mb": memory}))
"""

_PRODUCT = """
import time, numpy
a = numpy.random.default_rng(0).random((1024, 1024), numpy.float32)
times = []
for _ in range(30):
    start = time.perf_counter(); a @ a; times.append(time.perf_counter() - start)
print(1024 ** 3 / sorted(times)[len(times) // 2])
"""


def measure_start(model: str, runtime: str, threads: int | None) -> dict[str, float]:
    """Measures a fresh process.

    Returns:
        `import_s`, `load_s` and `first_frame_s`: seconds of the import, of loading the model, and from the start to the first tracked
        frame; `peak_memory_mb`: the peak memory of the process in megabytes.
    """
    command = [sys.executable, "-c", _START, json.dumps([model, runtime, threads])]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result


def measure_matrix_product(threads: int | None) -> float:
    """Measures the multiply-accumulates per second of a float32 product of two 1024 × 1024 matrices. Networks hardly exceed this rate."""
    limits = {name: str(threads or os.cpu_count() or 1) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    run = subprocess.run([sys.executable, "-c", _PRODUCT], check=True, capture_output=True, text=True, env=os.environ | limits)
    return float(run.stdout)
