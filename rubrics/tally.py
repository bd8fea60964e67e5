"""How a level comes about: a start value, what is added and taken off for which skills, and the words behind each step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.appraisal import SkillAppraisal, SkillRating
from core.evidence import Evidence
from core.skills import Polarity
from core.transcript import Speaker, Utterance, last_client_text
from rubrics.schema import skill as catalogue_entry
from rubrics.scores import HIGHEST, LOWEST

CLEARLY = 0.5
"""A skill at this strength or more is taken as plainly there."""

MOST_EVIDENCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One reply in its place: what was said before (oldest first), the reply, and what the appraiser saw in it.

    ``asked_about_risk`` says that one of the replies shortly before already asked about suicide in plain words. ``spans`` are the
    instruction-like parts of the reply; no rating of ``appraisal`` touches them.
    """

    context: Sequence[Utterance]
    reply: str
    appraisal: SkillAppraisal
    asked_about_risk: bool = False
    spans: tuple[Evidence, ...] = ()

    def signal(self, name: str) -> float:
        """A measure of the reply; 0.0 when the appraiser did not take it."""
        return self.appraisal.signals.get(name, 0.0)

    def clearly(self, *skills: str) -> bool:
        """Whether one of ``skills`` is plainly there."""
        return self.appraisal.strength(*skills) >= CLEARLY

    @property
    def client_has_spoken(self) -> bool:
        """Whether there are client words to answer."""
        return bool(last_client_text(self.context).strip())

    @property
    def opens_the_session(self) -> bool:
        """Whether the therapist says something for the first time."""
        return not any(u.speaker is Speaker.THERAPIST for u in self.context)

    @property
    def only_greets(self) -> bool:
        """Whether courtesy is all there is in it."""
        skills = {rating.skill for rating in self.appraisal.ratings}
        return "greeting" in skills and skills <= {
            "greeting",
            "closed_question",
            "open_question",
            "silence_held",
            "swap_test_failure",
            "formula",
        }

    @property
    def only_asks(self) -> bool:
        """Whether questions are all there is in it."""
        skills = {rating.skill for rating in self.appraisal.ratings}
        return bool(skills) and skills <= {"closed_question", "open_question", "question_volley", "exploration", "topic_shift", "greeting"}

    def words_outside(self, *skills: str) -> int:
        """Number of words of the reply that are not quoted for ``skills``."""
        spans = {(r.evidence.start, r.evidence.end) for r in self.appraisal.ratings if r.skill in skills}
        inside = sum(len(self.reply[start:end].split()) for start, end in _merged(spans))
        return max(0, len(self.reply.split()) - inside)

    def fit(self) -> float:
        """How far the reply takes up the client's last words, 0-1: shared content words or the same feeling."""
        return min(1.0, max(self.signal("pickup") * 2, self.signal("feeling_match")))


def _merged(spans: set[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


@dataclass(slots=True)
class Tally:
    """A value under way. Every step names the skills it rests on, so that the level can quote them."""

    moment: Moment
    value: float
    grounds: list[tuple[float, SkillRating]] = field(default_factory=list)
    facets: dict[str, int] = field(default_factory=dict)
    most: float = float(HIGHEST)

    def add(self, weight: float, *skills: str) -> float:
        """Add ``weight`` times the strength of the strongest of ``skills``; returns what was added (negative weights take off)."""
        rating = self.moment.appraisal.rating(*skills)
        if rating is None:
            return 0.0
        step = weight * rating.strength
        self.value += step
        self.grounds.append((step, rating))
        return step

    def add_best(self, weights: Mapping[str, float], *, scale: float = 1.0) -> float:
        """Add only the largest of several weighted skills: two names for one act do not count twice. The others are kept as grounds."""
        found = [(scale * weight * r.strength, r) for r in self.moment.appraisal.ratings if (weight := weights.get(r.skill)) is not None]
        if not found:
            return 0.0
        best = max(step for step, _ in found)
        self.value += best
        self.grounds.extend(found)
        return best

    def costs(self, skills: Sequence[str], weights: Mapping[str, float], *, usual: float, further: float = 0.35) -> float:
        """Take off for the costliest of ``skills`` in full and for each other at ``further``. Harmful skills weigh half as much again."""
        found: list[tuple[float, SkillRating]] = []
        for code in skills:
            rating = self.moment.appraisal.rating(code)
            if rating is not None:
                harm = 1.5 if catalogue_entry(code).polarity is Polarity.HARMS else 1.0
                found.append((harm * weights.get(code, usual) * rating.strength, rating))
        found.sort(key=lambda item: -item[0])
        total = sum(step if place == 0 else further * step for place, (step, _) in enumerate(found))
        self.value -= total
        self.grounds.extend((-step, rating) for step, rating in found)
        return total

    def at_most(self, limit: float, *skills: str) -> None:
        """Cap the value. ``skills`` are the grounds of the cap."""
        self.most = min(self.most, limit)
        rating = self.moment.appraisal.rating(*skills) if skills else None
        if rating is not None:
            self.grounds.append((-(HIGHEST - limit), rating))

    def show_the_rest(self) -> None:
        """Keep every other rating as a ground of no weight: where nothing special decided, the level is shown by what was there."""
        self.grounds.extend((0.0, rating) for rating in self.moment.appraisal.ratings)

    def result(self) -> float:
        """The value within 1.0 and 5.0, rounded so that it prints and compares the same everywhere."""
        return round(min(float(HIGHEST), self.most, max(float(LOWEST), self.value)), 3)

    def level(self) -> int:
        """The anchor nearest to the value; halves go up."""
        return math.floor(self.result() + 0.5)

    def deciding(self) -> list[SkillRating]:
        """The ratings that decided, most weighty first: what cost something leads at levels 1 and 2, what worked above."""
        low = self.level() <= 2
        ordered = sorted(self.grounds, key=lambda item: ((item[0] < 0) != low, -abs(item[0]), item[1].evidence.start, item[1].skill))
        return [rating for _, rating in ordered]

    def evidence(self) -> tuple[Evidence, ...]:
        """Up to three quotations, none twice."""
        found: list[Evidence] = []
        for rating in self.deciding():
            if rating.evidence not in found and rating.evidence.holds_in(self.moment.reply):
                found.append(rating.evidence)
        return tuple(found[:MOST_EVIDENCE])
