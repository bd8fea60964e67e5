"""The coach reads in the background, so that a slow reading never holds up the trainee's next reply.

What is read is stored by the coach itself; this only remembers who is reading what, and the last result a page may show meanwhile.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import streamlit as st

from simulator.outcomes import TurnOutcome
from simulator.views import SessionView
from ui.services import get_services

Outcomes = tuple[TurnOutcome, ...]
_SESSIONS_REMEMBERED = 200
_READERS = 4
_LOOK_AGAIN_SECONDS = 1.0


@dataclass(slots=True)
class _Reading:
    """One session's reading: of which turns, and what was known before."""

    turns: tuple[str, ...]
    future: Future[Outcomes]
    earlier: Outcomes = ()


class CoachReader:
    """Readings by session. Thread-safe; one per process; one reading at a time for a session."""

    def __init__(self, outcomes: Callable[[str], Outcomes]) -> None:
        self._outcomes = outcomes
        self._pool = ThreadPoolExecutor(max_workers=_READERS, thread_name_prefix="coach")
        self._readings: OrderedDict[str, _Reading] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, session_id: str, turns: tuple[str, ...], *, patience: float) -> tuple[Outcomes, bool]:
        """What is known about ``turns`` (ids) after at most ``patience`` seconds, and whether that is all.

        Raises what the coach raised; the next call tries again.
        """
        reading = self._reading_of(session_id, turns)
        wait([reading.future], timeout=patience)
        if not reading.future.done():
            return reading.earlier, False
        if reading.turns != turns:  # that one was begun before the newest reply
            return self.read(session_id, turns, patience=patience)
        try:
            return reading.future.result(), True
        except BaseException:
            with self._lock:
                self._readings.pop(session_id, None)
            raise

    def reads(self, session_id: str) -> bool:
        """Whether a reading of this session is going on."""
        with self._lock:
            reading = self._readings.get(session_id)
            return reading is not None and not reading.future.done()

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _reading_of(self, session_id: str, turns: tuple[str, ...]) -> _Reading:
        with self._lock:
            reading = self._readings.get(session_id)
            if reading is None or (reading.future.done() and reading.turns != turns):
                earlier = _result(reading)
                reading = _Reading(turns=turns, future=self._pool.submit(self._outcomes, session_id), earlier=earlier)
                self._readings[session_id] = reading
            self._readings.move_to_end(session_id)
            while len(self._readings) > _SESSIONS_REMEMBERED:
                self._readings.popitem(last=False)
            return reading


def _result(reading: _Reading | None) -> Outcomes:
    if reading is None:
        return ()
    return reading.earlier if reading.future.exception() is not None else reading.future.result()


@st.cache_resource(show_spinner=False, on_release=lambda reader: reader.close())
def coach_reader() -> CoachReader:
    """The reader of this process."""
    return CoachReader(lambda session_id: get_services().coach.outcomes(session_id))


def answered(view: SessionView) -> tuple[str, ...]:
    """The turns there is something to read about."""
    return tuple(turn.id for turn in view.turns if turn.client is not None)


@st.fragment(run_every=_LOOK_AGAIN_SECONDS)
def look_again(session_id: str) -> None:
    """Draw the page anew once the coach is done. Mounted only while something is missing."""
    if not coach_reader().reads(session_id):
        st.rerun()
