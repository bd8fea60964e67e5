"""What a trainee is shown about a session: feedback on one turn, and the report. Plain frozen data, built by ``coach`` and ``report``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.evidence import Evidence
from retrieval.citations import Citation
from rubrics.scores import ScoreReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """Feedback on one reply: about the reply, never the person (design section 7).

    ``kind`` is what the coach line shows: ``worked``, ``cost``, ``flag`` (a harm flag, reported first) or ``quiet`` (nothing to say
    that can be quoted). ``quote`` stands in the trainee's words at its offsets. ``worked``, ``cost``, ``effect``, ``try_this`` and
    ``why`` may be empty; ``alternatives`` are two differing replies or none. ``citation`` is verified or None, then ``why_no_citation`` says so.
    """

    turn: int
    kind: Literal["worked", "cost", "flag", "quiet"]
    headline: str
    quote: Evidence | None = None
    criterion: str | None = None
    worked: str = ""
    cost: str = ""
    effect: str = ""
    try_this: str = ""
    alternatives: tuple[str, ...] = ()
    why: str = ""
    citation: Citation | None = None
    why_no_citation: str = ""
    confidence: Literal["low", "medium", "high"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnOutcome:
    """One turn's scores and feedback."""

    turn_id: str
    number: int
    report: ScoreReport
    feedback: Feedback


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One of the debrief's three moments. ``before`` is what the client had said; ``quote`` is the trainee's words, when there are any."""

    kind: Literal["best", "costliest", "missed_opening"]
    turn: int
    before: str
    quote: Evidence | None
    after: str
    words: str
    feedback: Feedback | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionSummary:
    """One criterion over the session: a band with its anchor's words, never a decimal.

    ``low`` and ``high`` are the lowest and highest level of the middle half of the scored turns; ``level`` is their median.
    """

    criterion: str
    label: str
    status: Literal["scored", "not_applicable", "unscored"]
    level: int | None
    low: int | None
    high: int | None
    anchor: str
    reason: str
    experimental: bool
    scored_turns: int
    quotes: tuple[tuple[int, Evidence], ...]
    own_level: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPoint:
    """The client's state after one turn (turn 0 is the start), each 0-10 (openness is 0-5), and what moved it most."""

    turn: int
    trust: float
    openness: float
    tension: float
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One passage to read, verified."""

    title: str
    heading: str
    citation: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """The debrief as data: a pure rendering of what is stored."""

    session_id: str
    persona_name: str
    turns: int
    ending: str | None
    moments: tuple[Moment, ...]
    dimensions: tuple[DimensionSummary, ...]
    flags: tuple[tuple[int, str], ...]
    thread: tuple[ThreadPoint, ...]
    told: tuple[tuple[int, str], ...]
    sealed: tuple[str, ...]
    reflections: int
    questions: int
    ratio: float | None
    talk_share: float | None
    client_view: tuple[tuple[str, str], ...]
    reading: tuple[Reading, ...]
    practise: str
    scorers: tuple[str, ...]
