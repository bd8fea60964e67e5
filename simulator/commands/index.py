"""``index``: build the guidance index anew."""

from __future__ import annotations

import argparse
import sys

from simulator.cli import DONE, say
from simulator.services import open_guidance_of
from simulator.settings import read_settings


def run(options: argparse.Namespace) -> int:
    """Rebuild, with a count on standard error."""
    guidance = open_guidance_of(
        read_settings(), rebuild=True, progress=lambda done, total: print(f"\r{done}/{total} passages", end="", file=sys.stderr)
    )
    try:
        say(f"\nIndexed {len(guidance.retriever.passages)} passages ({guidance.retriever.index_kind or 'words only'}).")
        for note in guidance.retriever.notes:
            say(note)
    finally:
        guidance.retriever.close()
    return DONE
