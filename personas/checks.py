"""What is wrong with a drafted client reply. Pure; used on both voices, before anybody sees a word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import Field, field_validator

from core.content import ContentModel, load_content
from core.replies import clean_text
from personas.schema import Fact, Persona

_SHINGLE = 5
_WORD = re.compile(r"[a-z0-9']+")


class FindingKind(ContentModel):
    """One kind of fault with its patterns."""

    words: str
    patterns: tuple[str, ...] = Field(min_length=1)

    @field_validator("patterns")
    @classmethod
    def _compile(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression: {pattern!r}: {error}") from error
        return value


class ReplyCheckRules(ContentModel):
    """All kinds, versioned."""

    version: int
    findings: dict[str, FindingKind]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: its kind and the words that show it. Locked words are never repeated here: findings go into records and prompts."""

    kind: str
    words: str


@cache
def _rules() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    rules = load_content(Path(__file__).with_name("checks.yaml"), ReplyCheckRules).value
    return tuple(
        (kind, finding.words, re.compile(pattern, re.IGNORECASE | re.MULTILINE))
        for kind, finding in rules.findings.items()
        for pattern in finding.patterns
    )


def check_reply(text: str, persona: Persona, *, locked: Sequence[Fact], longest: int) -> tuple[Finding, ...]:
    """Everything wrong with ``text`` as this client's reply; empty when it may be said. ``longest`` is in words."""
    findings: list[Finding] = []
    if not text.strip():
        return (Finding("empty", "says nothing at all"),)
    if leaked_facts(text, locked):
        findings.append(Finding("locked_fact", "tells what is not earned yet"))
    seen: set[str] = set()
    for kind, words, pattern in _rules():
        if kind not in seen and pattern.search(text):
            seen.add(kind)
            findings.append(Finding(kind, words))
    lowered = text.lower()
    if any(phrase.lower() in lowered for phrase in persona.never_says):
        findings.append(Finding("never_says", "uses a phrase this client would never use"))
    if len(text.split()) > longest:
        findings.append(Finding("too_long", f"is longer than {longest} words"))
    return tuple(findings)


def leaked_facts(text: str, locked: Iterable[Fact]) -> tuple[str, ...]:
    """Ids of locked facts that ``text`` gives away: a key term as a whole word, or five words in a row of a told line."""
    words = _words(text)
    joined = f" {' '.join(words)} "
    shingles = {tuple(words[i : i + _SHINGLE]) for i in range(len(words) - _SHINGLE + 1)}
    return tuple(fact.id for fact in locked if _gives_away(fact, joined, shingles))


def _words(text: str) -> list[str]:
    """Lower-case words; apostrophes count within a word (don't) and not around one ('bottle')."""
    clean = clean_text(text).text.lower()  # also drops invisible characters, which could split a word
    return [word for found in _WORD.findall(clean) if (word := found.strip("'").removesuffix("'s"))]


def _gives_away(fact: Fact, joined: str, shingles: set[tuple[str, ...]]) -> bool:
    terms, told = _giveaways(fact)
    return any(term in joined for term in terms) or not shingles.isdisjoint(told)


@cache
def _giveaways(fact: Fact) -> tuple[tuple[str, ...], frozenset[tuple[str, ...]]]:
    """Key terms padded to whole words, and five-word runs of told lines. Half-told lines may be said when their gate allows."""
    terms = tuple(f" {' '.join(_words(term))} " for term in fact.key_terms)
    runs: set[tuple[str, ...]] = set()
    for line in (*fact.told, fact.gist):
        words = _words(line)
        runs.update(tuple(words[i : i + _SHINGLE]) for i in range(len(words) - _SHINGLE + 1))
    return terms, frozenset(runs)
