"""Timing a call many times, and a data folder that is thrown away."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.dry_run import trainees
from simulator.services import Services, open_services
from simulator.settings import read_settings


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def timed(work: Callable[[], object]) -> float:
    """Milliseconds one call takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def report(label: str, milliseconds: list[float], target: str) -> None:
    """One line: median, 95th percentile, worst, number, target."""
    p50, p95 = percentile(milliseconds, 0.5), percentile(milliseconds, 0.95)
    print(
        f"{label}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, worst {max(milliseconds):.1f} ms, n={len(milliseconds)} (target {target})",
        flush=True,
    )


@contextmanager
def throwaway_services(**settings: object) -> Iterator[Services]:
    """Services over a new data folder."""
    with tempfile.TemporaryDirectory() as folder, open_services(read_settings(data_dir=Path(folder), **settings)) as services:
        yield services


def skilled_words(number: int) -> str:
    """The reply of a scripted skilled trainee in turn ``number``: a client stays for those."""
    lines = trainees().trainees["skilled"]
    return lines[number % len(lines)].replace("{word}", f"word {number}").replace("{cue}", "What was that like?")
