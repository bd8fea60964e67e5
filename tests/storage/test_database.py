"""Opening, upgrading, refusing; and what the engine promises about writing."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

import simulator.records  # noqa: F401  (both rooms' tables must be known for the comparison)
from core.errors import StorageError
from language_models.records import ModelCallRow
from storage.base import Table
from storage.database import Database
from storage.upgrade import back_up, ready_database


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'deep' / 'records.sqlite3'}"


def a_call(number: int, at: datetime) -> ModelCallRow:
    return ModelCallRow(
        id=f"call{number}", at=at, role="client", profile="p", model="m", prompt_hash="h", outcome="ok", milliseconds=1,
        prompt_tokens=0, completion_tokens=0, cached_tokens=0, tokens_estimated=False,
    )  # fmt: skip


def test_a_new_database_has_exactly_the_tables_of_all_rooms(url):
    database = ready_database(url)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Table.metadata)
    assert differences == []


def test_opening_twice_changes_nothing_and_makes_no_backup(url, tmp_path):
    ready_database(url).close()
    ready_database(url).close()
    assert [p.name for p in (tmp_path / "deep").glob("*before*")] == []


def test_a_newer_database_is_refused_and_left_alone(url, tmp_path):
    database = ready_database(url)
    with database.writing() as db:
        db.execute(text("update alembic_version set version_num = '9999'"))
    database.close()
    with pytest.raises(StorageError, match="newer version"):
        ready_database(url)
    with sqlite3.connect(tmp_path / "deep" / "records.sqlite3") as raw:
        assert raw.execute("select version_num from alembic_version").fetchone() == ("9999",)


def test_a_damaged_file_is_refused_with_the_way_out(tmp_path):
    path = tmp_path / "records.sqlite3"
    path.write_bytes(b"this is not a database, it is a letter" * 100)
    with pytest.raises(StorageError, match="damaged or is not"):
        ready_database(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"this is not")


def test_times_come_back_in_utc_and_naive_ones_are_refused(url):
    database = ready_database(url)
    elsewhere = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))
    with database.writing() as db:
        db.add(a_call(1, elsewhere))
    with database.reading() as db:
        assert db.scalars(select(ModelCallRow)).one().at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    with pytest.raises(Exception, match="without a zone"), database.writing() as db:
        db.add(a_call(2, datetime(2026, 1, 1)))  # noqa: DTZ001 - a naive time is the point


def test_many_writers_that_read_first_never_find_the_database_locked(url):
    database = ready_database(url)
    failures: list[Exception] = []

    def work(name: int) -> None:
        try:
            for number in range(25):
                with database.writing() as db:
                    db.scalars(select(ModelCallRow.id)).all()
                    db.add(a_call(name * 1000 + number, datetime.now(UTC)))  # noqa: TID251 - any time will do
        except Exception as error:  # collected and asserted on below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.reading() as db:
        assert len(db.scalars(select(ModelCallRow.id)).all()) == 200


def test_a_failed_block_leaves_nothing_behind(url):
    database = ready_database(url)
    with pytest.raises(RuntimeError), database.writing() as db:
        db.add(a_call(1, datetime.now(UTC)))  # noqa: TID251 - any time will do
        raise RuntimeError("stop")
    with database.reading() as db:
        assert db.scalars(select(ModelCallRow)).all() == []


def test_a_backup_can_be_opened_and_holds_the_same(url, tmp_path):
    database = ready_database(url)
    with database.writing() as db:
        db.add(a_call(1, datetime.now(UTC)))  # noqa: TID251 - any time will do
    copy = back_up(database, reason="test", to=tmp_path / "copy.sqlite3")
    restored = Database(f"sqlite:///{copy}")
    with restored.reading() as db:
        assert db.scalars(select(ModelCallRow.id)).all() == ["call1"]
