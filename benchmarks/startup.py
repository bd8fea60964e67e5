"""From ``python -m simulator serve`` to the first page, and the memory of the process after a session's work."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.measuring import skilled_words, throwaway_services
from core.clock import new_id

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    for round_number in (1, 2):
        print(f"start to a server that answers, round {round_number}: {_first_page():.1f} s (target <= 6 s to the first page)", flush=True)
    with throwaway_services() as services:
        services.warm_up()
        view = services.sessions.start("teo", trainee="bench", seed=1, engine="embedded")
        for number in range(20):
            services.sessions.take_turn(view.id, skilled_words(number), key=new_id())
        services.coach.report(view.id)
        used = _resident_megabytes(os.getpid())
        print(f"memory of a process with everything open after 20 turns: {used:.0f} MB (target <= 900 MB, with the page server)")


def _first_page() -> float:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PRACTICE_ROOM_DATA_DIR": folder, "DISPLAY": ""}
        port = 8651
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "simulator", "serve", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while time.perf_counter() - started < 60:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                        if answer.status == 200:
                            return time.perf_counter() - started
                except (urllib.error.URLError, ConnectionError):
                    time.sleep(0.05)
            raise TimeoutError("the app did not answer within 60 s")
        finally:
            process.terminate()
            process.wait(timeout=20)


def _resident_megabytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


if __name__ == "__main__":
    main()
