"""The command line (design section 10; stable). Exit codes: 0 done, 1 the work failed, 2 wrong use or invalid content.

``--json`` output goes to standard output alone; messages and progress go to standard error.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from core.errors import ContentError, InvalidInput, ModelMisconfigured, NotFound, SimulatorError

DONE, FAILED, WRONG_USE = 0, 1, 2
Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Errors are one plain message on standard error, never a stack trace."""
    logging.basicConfig(level=os.environ.get("LOGLEVEL", "WARNING"), format="%(levelname)s %(name)s: %(message)s")
    options = build_parser().parse_args(list(arguments))
    try:
        command: Command = import_module(f"simulator.commands.{options.module}").run
        return command(options)
    except (ContentError, InvalidInput, NotFound, ModelMisconfigured) as error:
        say(error.message)
        return WRONG_USE
    except SimulatorError as error:
        say(error.message)
        if error.details:
            logging.getLogger(__name__).warning(error.details)
        return FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader went away; nothing more to say to it
        return FAILED
    except KeyboardInterrupt:
        say("Stopped. What was sent is saved.")
        return FAILED


def say(message: str) -> None:
    """A message for the person, on standard error."""
    print(message, file=sys.stderr)


def build_parser() -> argparse.ArgumentParser:
    """All commands and options."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator", description="Practice Room: a therapist-training simulator. Fictional clients, for training only."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, module: str, words: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=words, description=words)
        command.set_defaults(module=module)
        return command

    add("serve", "serve", "start the app").add_argument("--port", type=_port, help="port on 127.0.0.1 (default 8501)")
    chat = add("chat", "chat", "talk with a client, or play a script of replies")
    chat.add_argument("persona", metavar="PERSONA", help="a client, for example teo")
    chat.add_argument("--model", default="auto", help="embedded, or the name of a model profile (default: what settings say)")
    chat.add_argument("--seed", type=int, default=1, help="same seed and script give the same session (default 1)")
    chat.add_argument("--script", type=Path, help="a text file with one reply a line")
    chat.add_argument("--json", action="store_true", help="one JSON object a line")
    score = add("score", "score", "score replies against a rubric")
    score.add_argument("--rubric", default="core-relational")
    score.add_argument("--model", default="embedded", help="embedded, or the name of a model profile")
    score.add_argument("--input", type=Path, required=True, help="JSON lines: id, context, reply")
    score.add_argument("--output", type=Path, required=True, help="JSON lines with scores")
    search = add("search", "search", "search the guidance")
    search.add_argument("query", metavar="QUERY")
    search.add_argument("-k", type=int, default=5, help="passages (default 5)")
    search.add_argument("--json", action="store_true")
    check = add("check", "check", "validate personas, rubrics, corpus, prompts and database")
    check.add_argument("paths", nargs="*", type=Path, metavar="PATHS")
    dry = add("dry-run", "dry_run", "play scripted trainees against a client: disclosure and trust")
    dry.add_argument("persona", metavar="PERSONA")
    dry.add_argument("--turns", type=int, default=20)
    dry.add_argument("--seeds", type=int, default=3, help="seeds 1 to N (default 3)")
    dry.add_argument("--json", action="store_true")
    add("init", "init", "make the data folder, database and index")
    add("index", "index", "build the guidance index anew")
    add("models", "models", "say which engine plays which role, and what leaves this machine").add_argument(
        "--test", action="store_true", help="send one small request to each"
    )
    export = add("export", "export", "write one session as JSON")
    export.add_argument("session", metavar="SESSION")
    export.add_argument("--output", type=Path)
    add("backup", "backup", "copy the database while it is in use").add_argument("to", nargs="?", type=Path)
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)
