"""A session as one JSON document: everything the trainee wrote and was told, in a stable shape."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from simulator.coach import Coach
from simulator.sessions import SessionEngine

_FORMAT = "practice-room/session@1"
_INTERNAL = frozenset({"used_lines", "last_topic"})
"""A voice's own memory of spoken lines says nothing about the session."""


def session_json(sessions: SessionEngine, coach: Coach, session_id: str) -> str:
    """The session with its transcript, attempts that were taken back, scores, feedback and report."""
    view = sessions.view(session_id)
    document = {
        "format": _FORMAT,
        "label": "Fictional client, for training only. Scores are drafts until a person releases them.",
        "transcript_hash": view.transcript().content_hash(),
        "session": plain(view),
        "outcomes": plain(coach.outcomes(session_id)),
        "report": plain(coach.report(session_id)),
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def plain(value: object) -> Any:
    """Frozen data as JSON values; sets are sorted, times are ISO 8601. ``TypeError`` for anything that is not plain data."""
    if value is None or isinstance(value, str | int | float | bool):
        return value.value if isinstance(value, Enum) else value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value) if field.name not in _INTERNAL}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items() if key not in _INTERNAL}
    if isinstance(value, Set):
        return sorted(plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not plain data")
