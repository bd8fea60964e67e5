"""Opening the database, and the two ways to use it: ``reading()`` and ``writing()``.

SQLite is opened with busy_timeout first, then WAL and foreign keys; a write transaction begins with BEGIN IMMEDIATE, because
WAL and a timeout alone do not prevent "database is locked" when a transaction reads before it writes. ``synchronous=FULL``
costs a flush per transaction and is worth it: what a trainee sent must survive a power cut, not only a crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.errors import StorageError

_BUSY_TIMEOUT_MS = 5_000


class Database:
    """One open database. Safe to share between threads; every unit of work is its own transaction."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _open_engine(url)

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, for migrations and checks."""
        return self._engine

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None for another engine."""
        parsed = make_url(self.url)
        return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading; nothing is committed."""
        with self._guarded(), Session(self._engine) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose whole block is one transaction: committed at the end, rolled back on any error."""
        with self._guarded(), Session(self._engine.execution_options(immediate=True), expire_on_commit=False) as db, db.begin():
            yield db

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            raise StorageError(
                "The records could not be read or written just now. What was already saved is safe; please try again. "
                "If it happens again, check that the disk is not full and the data folder can be written.",
                details=str(error.orig),
            ) from error


def _open_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    if parsed.database:
        try:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"The data folder {Path(parsed.database).parent} cannot be created: {error.strerror}.") from error
    engine = create_engine(url)
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is deferred; ours is chosen in _begin
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={_BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
