"""Builders of appraisals for tests that are not about the appraiser."""

from core.appraisal import SkillAppraisal, SkillRating
from core.evidence import Evidence


def an_appraisal(*skills: str, strength: float = 1.0, quote: str = "words", **signals: float) -> SkillAppraisal:
    """An appraisal in which each skill was seen at ``strength``, quoting ``quote`` at offset 0."""
    evidence = Evidence(quote=quote, start=0, end=len(quote))
    return SkillAppraisal(
        ratings=tuple(SkillRating(skill=skill, strength=strength, evidence=evidence) for skill in skills),
        signals=signals,
        appraiser="test",
    )
