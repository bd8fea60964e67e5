"""What the detectors hand to each other: findings over the reading copy, and a view of each sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rubrics.appraiser.client import ClientWords
from rubrics.appraiser.cues import Cues
from rubrics.appraiser.reading import Reading, Sentence


@dataclass(frozen=True, slots=True)
class Finding:
    """One skill at ``start:end`` of the reading copy."""

    skill: str
    strength: float
    start: int
    end: int


@dataclass(slots=True)
class SentenceView:
    """A sentence with what was found out about it. ``asks``: none, open or closed; ``tag``: a request to be corrected."""

    sentence: Sentence
    content: frozenset[str]
    picked: frozenset[str]
    feelings: frozenset[str]
    asks: str = ""
    stock: bool = False
    tag: bool = False
    skills: set[str] = field(default_factory=set)

    def finding(self, skill: str, strength: float) -> Finding:
        """A finding over the whole sentence, noted here as well."""
        self.skills.add(skill)
        return Finding(skill, strength, self.sentence.start, self.sentence.end)

    def has(self, skills: Iterable[str]) -> bool:
        """Whether any of ``skills`` was found in this sentence."""
        return not self.skills.isdisjoint(skills)


@dataclass(frozen=True, slots=True)
class Reply:
    """Everything a detector may look at."""

    reading: Reading
    views: tuple[SentenceView, ...]
    client: ClientWords
    cues: Cues
    content: frozenset[str]
    picked: frozenset[str]
    feelings: frozenset[str]
    words: int

    def skills(self) -> set[str]:
        """All skills noted on any sentence so far."""
        return {skill for view in self.views for skill in view.skills}

    def whole(self, skill: str, strength: float) -> Finding:
        """A finding over all sentences."""
        return Finding(skill, strength, self.views[0].sentence.start, self.views[-1].sentence.end)

    def frame(self, name: str, text: str) -> bool:
        """Whether the named pattern group is found in ``text``."""
        return self.cues.frames[name].search(text) is not None
