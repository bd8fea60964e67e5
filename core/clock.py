"""Time and identifiers: the only places that read the clock or draw random ids, so that tests can fix both."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from itertools import count

_now: ContextVar[Callable[[], datetime] | None] = ContextVar("now", default=None)
_new_id: ContextVar[Callable[[], str] | None] = ContextVar("new_id", default=None)


def now() -> datetime:
    """The current time, timezone-aware, in UTC."""
    source = _now.get()
    return source() if source is not None else datetime.now(UTC)  # noqa: TID251 - the one place that reads the clock


def new_id() -> str:
    """A new opaque identifier: 32 hexadecimal characters."""
    source = _new_id.get()
    return source() if source is not None else uuid.uuid4().hex


@contextmanager
def fixed_clock(at: datetime, *, id_prefix: str = "id") -> Iterator[None]:
    """Freeze ``now()`` at ``at`` and number ids from 1, for tests and for byte-identical replays."""
    if at.tzinfo is None:
        raise ValueError("fixed_clock needs a timezone-aware time")
    numbers = count(1)
    now_token = _now.set(lambda: at)
    id_token = _new_id.set(lambda: f"{id_prefix}{next(numbers):06d}")
    try:
        yield
    finally:
        _now.reset(now_token)
        _new_id.reset(id_token)
