"""``chat``: one session on the command line. Stored like any other, so nothing written here is lost either."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.clock import new_id
from core.errors import ContentError, InvalidInput, Problem
from core.replies import accept_reply
from personas.state import ledger_to_json, state_to_json
from simulator.cli import DONE, say
from simulator.services import Services, open_services
from simulator.settings import read_settings
from simulator.views import SessionView, Status, TurnView

_END_WORDS = ("/end", "/stop", "/quit")


def run(options: argparse.Namespace) -> int:
    """Play a script, or read replies from the keyboard until /end."""
    replies = read_script(options.script) if options.script else None
    with open_services(read_settings()) as services:
        engine = services.engine_name(options.model)
        view = services.sessions.start(options.persona, trainee="command line", seed=options.seed, engine=engine)
        say(f"Session {view.id} with {view.persona_name}. Fictional, for training only. Engine: {engine}.")
        show(opening_record(view), view.persona_name, as_json=options.json)
        for words in replies if replies is not None else _typed(view.persona_name):
            try:
                view = services.sessions.take_turn(view.id, words, key=new_id(), turn=view.next_number)
            except InvalidInput as error:
                if replies is not None:
                    raise
                say(error.message)
                continue
            show(turn_record(view.turns[-1]), view.persona_name, as_json=options.json)
            if view.status is Status.ENDED:
                say(f"{view.persona_name} has left.")
                break
        _close(services, view)
    return DONE


def _close(services: Services, view: SessionView) -> None:
    ended = services.sessions.end(view.id)
    if ended.closing:
        say(f"{ended.persona_name}: {ended.closing}")


def _typed(name: str) -> Iterator[str]:
    say(f"Write to {name}; /end ends the session.")
    while True:
        try:
            words = input("> ")
        except EOFError:
            return
        if words.strip() in _END_WORDS:
            return
        yield words


def read_script(path: Path) -> list[str]:
    """One reply a line. Every line that cannot be sent is named; nothing is played then."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ContentError([Problem(str(path), f"cannot be read: {reason}")]) from error
    if lines and lines[-1] == "":
        lines.pop()
    problems = []
    for number, line in enumerate(lines, start=1):
        try:
            accept_reply(line)
        except InvalidInput as error:
            problems.append(Problem(str(path), error.message, line=number))
    if problems or not lines:
        raise ContentError(problems or [Problem(str(path), "holds no replies")])
    return lines


def opening_record(view: SessionView) -> dict[str, Any]:
    """The record of turn 0: the client speaks first."""
    return {
        "turn": 0,
        "trainee": None,
        "appraisal": [],
        "state": _state(state_to_json(view.start_state)),
        "ledger": [],
        "direction": None,
        "client": view.opening,
    }


def turn_record(turn: TurnView) -> dict[str, Any]:
    """One turn as the stable command line shape (design section 10)."""
    ratings = turn.appraisal.ratings if turn.appraisal else ()
    return {
        "turn": turn.number,
        "trainee": turn.therapist,
        "appraisal": [{"skill": r.skill, "strength": r.strength, **dataclasses.asdict(r.evidence)} for r in ratings],
        "state": _state(state_to_json(turn.state)) if turn.state else None,
        "ledger": ledger_to_json(turn.ledger),
        "direction": turn.direction,
        "client": turn.client,
    }


def _state(state: dict[str, Any]) -> dict[str, Any]:
    """Without the voice's own memory, which says nothing about the client."""
    return {key: value for key, value in state.items() if key not in ("used_lines", "last_topic")}


def show(record: dict[str, Any], name: str, *, as_json: bool) -> None:
    """Print one turn."""
    if as_json:
        print(json.dumps(record, ensure_ascii=False, sort_keys=False), flush=True)
        return
    if record["trainee"] is not None and not sys.stdin.isatty():
        print(f"You: {record['trainee']}")
    print(f"{name}: {record['client']}", flush=True)
