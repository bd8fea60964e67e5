"""The table of model calls. Says who was asked what kind of thing, how it ended and what it cost; never what was said."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Float, Integer, String, case, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from language_models.base import ModelCall, ModelRole, Usage
from language_models.spending import SessionUsage
from storage.base import Table
from storage.database import Database


class ModelCallRow(Table):
    """One model call. Columns as ``ModelCall``."""

    __tablename__ = "model_calls"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    role: Mapped[str] = mapped_column(String(20))
    profile: Mapped[str] = mapped_column(String(60))
    model: Mapped[str] = mapped_column(String(200))
    prompt_hash: Mapped[str] = mapped_column(String(80))
    outcome: Mapped[str] = mapped_column(String(60))
    milliseconds: Mapped[int] = mapped_column(Integer)
    prompt_tokens: Mapped[int] = mapped_column(Integer)
    completion_tokens: Mapped[int] = mapped_column(Integer)
    cached_tokens: Mapped[int] = mapped_column(Integer)
    tokens_estimated: Mapped[bool]
    cost: Mapped[float | None] = mapped_column(Float)
    session_id: Mapped[str | None] = mapped_column(String(64), index=True)


def row_of(call: ModelCall) -> ModelCallRow:
    """The row for a call, for callers that store it in a transaction of their own."""
    return ModelCallRow(
        id=call.id,
        at=call.at,
        role=call.role.value,
        profile=call.profile,
        model=call.model[:200],
        prompt_hash=call.prompt_hash,
        outcome=call.outcome[:60],
        milliseconds=call.milliseconds,
        prompt_tokens=call.usage.prompt_tokens,
        completion_tokens=call.usage.completion_tokens,
        cached_tokens=call.usage.cached_tokens,
        tokens_estimated=call.usage.estimated,
        cost=call.cost,
        session_id=call.session_id,
    )


def call_of(row: ModelCallRow) -> ModelCall:
    """The call a row stands for."""
    return ModelCall(
        id=row.id,
        at=row.at,
        role=ModelRole(row.role),
        profile=row.profile,
        model=row.model,
        prompt_hash=row.prompt_hash,
        outcome=row.outcome,
        milliseconds=row.milliseconds,
        usage=Usage(
            prompt_tokens=row.prompt_tokens,
            completion_tokens=row.completion_tokens,
            cached_tokens=row.cached_tokens,
            estimated=row.tokens_estimated,
        ),
        cost=row.cost,
        session_id=row.session_id,
    )


class SqlCallRecorder:
    """A ``CallRecorder`` that writes each call in a short transaction of its own.

    Not for use inside a ``Database.writing()`` block: a second writer waits for the first. Store ``row_of(call)`` there instead.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, call: ModelCall) -> None:
        """Store the call. Raises ``StorageError`` when the database cannot be written."""
        with self._database.writing() as db:
            db.add(row_of(call))


def usage_of_session(db: Session, session_id: str) -> SessionUsage:
    """What a session has used, over all its stored calls."""
    calls = ModelCallRow
    statement = select(
        func.count(),
        func.coalesce(func.sum(case((calls.outcome == "ok", 0), else_=1)), 0),
        func.coalesce(func.sum(calls.prompt_tokens), 0),
        func.coalesce(func.sum(calls.completion_tokens), 0),
        func.coalesce(func.sum(calls.cached_tokens), 0),
        func.coalesce(func.sum(calls.cost), 0.0),
        func.coalesce(func.sum(case((calls.cost.is_(None), 1), else_=0)), 0),
    ).where(calls.session_id == session_id)
    count, failed, prompt, completion, cached, cost, unpriced = db.execute(statement).one()
    return SessionUsage(
        calls=int(count),
        failed=int(failed),
        prompt_tokens=int(prompt),
        completion_tokens=int(completion),
        cached_tokens=int(cached),
        cost=float(cost),
        unpriced=int(unpriced),
    )


def calls_of_session(db: Session, session_id: str) -> list[ModelCall]:
    """A session's calls, oldest first."""
    calls = ModelCallRow
    rows = db.scalars(select(calls).where(calls.session_id == session_id).order_by(calls.at, calls.id))
    return [call_of(row) for row in rows]
