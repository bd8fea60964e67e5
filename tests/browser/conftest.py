"""A real app in its own process and a real Chromium. Skipped, with a clear message, where Chromium is missing."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def app_address(tmp_path):
    """The address of a running app with an empty data folder; stopped afterwards."""
    port = _free_port()
    environment = {**os.environ, "PRACTICE_ROOM_DATA_DIR": str(tmp_path / "data"), "PYTHONWARNINGS": "ignore"}
    log = (tmp_path / "app.log").open("w")
    command = [
        sys.executable, "-m", "streamlit", "run", "app.py",
        "--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", process, tmp_path / "app.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def _wait_until_up(address: str, process: subprocess.Popen, log: Path) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        if process.poll() is not None:
            pytest.fail(f"the app stopped at once:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"the app did not come up:\n{log.read_text()}")


@pytest.fixture
def browser_page():
    """A page in a fresh browser window."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(30_000)
        yield context.new_page()
        browser.close()


@pytest.fixture
def stored(tmp_path):
    """What the database of the app says, read beside it."""
    import sqlite3

    def read(query: str) -> list[tuple]:
        with sqlite3.connect(f"file:{tmp_path / 'data' / 'practice-room.sqlite3'}?mode=ro", uri=True) as db:
            return db.execute(query).fetchall()

    return read
