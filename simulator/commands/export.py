"""``export``: one session as JSON."""

from __future__ import annotations

import argparse

from core.errors import StorageError
from simulator.cli import DONE, say
from simulator.export import session_json
from simulator.services import open_services
from simulator.settings import read_settings


def run(options: argparse.Namespace) -> int:
    """Write to a file, or to standard output."""
    with open_services(read_settings()) as services:
        text = session_json(services.sessions, services.coach, options.session)
    if options.output is None:
        print(text)
        return DONE
    try:
        options.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{options.output} could not be written: {error.strerror}.") from error
    say(f"Saved to {options.output}.")
    return DONE
