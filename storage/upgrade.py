"""Bringing a database to the shape this version of the app needs, or refusing with the way out.

New databases are made by the same steps as old ones are upgraded by. Before an existing SQLite file is changed, a copy is laid
beside it. A database written by a newer app is never touched.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DatabaseError

from core.clock import now
from core.errors import StorageError
from storage.database import Database

_MIGRATIONS = Path(__file__).with_name("migrations")


def ready_database(url: str) -> Database:
    """Open the database at ``url`` and bring it up to date. Raises ``StorageError`` with a way out."""
    database = Database(url)
    try:
        current = _current_revision(database)
        scripts = ScriptDirectory(str(_MIGRATIONS))
        head = scripts.get_current_head()
        if current == head:
            return database
        if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
            raise StorageError(
                f"The records were written by a newer version of Practice Room (schema {current}; this version knows {head}). "
                "Nothing was changed. Start the newer version, or restore a backup made by this one."
            )
        if current is not None:
            back_up(database, reason=f"before-{head}")
        with database.engine.connect() as connection:
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        return database
    except DatabaseError as error:
        database.close()
        raise StorageError(
            f"The records in {database.path or 'the database'} cannot be opened: the file is damaged or is not a Practice Room database. "
            "It was not changed. Move it aside and restore a backup.",
            details=str(error.orig),
        ) from error
    except StorageError:
        database.close()
        raise


def _current_revision(database: Database) -> str | None:
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def back_up(database: Database, *, reason: str, to: Path | None = None) -> Path | None:
    """Copy a SQLite database consistently while it is in use; returns the copy, or None for another engine."""
    source = database.path
    if source is None:
        return None
    target = to or source.with_name(f"{source.stem}-{reason}-{now():%Y%m%dT%H%M%SZ}.sqlite3")
    target.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(source) as original, sqlite3.connect(target) as copy:
        original.backup(copy)
    return target
