"""``backup``: copy the database while it is in use."""

from __future__ import annotations

import argparse

from core.errors import StorageError
from simulator.cli import DONE, say
from simulator.settings import read_settings
from storage.upgrade import back_up, ready_database


def run(options: argparse.Namespace) -> int:
    """Copy consistently; the message names the file."""
    database = ready_database(read_settings().url)
    try:
        copy = back_up(database, reason="backup", to=options.to)
    except OSError as error:
        raise StorageError(f"The backup could not be written: {error.strerror}.") from error
    finally:
        database.close()
    if copy is None:
        raise StorageError("This database is not a SQLite file; use the backup tools of its own server.")
    say(f"Saved to {copy}.")
    return DONE
