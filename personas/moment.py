"""One moment of a session as the director sees it: the client's state, what the reply did, what it touched, and chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from core.appraisal import SkillAppraisal
from personas.direction import Direction, Move
from personas.gates import Gate, gate_of
from personas.matching import Match
from personas.pools import line_id, pool_lines
from personas.schema import Fact, Persona
from personas.state import ClientState, StateUpdate, draw

_LANDS = (
    "complex_reflection",
    "interpretation",
    "names_the_fear_of_being_judged",
    "simple_reflection",
    "summary",
    "immediacy",
    "emotional_reaction",
    "affirmation",
)
_ASKS = ("exploration", "open_question", "closed_question", "risk_asked_directly", "question_volley")
_UNKIND = ("question_volley", "judging", "shaming", "minimising", "advice_without_permission", "defensiveness")
_CLEARLY = 0.4


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything a choice of the director may look at. ``landed`` and strengths are 0-1."""

    persona: Persona
    update: StateUpdate
    appraisal: SkillAppraisal
    matches: tuple[Match, ...]
    seed: int

    @property
    def state(self) -> ClientState:
        """The client after hearing the reply."""
        return self.update.after

    @property
    def asks(self) -> bool:
        """Whether the reply asks anything."""
        return self.appraisal.has(*_ASKS) or self.appraisal.signals.get("questions", 0) > 0

    @property
    def kindly(self) -> bool:
        """Whether it asks without hurry or judgement: what condition ``asked_kindly`` means."""
        return self.asks and self.appraisal.strength(*_UNKIND) < _CLEARLY

    @property
    def landed(self) -> float:
        """How well the reply met the client."""
        return self.appraisal.strength(*_LANDS)

    def chance(self, purpose: str) -> float:
        """A number in [0, 1) that depends on seed, turn and purpose only."""
        return draw(self.seed, self.state.turn, purpose).random()

    def touched(self, kind: str, at_least: float) -> list[tuple[str, float]]:
        """Ids of one kind of topic that the words touch, strongest first."""
        prefix = kind + ":"
        return [(m.target.removeprefix(prefix), m.score) for m in self.matches if m.target.startswith(prefix) and m.score >= at_least]

    @property
    def topic(self) -> str:
        """The fact spoken of last, if the last topic was a fact."""
        return self.state.last_topic.removeprefix("fact:") if self.state.last_topic.startswith("fact:") else ""

    def fresh(self, pool: str) -> bool:
        """Whether a pool has a line that was not said yet."""
        return any(line_id(line) not in self.state.used_lines for line in pool_lines(self.persona, pool))

    def gate(self, fact: Fact, *, asked: bool) -> Gate:
        """Whether the fact may be told now."""
        return gate_of(fact, self.state, asked_kindly=asked and self.kindly)

    def direct(self, move: Move, *pools: str, stance: str, reason: str, **more: object) -> Direction:
        """A direction of this moment; ``more`` are further fields of ``Direction``."""
        direction = Direction(move=move, pools=pools, stance=stance, target_words=_target_words(self), reasons=(reason,))
        return replace(direction, **more)  # type: ignore[arg-type]  # field names are checked by the dataclass itself


def _target_words(view: Moment) -> int:
    """Draw from the persona's quantiles; holding back, ruptures and dips shorten."""
    quantiles = view.persona.style.words_per_turn
    points = (
        (0.0, 1.0),
        (0.25, quantiles.p25),
        (0.5, quantiles.p50),
        (0.75, quantiles.p75),
        (0.95, quantiles.p95),
        (1.0, quantiles.p95 * 1.2),
    )
    at = view.chance("length")
    for (low, words_low), (high, words_high) in pairwise(points):
        if at <= high:
            words = words_low + (words_high - words_low) * (at - low) / (high - low)
            break
    if view.state.holding_back or view.state.rupture:
        words *= 0.6
    return max(1, round(words))
