"""``init``: make the data folder, the database and the index, and say what was found."""

from __future__ import annotations

import argparse

from simulator.cli import DONE, say
from simulator.services import open_services
from simulator.settings import read_settings


def run(options: argparse.Namespace) -> int:
    """Open everything once."""
    settings = read_settings()
    with open_services(settings) as services:
        passages = len(services.guidance.retriever.passages)
        clients = len(services.library.all())
        say(f"Ready: {clients} clients, {passages} guidance passages, sessions in {settings.data_dir}.")
    return DONE
