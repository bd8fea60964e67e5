"""Sending a reply exactly once. ``session_state`` holds what was clicked until it is stored; the record holds the truth.

A reply is named by a key made for its turn. The same click drawn again, a second click or a rerun sends the same key, and the session
engine stores a key once.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.clock import new_id
from core.errors import SimulatorError
from simulator.sessions import SessionEngine


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A reply on its way: its words, its key, and the turn its writer saw as theirs."""

    words: str
    key: str
    turn: int


def pending_reply(session_id: str) -> Pending | None:
    """The reply that was clicked and is not stored yet."""
    found = st.session_state.get(f"pending-{session_id}")
    return found if isinstance(found, Pending) else None


def queue_reply(sessions: SessionEngine, session_id: str, turn: int, words: str) -> None:
    """For a widget's callback: keep the words at once (before anything is drawn), then let the page send them."""
    waiting = pending_reply(session_id)
    if waiting is not None and waiting.words == words:
        return
    keep_words(sessions, session_id, words, beside=True)
    if waiting is None:
        key = st.session_state.setdefault(f"key-{session_id}-{turn}", new_id())
        st.session_state[f"pending-{session_id}"] = Pending(words=words, key=key, turn=turn)


def send_pending(sessions: SessionEngine, session_id: str) -> None:
    """Send what is pending, note what came of it, and draw the page anew. Does not return when there was something to send."""
    pending = pending_reply(session_id)
    if pending is None:
        return
    del st.session_state[f"pending-{session_id}"]
    try:
        view = sessions.take_turn(session_id, pending.words, key=pending.key, turn=pending.turn)
    except SimulatorError as error:
        note_trouble(session_id, error.message)
    else:
        st.session_state.pop(f"key-{session_id}-{pending.turn}", None)
        st.session_state[f"arrived-{session_id}"] = view.turns[-1].id if view.turns else ""
    st.rerun()


def keep_words(sessions: SessionEngine, session_id: str, words: str, *, beside: bool = False) -> None:
    """Keep unsent words with the session, in place of what was kept or ``beside`` it; when even that fails, the page says so."""
    keep = sessions.add_to_draft if beside else sessions.keep_draft
    try:
        keep(session_id, words.replace("\x00", "")[:100_000])
    except SimulatorError as error:
        note_trouble(session_id, error.message)
        st.session_state[f"unkept-{session_id}"] = words


def note_trouble(session_id: str, message: str) -> None:
    """A message for the next drawing of the page."""
    st.session_state[f"trouble-{session_id}"] = message


def take_trouble(session_id: str) -> str:
    """The message, once; and the empty string when there is none."""
    return str(st.session_state.pop(f"trouble-{session_id}", ""))


def take_arrival(session_id: str) -> str:
    """The id of the turn whose reply has just come, once."""
    return str(st.session_state.pop(f"arrived-{session_id}", ""))


def await_reply(session_id: str, turn_id: str) -> None:
    """Remember that the coach has not read the newest reply yet, so that drawing the page again changes nothing else."""
    st.session_state[f"awaited-{session_id}"] = turn_id


def take_awaited(session_id: str) -> str:
    """The turn the coach was still reading when the page was last drawn, once."""
    return str(st.session_state.pop(f"awaited-{session_id}", ""))
