"""A session as one JSON document: everything the trainee wrote and was told, in a stable shape."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from simulator.coach import Coach
from simulator.outcomes import SessionReport, TurnOutcome
from simulator.sessions import SessionEngine
from simulator.views import SessionView

_FORMAT = "practice-room/session@1"
_SESSION, _OUTCOMES, _REPORT = TypeAdapter(SessionView), TypeAdapter(tuple[TurnOutcome, ...]), TypeAdapter(SessionReport)
_INTERNAL = ("used_lines", "last_topic")


def session_json(sessions: SessionEngine, coach: Coach, session_id: str) -> str:
    """The session with its transcript, attempts that were taken back, scores, feedback and report."""
    view = sessions.view(session_id)
    session = _SESSION.dump_python(view, mode="json")
    for turn in (*session["turns"], *session["withdrawn"], {"state": session["start_state"]}):
        _drop_internal(turn.get("state"))
    document = {
        "format": _FORMAT,
        "label": "Fictional client, for training only. Scores are drafts until a person releases them.",
        "transcript_hash": view.transcript().content_hash(),
        "session": session,
        "outcomes": _OUTCOMES.dump_python(coach.outcomes(session_id), mode="json"),
        "report": _REPORT.dump_python(coach.report(session_id), mode="json"),
    }
    return json.dumps(document, ensure_ascii=False, indent=2, default=str)


def _drop_internal(state: dict[str, Any] | None) -> None:
    """A voice's own memory of spoken lines says nothing about the session."""
    for key in _INTERNAL:
        if state is not None:
            state.pop(key, None)
