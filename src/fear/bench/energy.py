"""The FEAR benchmark of speed and energy over time.

*Online* tracks 30 frames per second, as an application does; *offline* tracks frames back to back. Energy comes from the counters of the
processor (Linux powercap). Where there are none, the column stays empty and the report says so; energy is never estimated.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import psutil

Mode = Literal["online", "offline"]

POWERCAP = Path("/sys/class/powercap")
ONLINE_RATE = 30.0
"""Frames per second."""
SLOWED = 1.2
"""The machine is said to throttle where the last fifth of the calls takes this many times as long as the first."""


class Call(NamedTuple):
    """One `update` and the state of the machine after it; a line of the CSV file."""

    time_s: float
    """Since the start."""
    call_ms: float
    cpu_percent: float
    """Of this process; 100 is one core."""
    memory_mb: float
    temperature_c: float | None
    frequency_mhz: float | None
    energy_j: float | None
    """Of the processor since the start."""


class EnergyReport(NamedTuple):
    """Summary of a run."""

    mode: str
    calls: int
    seconds: float
    fps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_percent: float
    peak_memory_mb: float
    slowdown: float
    """Median time of the last fifth of calls over that of the first."""
    throttled: bool
    idle_w: float | None
    joules_per_frame: float | None
    """Energy of a frame, without what the idle machine takes."""


class EnergyCounter:
    """The energy counters of all processor packages. The counters of the kernel wrap around; the values here do not.

    Args:
        root: Folder of the kernel's powercap zones.
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        self._zones: list[tuple[Path, float]] = []
        for zone in sorted(root.glob("intel-rapl:*")):
            if zone.name.count(":") == 1 and (zone / "energy_uj").is_file():  # packages, not their parts
                try:
                    (zone / "energy_uj").read_text()
                    self._zones.append((zone / "energy_uj", float((zone / "max_energy_range_uj").read_text())))
                except OSError:  # readable by the administrator alone
                    continue
        self._last = [0.0] * len(self._zones)
        self._total = 0.0
        if self._zones:
            self._last = self._read()

    @property
    def available(self) -> bool:
        """Whether this machine has a counter that this user may read."""
        return bool(self._zones)

    def _read(self) -> list[float]:
        return [float(path.read_text()) for path, _ in self._zones]

    def joules(self) -> float | None:
        """Energy since this object was made; None without a counter. Call it at least once a minute, before counters wrap around."""
        if not self._zones:
            return None
        for k, value in enumerate(self._read()):
            step = value - self._last[k]
            self._total += step if step >= 0 else step + self._zones[k][1]
            self._last[k] = value
        return self._total / 1e6


def run_energy(
    update: Callable[[], object],
    mode: Mode,
    seconds: float,
    csv_path: Path,
    *,
    idle_seconds: float = 5.0,
    counter: EnergyCounter | None = None,
    on_call: Callable[[], None] = lambda: None,
) -> EnergyReport:
    """Calls `update` for some time, and writes a line of CSV after each call.

    Args:
        update: Tracks one frame.
        mode: `online` or `offline`.
        seconds: Length of the run.
        csv_path: File of the lines.
        idle_seconds: How long the idle machine is measured before the run.
        counter: The counters of this machine by default.
        on_call: Called after each call of `update`.
    """
    counter, process = counter or EnergyCounter(), psutil.Process()
    idle_w = _idle_watts(counter, idle_seconds)
    process.cpu_percent()
    calls: list[Call] = []
    base = counter.joules()
    start = time.perf_counter()
    with csv_path.open("w", encoding="utf-8", newline="", buffering=1) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Call._fields)
        while (began := time.perf_counter()) - start < seconds:
            update()
            ended = time.perf_counter()
            joules = counter.joules()
            call = Call(
                round(began - start, 6),
                round((ended - began) * 1e3, 4),
                process.cpu_percent(),
                round(process.memory_info().rss / 1e6, 1),
                _temperature(),
                _frequency(),
                None if joules is None or base is None else round(joules - base, 6),
            )
            calls.append(call)
            writer.writerow(["" if value is None else value for value in call])
            on_call()
            if mode == "online":
                time.sleep(max(0.0, start + len(calls) / ONLINE_RATE - time.perf_counter()))
    return _summary(mode, calls, time.perf_counter() - start, idle_w)


def _summary(mode: Mode, calls: list[Call], seconds: float, idle_w: float | None) -> EnergyReport:
    times = np.array([call.call_ms for call in calls])
    fifth = max(1, len(times) // 5)
    slowdown = float(np.median(times[-fifth:]) / np.median(times[:fifth]))
    energy = calls[-1].energy_j
    p50, p95, p99 = np.percentile(times, (50, 95, 99)).tolist()
    return EnergyReport(
        mode=mode,
        calls=len(calls),
        seconds=seconds,
        fps=len(calls) / seconds,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        cpu_percent=float(np.mean([call.cpu_percent for call in calls])),
        peak_memory_mb=max(call.memory_mb for call in calls),
        slowdown=slowdown,
        throttled=slowdown > SLOWED,
        idle_w=idle_w,
        joules_per_frame=None if energy is None or idle_w is None else (energy - idle_w * seconds) / len(calls),
    )


def _idle_watts(counter: EnergyCounter, seconds: float) -> float | None:
    before, start = counter.joules(), time.perf_counter()
    if before is None:
        return None
    time.sleep(seconds)
    after = counter.joules()
    return None if after is None else (after - before) / (time.perf_counter() - start)


def _temperature() -> float | None:
    """The hottest sensor of the processor; None where there is none."""
    sensors: dict[str, list[Any]] = getattr(psutil, "sensors_temperatures", dict)()
    readings = [reading.current for name in ("coretemp", "k10temp", "cpu_thermal") for reading in sensors.get(name, ())]
    return max(readings, default=None)


def _frequency() -> float | None:
    try:
        frequency = psutil.cpu_freq()
    except (OSError, RuntimeError):  # some systems and virtual machines do not report it
        return None
    return round(frequency.current, 1) if frequency else None
