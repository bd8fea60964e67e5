"""What is going on inside the client, as plain data (design section 4). How it changes is in ``change.py``."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from pydantic import TypeAdapter

from core.evidence import Evidence
from personas.rules import client_rules
from personas.schema import Condition, Persona, Resistance


class RuptureKind(StrEnum):
    """Moving away from the therapist, or against (3RS2015)."""

    WITHDRAWAL = "withdrawal"
    CONFRONTATION = "confrontation"


class PullOutcome(StrEnum):
    """How a test of the frame was answered so far."""

    PENDING = "pending"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingBack:
    """An active resistance pattern; it cannot fall before turn ``until``."""

    pattern: Resistance
    since: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rupture:
    """A break in the bond that is not mended yet; ``lost`` is the trust it cost."""

    kind: RuptureKind
    since: int
    lost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRecord:
    """One test of the frame: when it was last made, how often, how it was answered."""

    pull: str
    turn: int
    times: int
    outcome: PullOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientState:
    """Everything that decides what the client does next. Turn 0 is before the trainee has said anything.

    ``trust``, ``arousal``, ``hope`` are 0-10; ``openness`` 0-5 is how open the last turns have left the client.
    """

    turn: int
    trust: float
    arousal: float
    hope: float
    openness: float = 0.0
    holding_back: HoldingBack | None = None
    rupture: Rupture | None = None
    told: tuple[str, ...] = ()
    half_told: tuple[str, ...] = ()
    pulls: tuple[PullRecord, ...] = ()
    conditions: frozenset[Condition] = frozenset()
    recent_gains: tuple[tuple[int, float], ...] = ()
    recent_skills: tuple[tuple[int, str], ...] = ()
    costs_in_a_row: int = 0
    dip_until: int = 0
    repaired_at: int = -1
    ended: Literal["leaves_early"] | None = None
    used_lines: frozenset[str] = frozenset()
    last_topic: str = ""

    def pull(self, pull_id: str) -> PullRecord | None:
        """The record of this pull, or None when it was not made yet."""
        return next((record for record in self.pulls if record.pull == pull_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One change with its cause. For every measure the deltas of a turn add up to the change of the state.

    ``cause`` is a skill code, or ``settling``, ``fading``, ``pull:<id>``, ``repair``; ``evidence`` quotes the trainee where a
    skill caused it. ``words`` say it plainly for the debrief.
    """

    turn: int
    measure: Literal["trust", "openness", "arousal", "hope", "resistance", "rupture"]
    before: float
    after: float
    cause: str
    words: str
    evidence: Evidence | None = None

    @property
    def delta(self) -> float:
        """The signed change."""
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class StateUpdate:
    """Before, after, and why."""

    before: ClientState
    after: ClientState
    ledger: tuple[LedgerEntry, ...] = field(default=())


def initial_state(persona: Persona, *, seed: int) -> ClientState:
    """The client as they walk in. A client whose trust starts low begins by holding back."""
    guarded = persona.start.trust < client_rules().resistance.starts_below_trust
    return ClientState(
        turn=0,
        trust=persona.start.trust,
        arousal=persona.start.arousal,
        hope=persona.start.hope,
        holding_back=hold_back(persona, turn=0, seed=seed) if guarded else None,
    )


def hold_back(persona: Persona, *, turn: int, seed: int) -> HoldingBack:
    """Draw a resistance pattern from the persona's mix."""
    patterns = [p for p, weight in persona.resistance.mix.items() if weight > 0]
    weights = [persona.resistance.mix[p] for p in patterns]
    pattern = draw(seed, turn, "resistance").choices(patterns, weights)[0]
    return HoldingBack(pattern=pattern, since=turn, until=turn + persona.resistance.dwell)


def draw(seed: int, turn: int, purpose: str) -> random.Random:
    """A random source that depends only on seed, turn and purpose: resuming a session draws the same as never stopping."""
    return random.Random(f"{seed}|{turn}|{purpose}")  # noqa: S311 - reproducible play, nothing secret depends on it


_STATE = TypeAdapter(ClientState)
_LEDGER = TypeAdapter(tuple[LedgerEntry, ...])


def state_to_json(state: ClientState) -> dict[str, Any]:
    """Plain JSON values, stable order, for the record."""
    data: dict[str, Any] = _STATE.dump_python(state, mode="json")
    for unordered in ("conditions", "used_lines"):
        data[unordered] = sorted(data[unordered])
    return data


def state_from_json(data: dict[str, Any]) -> ClientState:
    """The reverse of ``state_to_json``."""
    return _STATE.validate_python(data)


def ledger_to_json(ledger: tuple[LedgerEntry, ...]) -> list[dict[str, Any]]:
    """Plain JSON values for the record."""
    data: list[dict[str, Any]] = _LEDGER.dump_python(ledger, mode="json")
    return data


def ledger_from_json(data: list[dict[str, Any]]) -> tuple[LedgerEntry, ...]:
    """The reverse of ``ledger_to_json``."""
    return _LEDGER.validate_python(data)
