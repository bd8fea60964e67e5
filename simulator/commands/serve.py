"""``serve``: start the app on this machine."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from simulator.cli import DONE, FAILED, say
from simulator.services import check_startup
from simulator.settings import read_settings

_APP = Path(__file__).resolve().parent.parent.parent / "app.py"


def run(options: argparse.Namespace) -> int:
    """Check settings, content and database first, so that problems are said here in full, then serve until stopped."""
    settings = read_settings()
    port = options.port or settings.port
    check_startup(settings)
    say(f"Practice Room opens at http://127.0.0.1:{port} - stop it with Ctrl+C. Sessions are kept in {settings.data_dir}.")
    command = [sys.executable, "-m", "streamlit", "run", str(_APP), "--server.port", str(port), "--server.address", "127.0.0.1"]
    if not (os.environ.get("DISPLAY") or sys.platform in ("darwin", "win32")):
        command += ["--server.headless", "true"]
    try:
        code = subprocess.run(command, cwd=_APP.parent, check=False).returncode  # noqa: S603 - our own interpreter and file
    except KeyboardInterrupt:
        return DONE
    return DONE if code in (0, -2, 130) else FAILED
