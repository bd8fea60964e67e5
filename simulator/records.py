"""Tables of practice sessions, and the only code that reads and writes them.

What a trainee sends is one row before anything else happens with it. A turn is completed by one guarded update, so that a second
process, a second click or a retry cannot complete it twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import new_id, now
from core.errors import Conflict, NotFound
from storage.base import Table


class SessionRow(Table):
    """One practice session with one client."""

    __tablename__ = "practice_sessions"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    trainee: Mapped[str] = mapped_column(String(80), index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(20))
    mode: Mapped[str] = mapped_column(String(20))
    persona_id: Mapped[str] = mapped_column(String(80))
    persona_version: Mapped[int]
    persona_hash: Mapped[str] = mapped_column(String(64))
    persona: Mapped[dict[str, Any]]  # the whole file as it was: a session outlives edits of its persona
    rubric_id: Mapped[str] = mapped_column(String(80))
    rubric_version: Mapped[int]
    seed: Mapped[int]
    engine: Mapped[str] = mapped_column(String(120))
    focus: Mapped[str] = mapped_column(String(200))
    hints: Mapped[bool]
    opening: Mapped[str] = mapped_column(Text)
    start_state: Mapped[dict[str, Any]]
    closing: Mapped[str | None] = mapped_column(Text)
    ending: Mapped[str | None] = mapped_column(String(20))
    self_rating: Mapped[dict[str, Any] | None]
    parent_id: Mapped[str | None] = mapped_column(String(40))
    parent_turn: Mapped[int | None]


class TurnRow(Table):
    """One trainee reply and, once there, the client's answer. ``status``: stored, complete, withdrawn."""

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("session_id", "key"),
        UniqueConstraint("session_id", "number", "attempt"),
        # at most one turn of a number is live; taken-back attempts stay beside it
        Index(
            "uq_turns_live",
            "session_id",
            "number",
            unique=True,
            sqlite_where=text("status != 'withdrawn'"),
            postgresql_where=text("status != 'withdrawn'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("practice_sessions.id", ondelete="CASCADE"))
    number: Mapped[int]
    attempt: Mapped[int]
    key: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(20))
    therapist: Mapped[str] = mapped_column(Text)
    therapist_at: Mapped[datetime]
    client: Mapped[str | None] = mapped_column(Text)
    client_at: Mapped[datetime | None]
    voice: Mapped[str | None] = mapped_column(String(40))
    appraisal: Mapped[dict[str, Any] | None]
    ledger: Mapped[list[Any] | None]
    state: Mapped[dict[str, Any] | None]
    direction: Mapped[dict[str, Any] | None]
    checks: Mapped[dict[str, Any] | None]


class ScoreRow(Table):
    """What a scorer said about one turn. A new scorer makes a new row; rows are never changed."""

    __tablename__ = "turn_scores"
    __table_args__ = (UniqueConstraint("turn_id", "fingerprint"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    fingerprint: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
    report: Mapped[dict[str, Any]]
    feedback: Mapped[dict[str, Any]]


class DraftRow(Table):
    """Words that were typed and not sent, one a session: refused because too long, or typed while the client was answering."""

    __tablename__ = "drafts"

    session_id: Mapped[str] = mapped_column(ForeignKey("practice_sessions.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class DisagreementRow(Table):
    """A trainee's "I see it differently" about one piece of feedback."""

    __tablename__ = "disagreements"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    words: Mapped[str] = mapped_column(Text)


def find_session(db: Session, session_id: str) -> SessionRow:
    """The session; ``NotFound`` when there is none."""
    row = db.get(SessionRow, session_id)
    if row is None:
        raise NotFound("This session does not exist, or was deleted.")
    return row


def sessions_of(db: Session, trainee: str) -> list[SessionRow]:
    """All sessions of a trainee, newest first."""
    query = select(SessionRow).where(SessionRow.trainee == trainee).order_by(SessionRow.created_at.desc(), SessionRow.id)
    return list(db.scalars(query))


def turns_of(db: Session, session_id: str, *, withdrawn: bool = False) -> list[TurnRow]:
    """The live turns in order; with ``withdrawn`` also the attempts that were taken back."""
    query = select(TurnRow).where(TurnRow.session_id == session_id).order_by(TurnRow.number, TurnRow.attempt)
    if not withdrawn:
        query = query.where(TurnRow.status != "withdrawn")
    return list(db.scalars(query))


def count_live(db: Session, session_id: str) -> int:
    """How many live turns a session has, answered or not."""
    query = select(func.count()).select_from(TurnRow).where(TurnRow.session_id == session_id, TurnRow.status != "withdrawn")
    return db.scalar(query) or 0


def find_turn_by_key(db: Session, session_id: str, key: str) -> TurnRow | None:
    """The turn a click made, however often it was clicked."""
    return db.scalar(select(TurnRow).where(TurnRow.session_id == session_id, TurnRow.key == key))


def store_words(db: Session, session: SessionRow, *, number: int, key: str, words: str) -> TurnRow:
    """Write the trainee's words as a new turn and mark the session as waiting. ``Conflict`` when another tab was first."""
    attempts = list(db.scalars(select(TurnRow.attempt).where(TurnRow.session_id == session.id, TurnRow.number == number)))
    row = TurnRow(
        id=new_id(),
        session_id=session.id,
        number=number,
        attempt=max(attempts, default=0) + 1,
        key=key,
        status="stored",
        therapist=words,
        therapist_at=now(),
    )
    db.add(row)
    session.status = "awaiting_client"
    session.updated_at = now()
    try:
        db.flush()
    except IntegrityError as error:
        raise Conflict("This session moved on in another window. Your words are kept below; look at the latest turn first.") from error
    return row


def complete_turn(db: Session, turn_id: str, values: dict[str, Any]) -> bool:
    """Write the client's side of a stored turn; False when it was completed or taken back meanwhile."""
    done = db.execute(update(TurnRow).where(TurnRow.id == turn_id, TurnRow.status == "stored").values(status="complete", client_at=now(), **values))
    return bool(done.rowcount)  # type: ignore[attr-defined]  # an UPDATE always yields a CursorResult


def keep_draft(db: Session, session_id: str, words: str) -> None:
    """Keep exactly these unsent words; an empty text clears them. For the person's own edit of what was kept."""
    row = db.get(DraftRow, session_id)
    if not words:
        if row is not None:
            db.delete(row)
        return
    if row is None:
        db.add(DraftRow(session_id=session_id, text=words, at=now()))
    else:
        row.text, row.at = words, now()


def take_from_draft(db: Session, session_id: str, words: str) -> None:
    """Drop words that were sent now from what was kept; other kept words, written in another window, stay."""
    kept = draft_of(db, session_id)
    keep_draft(db, session_id, "" if kept in words else kept.removesuffix(words).strip())


def add_to_draft(db: Session, session_id: str, words: str) -> None:
    """Keep unsent words beside those kept before: two refusals, or a take-back over a refused reply, never overwrite one another."""
    kept = draft_of(db, session_id)
    if words not in kept:
        keep_draft(db, session_id, f"{kept}\n\n{words}" if kept and kept not in words else words)


def draft_of(db: Session, session_id: str) -> str:
    """The kept unsent words, or the empty string."""
    row = db.get(DraftRow, session_id)
    return row.text if row is not None else ""


def score_of(db: Session, turn_id: str, fingerprint: str) -> ScoreRow | None:
    """The score of a turn by one scorer."""
    return db.scalar(select(ScoreRow).where(ScoreRow.turn_id == turn_id, ScoreRow.fingerprint == fingerprint))


def scores_of(db: Session, session_id: str) -> dict[str, ScoreRow]:
    """The latest score of each turn of a session, by turn id."""
    query = select(ScoreRow).join(TurnRow, ScoreRow.turn_id == TurnRow.id).where(TurnRow.session_id == session_id).order_by(ScoreRow.at)
    return {row.turn_id: row for row in db.scalars(query)}
