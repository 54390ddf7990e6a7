"""How far a measurement is."""

from __future__ import annotations


def show_progress(done: int, total: int) -> None:
    """Prints how many runs are done, on one line."""
    print(f"\r{done}/{total}", end="\n" if done == total else "", flush=True)
