"""The skill catalogue: what a therapist's reply can do, in the field's terms. Definitions live in skills.yaml."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path

from pydantic import Field, model_validator

from core.content import ContentModel, load_content


class Polarity(StrEnum):
    """What a skill usually does to the work. Stated once, here, and nowhere else."""

    HELPS = "helps"
    NEUTRAL = "neutral"
    COSTS = "costs"
    HARMS = "harms"


class Skill(ContentModel):
    """One code with its definition, and what does and does not count."""

    code: str = Field(pattern=r"^[a-z][a-z_]*$")
    label: str
    family: str = Field(pattern=r"^[a-z_]+$")
    polarity: Polarity
    definition: str
    examples: tuple[str, ...] = Field(min_length=2)
    counter_examples: tuple[str, ...] = Field(min_length=1)


class SkillCatalogue(ContentModel):
    """All skills, unique by code."""

    version: int = Field(ge=1)
    skills: tuple[Skill, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _codes_are_unique(self) -> SkillCatalogue:
        codes = [skill.code for skill in self.skills]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"codes given twice: {', '.join(twice)}")
        return self

    @property
    def codes(self) -> frozenset[str]:
        """Every known code."""
        return frozenset(skill.code for skill in self.skills)

    def get(self, code: str) -> Skill:
        """The skill with this code; ``KeyError`` when unknown."""
        return next(skill for skill in self.skills if skill.code == code)


@cache
def skill_catalogue() -> SkillCatalogue:
    """The shipped catalogue, read once."""
    return load_content(Path(__file__).with_name("skills.yaml"), SkillCatalogue).value
