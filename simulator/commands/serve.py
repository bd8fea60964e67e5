"""``serve``: start the app on this machine."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from simulator.cli import say
from simulator.services import check_startup
from simulator.settings import read_settings

_APP = Path(__file__).resolve().parent.parent.parent / "app.py"


def run(options: argparse.Namespace) -> NoReturn:
    """Check settings, content and database first, so that problems are said here in full, then serve until stopped."""
    settings = read_settings()
    port = options.port or settings.port
    check_startup(settings)
    say(f"Practice Room opens at http://127.0.0.1:{port} - stop it with Ctrl+C. Sessions are kept in {settings.data_dir}.")
    command = [sys.executable, "-m", "streamlit", "run", str(_APP), "--server.port", str(port), "--server.address", "127.0.0.1"]
    if not (os.environ.get("DISPLAY") or sys.platform in ("darwin", "win32")):
        command += ["--server.headless", "true"]
    sys.stderr.flush()
    os.chdir(_APP.parent)
    os.execv(command[0], command)  # noqa: S606 - our own interpreter and file; this process becomes the server, so stopping it stops it
