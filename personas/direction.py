"""The stage direction: what a client does in one turn, as data, and the state after it was played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from core.transcript import Mark
from personas.schema import Persona
from personas.state import ClientState, PullOutcome, PullRecord


class Move(StrEnum):
    """What the client does this turn."""

    ANSWER = "answer"
    TELL = "tell"
    HALF_TELL = "half_tell"
    DEFLECT = "deflect"
    REACT = "react"
    RESIST = "resist"
    TEST = "test_the_frame"
    PULL_MET = "pull_met"
    PULL_MISSED = "pull_missed"
    WITHDRAW = "withdraw"
    CONFRONT = "confront"
    SOFTEN = "soften"
    DIP = "dip"
    EDGE = "edge"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """The stage direction a voice renders.

    ``pools`` name groups of the persona's own lines, first choice first. ``lead_in`` is an optional short reaction before it.
    ``marks`` say what the client's words will ask for or touch, for whoever reads the conversation.
    ``unlocked`` are facts that may be told in this turn; nothing else beyond what was told before may be known by a voice.
    """

    move: Move
    pools: tuple[str, ...]
    stance: str
    target_words: int
    lead_in: str | None = None
    fact: str | None = None
    unlocked: tuple[str, ...] = ()
    pull: str | None = None
    reasons: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()


def settle(state: ClientState, direction: Direction, persona: Persona, used: Sequence[str]) -> ClientState:
    """The state after the direction was played: what is now told, tests made, the dip, lines used."""
    told, half, pulls, dip = state.told, state.half_told, state.pulls, state.dip_until
    if direction.move is Move.TELL and direction.fact is not None and direction.fact not in told:
        told = (*told, direction.fact)
        dip = max(dip, state.turn + persona.fact(direction.fact).dip_after)
    if direction.move is Move.HALF_TELL and direction.fact is not None:
        half = (*half, direction.fact)
    if direction.move is Move.TEST and direction.pull is not None:
        earlier = state.pull(direction.pull)
        record = PullRecord(pull=direction.pull, turn=state.turn, times=(earlier.times if earlier else 0) + 1, outcome=PullOutcome.PENDING)
        pulls = (*(p for p in pulls if p.pull != direction.pull), record)
    first = direction.pools[0]
    topic = f"fact:{direction.fact}" if direction.fact is not None else first if first.startswith("talk:") else state.last_topic
    return replace(state, told=told, half_told=half, pulls=pulls, dip_until=dip, used_lines=state.used_lines | set(used), last_topic=topic)
