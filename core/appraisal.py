"""What a reply did: skill codes, each tied to the words that show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from core.evidence import Evidence
from core.transcript import Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillRating:
    """One skill seen in a reply. ``strength`` is in (0, 1]; ``evidence`` is a span of the reply as it was written."""

    skill: str
    strength: float
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillAppraisal:
    """All skills seen in one reply.

    ``signals`` are continuous measures of the reply (unit per key, see the appraiser's README) that have no span of their own,
    such as the share of the client's content words taken up. ``unappraised`` gives the reason when nothing could be said.
    """

    ratings: tuple[SkillRating, ...] = ()
    signals: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    appraiser: str = ""
    unappraised: str | None = None

    def strength(self, *skills: str) -> float:
        """The greatest strength among ``skills``; 0.0 when none was seen."""
        return max((r.strength for r in self.ratings if r.skill in skills), default=0.0)

    def has(self, *skills: str) -> bool:
        """Whether any of ``skills`` was seen."""
        return any(r.skill in skills for r in self.ratings)

    def rating(self, *skills: str) -> SkillRating | None:
        """The strongest rating among ``skills``, or None."""
        found = [r for r in self.ratings if r.skill in skills]
        return max(found, key=lambda r: r.strength) if found else None


class Appraiser(Protocol):
    """Finds skills in a therapist's reply, given what was said before it (oldest first)."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same reply could be appraised differently."""
        ...

    def appraise(self, context: Sequence[Utterance], reply: str) -> SkillAppraisal:
        """Appraise ``reply``. Never raises on odd text; says so in ``unappraised``."""
        ...


def appraisal_to_json(appraisal: SkillAppraisal) -> dict[str, Any]:
    """Plain JSON values for the record; ``appraisal_from_json`` gives back an equal appraisal."""
    return {
        "ratings": [{"skill": r.skill, "strength": r.strength, "evidence": asdict(r.evidence)} for r in appraisal.ratings],
        "signals": dict(appraisal.signals),
        "appraiser": appraisal.appraiser,
        "unappraised": appraisal.unappraised,
    }


def appraisal_from_json(data: Mapping[str, Any]) -> SkillAppraisal:
    """Read what ``appraisal_to_json`` wrote. Raises ``KeyError`` or ``TypeError`` when it is something else."""
    return SkillAppraisal(
        ratings=tuple(SkillRating(skill=r["skill"], strength=r["strength"], evidence=Evidence(**r["evidence"])) for r in data["ratings"]),
        signals=MappingProxyType(dict(data["signals"])),
        appraiser=data["appraiser"],
        unappraised=data["unappraised"],
    )
