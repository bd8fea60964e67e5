"""What pages and the command line see of a session: plain frozen data, no rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.appraisal import SkillAppraisal
from core.transcript import Mark, Speaker, Transcript
from personas.state import ClientState, LedgerEntry


class Status(StrEnum):
    """Where a session stands. Moves are checked: ``open <-> awaiting_client -> ended`` and, for assignments later, onwards."""

    OPEN = "open"
    AWAITING_CLIENT = "awaiting_client"
    ENDED = "ended"


ALLOWED_MOVES: dict[Status, frozenset[Status]] = {
    Status.OPEN: frozenset({Status.AWAITING_CLIENT, Status.ENDED}),
    Status.AWAITING_CLIENT: frozenset({Status.OPEN, Status.ENDED}),
    Status.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """One turn. ``client`` is None while the client has not answered yet; ``live`` is False for an attempt that was taken back."""

    id: str
    number: int
    attempt: int
    therapist: str
    therapist_at: datetime
    client: str | None
    voice: str | None
    appraisal: SkillAppraisal | None
    ledger: tuple[LedgerEntry, ...]
    state: ClientState | None
    direction: dict[str, Any]
    checks: dict[str, Any]
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """One session with its live turns, and the attempts that were taken back."""

    id: str
    trainee: str
    status: Status
    mode: str
    persona_id: str
    persona_version: int
    persona_name: str
    rubric_id: str
    rubric_version: int
    seed: int
    engine: str
    focus: str
    hints: bool
    opening: str
    start_state: ClientState
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    closing: str | None
    ending: str | None
    self_rating: dict[str, Any] | None
    parent_id: str | None
    parent_turn: int | None
    turns: tuple[TurnView, ...]
    withdrawn: tuple[TurnView, ...]
    draft: str

    @property
    def state(self) -> ClientState:
        """The client's state now."""
        return next((t.state for t in reversed(self.turns) if t.state is not None), self.start_state)

    @property
    def next_number(self) -> int:
        """The number the next turn will have, from 1."""
        return len(self.turns) + 1

    def transcript(self, *, before_turn: int | None = None) -> Transcript:
        """Everything said so far, or up to but not including the trainee's words of ``before_turn``."""
        said = Transcript().then(Speaker.CLIENT, self.opening)
        for turn in self.turns:
            if before_turn is not None and turn.number >= before_turn:
                break
            said = said.then(Speaker.THERAPIST, turn.therapist)
            if turn.client is not None:
                said = said.then(Speaker.CLIENT, turn.client, (Mark(mark) for mark in turn.direction.get("marks", ())))
        if self.closing and before_turn is None:
            said = said.then(Speaker.CLIENT, self.closing)
        return said
