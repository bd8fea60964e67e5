"""A rubric file as types: what good practice looks like, level by level, and the words in which it is fed back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from core.content import ContentModel
from core.skills import Skill, skill_catalogue

PLACEHOLDERS = frozenset({"quote", "name", "word"})
"""What a fragment may hold in braces: the trainee's words, the client's name, a content word of the client's last line."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _known_skill(code: str) -> str:
    if code not in skill_catalogue().codes:
        raise ValueError(f"there is no skill called '{code}' in the skill catalogue")
    return code


def _only(allowed: frozenset[str], text: str) -> str:
    unknown = sorted({name for name in _PLACEHOLDER.findall(text) if name not in allowed})
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in sorted(allowed))
        raise ValueError(f"'{{{unknown[0]}}}' is not a placeholder here; allowed: {known}")
    if any(brace in _PLACEHOLDER.sub("", text) for brace in "{}"):
        raise ValueError("a brace stands alone; braces hold placeholders")
    return text


def _some(items: tuple[object, ...]) -> tuple[object, ...]:
    # checked after the items: a wrong item is one problem and not also an empty list
    if not items:
        raise ValueError("at least one entry is needed")
    return items


def _two(items: tuple[object, ...]) -> tuple[object, ...]:
    if len(items) < 2:
        raise ValueError("at least two entries are needed")
    return items


def _fragment(text: str) -> str:
    return _only(PLACEHOLDERS, text)


def _alternative(text: str) -> str:
    return _only(frozenset({"word"}), text)


Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
RubricId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=600)]
SkillCode = Annotated[str, AfterValidator(_known_skill)]
Fragment = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_fragment)]
Alternative = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_alternative)]
Level = Annotated[int, Field(ge=1, le=5)]


def filled(fragment: str, *, quote: str = "", name: str = "", word: str = "") -> str:
    """``fragment`` with its placeholders replaced, in one pass: braces inside the values stay what they are."""
    values = {"quote": quote, "name": name, "word": word}
    return _PLACEHOLDER.sub(lambda found: values.get(found.group(1), found.group()), fragment)


class Facet(ContentModel):
    """One part of a criterion, 0-2; more is better. ``skills`` are the codes that show it; a facet may also rest on measures alone."""

    id: Identifier
    two: Words
    one: Words
    zero: Words
    skills: tuple[SkillCode, ...] = ()


class Anchor(ContentModel):
    """What one level sounds like. ``words`` go on from "The reply ..."."""

    name: Words
    words: Words


class Exemplar(ContentModel):
    """Replies at one level to one thing a client said. ``who`` names the client it is written for."""

    who: Identifier
    client: Words
    level: Level
    replies: Annotated[tuple[Words, ...], AfterValidator(_some)]


class Criterion(ContentModel):
    """One thing that is judged.

    ``not_applicable`` is the rule and, read to a trainee, the reason for giving no level. ``lowers`` are skills that cost here;
    ``does_not_lower`` are skills one might expect to and that must not.
    """

    id: Identifier
    label: Words
    question: Words
    experimental: bool = False
    evidence_note: str = ""
    not_applicable: Words
    facets: Annotated[tuple[Facet, ...], AfterValidator(_some)]
    lowers: tuple[SkillCode, ...] = ()
    does_not_lower: tuple[SkillCode, ...] = ()
    anchors: Mapping[Level, Anchor]
    exemplars: tuple[Exemplar, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def raises(self) -> frozenset[str]:
        """Every skill that counts for some facet."""
        return frozenset(skill for facet in self.facets for skill in facet.skills)


class HarmRule(ContentModel):
    """Skills that may do damage: seen in a reply, ``criterion`` gets at most ``cap`` and the flag is reported first.

    ``least`` is the strength from which a skill counts as seen.
    """

    id: Identifier
    label: Words
    skills: Annotated[tuple[SkillCode, ...], AfterValidator(_some)]
    criterion: Identifier
    cap: Level
    least: float = Field(default=0.5, gt=0, le=1)


class Alternatives(ContentModel):
    """Differing short replies to offer when ``skill`` cost something. ``client`` is a client's id, or ``any``."""

    client: Identifier
    situation: tuple[Identifier, ...] = ()
    skill: SkillCode
    replies: Annotated[tuple[Alternative, ...], AfterValidator(_two)]


Fragments = Mapping[SkillCode, Annotated[tuple[Fragment, ...], AfterValidator(_some)]]


class FeedbackWords(ContentModel):
    """The sentences feedback is made of, by skill. About the reply, never the person.

    ``why`` is one sentence of grounds, also used as search text. ``nudges`` are hints before a reply, by situation or skill.
    """

    worked: Fragments = Field(default_factory=dict)
    cost: Fragments = Field(default_factory=dict)
    try_: Fragments = Field(default_factory=dict, alias="try")
    why: Fragments = Field(default_factory=dict)
    alternatives: tuple[Alternatives, ...] = ()
    nudges: Mapping[Identifier, Annotated[tuple[Fragment, ...], AfterValidator(_some)]] = Field(default_factory=dict)

    def alternatives_for(self, skill: str, client: str) -> tuple[Alternatives, ...]:
        """Sets of replies for ``skill``: those written for ``client`` first, then those for any."""
        found = [a for a in self.alternatives if a.skill == skill and a.client in (client, "any")]
        return tuple(sorted(found, key=lambda a: a.client == "any"))


class Rubric(ContentModel):
    """A versioned set of criteria with harm flags and feedback words."""

    id: RubricId
    version: int = Field(ge=1)
    label: Words
    criteria: Annotated[tuple[Criterion, ...], AfterValidator(_some)]
    harm_flags: tuple[HarmRule, ...] = ()
    feedback: FeedbackWords = Field(default_factory=FeedbackWords)

    def criterion(self, criterion_id: str) -> Criterion:
        """The criterion of that id; ``KeyError`` when there is none."""
        for criterion in self.criteria:
            if criterion.id == criterion_id:
                return criterion
        raise KeyError(criterion_id)


def skill(code: str) -> Skill:
    """The catalogue's entry for a code that a rubric has already been checked to know."""
    return skill_catalogue().get(code)
