"""``models``: who plays each role, what leaves this machine, and what is missing."""

from __future__ import annotations

import argparse

from simulator.cli import DONE, FAILED, say
from simulator.services import open_services
from simulator.settings import read_settings


def run(options: argparse.Namespace) -> int:
    """Say it; with --test send one small request to each profile."""
    with open_services(read_settings()) as services:
        for notice in services.notices():
            print(f"{notice.role.value:10} {notice.plays}. {notice.leaves_machine}")
        embedding = services.embedding_choice
        print(f"{'search':10} by meaning and words." if embedding.model else f"{'search':10} by words only: {embedding.reason}")
        print(f"{'tokens':10} {services.counter.source}")
        failed = False
        for profile in services.models.profiles if options.test else ():
            result = services.models.probe(profile.name)
            print(
                f"{profile.name}: reachable {_yes(result.reachable)}, streams {_yes(result.streams)}, "
                f"keeps the schema {_yes(result.keeps_schema)}, "
                f"first word {result.first_word_ms} ms, reply {result.reply_ms} ms ({result.destination})"
            )
            for problem in result.problems:
                say(f"  {problem}")
            failed = failed or not result.usable
        if options.test and not services.models.profiles:
            say("There is no model profile to test; everything is built in.")
    return FAILED if failed else DONE


def _yes(value: bool) -> str:
    return "yes" if value else "no"
