"""Calls in the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from language_models.base import ModelCall, ModelRole, Usage
from language_models.records import ModelCallRow, SqlCallRecorder, calls_of_session, row_of, usage_of_session
from language_models.spending import SessionUsage, Tally
from storage.base import Table
from storage.database import Database

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'calls.db'}")
    Table.metadata.create_all(database.engine, tables=[ModelCallRow.metadata.tables["model_calls"]])
    yield database
    database.close()


def a_call(number: int, *, outcome: str = "ok", cost: float | None = 0.5, session: str | None = "s1") -> ModelCall:
    return ModelCall(
        id=f"c{number}",
        at=AT + timedelta(seconds=number),
        role=ModelRole.CLIENT,
        profile="house",
        model="m",
        prompt_hash="f" * 64,
        outcome=outcome,
        milliseconds=120,
        usage=Usage(prompt_tokens=100, completion_tokens=10, cached_tokens=64, estimated=number == 2),
        cost=cost,
        session_id=session,
    )


def test_a_call_comes_back_as_it_was(database: Database) -> None:
    recorder = SqlCallRecorder(database)
    calls = [a_call(1), a_call(2, outcome="ModelUnavailable", cost=None), a_call(3, session=None)]
    for call in calls:
        recorder.record(call)
    with database.reading() as db:
        assert calls_of_session(db, "s1") == calls[:2]


def test_usage_of_a_session_adds_up(database: Database) -> None:
    recorder = SqlCallRecorder(database)
    calls = [a_call(1), a_call(2, outcome="ModelUnavailable", cost=None), a_call(3)]
    expected = SessionUsage()
    for call in calls:
        recorder.record(call)
        expected = expected.plus(call)
    recorder.record(a_call(9, session="other"))
    with database.reading() as db:
        assert usage_of_session(db, "s1") == expected
        assert usage_of_session(db, "never seen") == SessionUsage()
    assert (expected.calls, expected.failed, expected.tokens, expected.cost, expected.unpriced) == (3, 1, 330, 1.0, 1)


def test_a_row_can_be_stored_in_a_transaction_of_the_caller(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as db:
        db.add(row_of(a_call(1)))
        raise RuntimeError
    with database.writing() as db:
        db.add(row_of(a_call(2)))
    with database.reading() as db:
        assert [call.id for call in calls_of_session(db, "s1")] == ["c2"]


def test_a_restarted_process_goes_on_counting_where_it_was(database: Database) -> None:
    def earlier(session_id: str) -> SessionUsage:
        with database.reading() as db:
            return usage_of_session(db, session_id)

    Tally(SqlCallRecorder(database), earlier=earlier).record(a_call(1))
    after_restart = Tally(SqlCallRecorder(database), earlier=earlier)
    after_restart.record(a_call(2))
    assert after_restart.usage_of("s1") == earlier("s1")
    assert after_restart.usage_of("s1").calls == 2
