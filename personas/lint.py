"""What a schema cannot see: lines that would give a locked fact away, facts nobody can reach, a voice that is too long or too thin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from personas.checks import check_reply, leaked_facts
from personas.pools import pool_lines
from personas.rules import client_rules
from personas.schema import Fact, Persona

_MIN_LINES, _SHORT_WORDS, _MIN_SHORT_SHARE, _LONG_WORDS, _MAX_LONG_SHARE = 80, 5, 0.2, 40, 0.06


@dataclass(frozen=True, slots=True)
class Lint:
    """One finding. ``field`` is dotted; ``fatal`` findings make ``check`` fail."""

    field: str
    message: str
    fatal: bool = True


def lint_persona(persona: Persona) -> tuple[Lint, ...]:
    """Everything worth repairing in a persona that is valid by schema."""
    return (*_leaks(persona), *_unreachable(persona), *_pulls(persona), *_speech(persona), *_people(persona))


def always_visible(persona: Persona) -> Iterator[tuple[str, str]]:
    """Every (field, text) that may be seen, by a model or a trainee, while all facts above tier 0 are locked."""
    yield "setting", persona.setting
    yield "referral_note", persona.referral_note
    yield "presenting_problem", persona.presenting_problem
    yield "culture", persona.culture
    yield "hard_part", persona.hard_part
    yield "goals.said", persona.goals.said
    for number, strength in enumerate(persona.strengths):
        yield f"strengths[{number}]", strength
    for key, value in persona.ordinary_life.items():
        yield f"ordinary_life.{key}", value
    for number, text in enumerate((*persona.style.habits, *persona.principles, *persona.never_says)):
        yield f"style.habits/principles/never_says[{number}]", text
    for fact in persona.facts:
        yield f"facts.{fact.id}.sealed_as", fact.sealed_as
    for pool in _free_pools(persona):
        for number, line in enumerate(pool_lines(persona, pool)):
            yield f"{pool}[{number}]", line


def _free_pools(persona: Persona) -> list[str]:
    pools = ["openings", "edge", "resistance.any", "rupture.withdraw", "rupture.confront", "rupture.repaired"]
    pools += [f"reactions.{name}" for name, _ in persona.reactions]
    pools += [f"deflections.{name}" for name in persona.deflections]
    pools += [f"talk:{talk.id}" for talk in persona.talk]
    pools += [f"pull:{pull.id}.{part}" for pull in persona.pulls for part in ("lines", "again", "met", "missed")]
    pools += [f"endings.{name}" for name, _ in persona.endings]
    return [*pools, *(f"fact:{fact.id}.half" for fact in persona.facts)]


def _leaks(persona: Persona) -> Iterator[Lint]:
    locked = [fact for fact in persona.facts if fact.tier > 0]
    for field, text in always_visible(persona):
        for fact_id in leaked_facts(text, locked):
            yield Lint(field, f"gives away the locked fact '{fact_id}': {text!r}")
    for fact in persona.facts:
        later = [other for other in locked if other.id != fact.id and other.id not in _implied(persona, fact)]
        for part, texts in (("told", fact.told), ("gist", (fact.gist,))):
            for number, text in enumerate(texts):
                for other in leaked_facts(text, later):
                    yield Lint(
                        f"facts.{fact.id}.{part}[{number}]", f"gives away the fact '{other}', which may still be locked then: {text!r}"
                    )


def _implied(persona: Persona, fact: Fact) -> frozenset[str]:
    """Facts that must have been told before this one can be."""
    implied: set[str] = set()
    waiting = list(fact.needs.after)
    while waiting:
        name = waiting.pop()
        if name not in implied:
            implied.add(name)
            waiting += persona.fact(name).needs.after
    return frozenset(implied)


def _unreachable(persona: Persona) -> Iterator[Lint]:
    for fact in persona.facts:
        if fact.id in _implied(persona, fact):
            yield Lint(f"facts.{fact.id}.needs.after", "waits for itself")
        for earlier in fact.needs.after:
            if persona.fact(earlier).tier > fact.tier:
                yield Lint(f"facts.{fact.id}.needs.after", f"tier {fact.tier} waits for '{earlier}' of a higher tier")
        hidden = set(fact.stays_hidden_after) & {"open_question", "exploration", "risk_asked_directly"}
        if hidden:
            yield Lint(f"facts.{fact.id}.stays_hidden_after", f"is sealed by what should open it: {', '.join(sorted(hidden))}")


def _pulls(persona: Persona) -> Iterator[Lint]:
    for pull in persona.pulls:
        answers = client_rules().pull.answers.get(pull.kind)
        if answers is not None and not set(answers) & set(pull.met_by):
            yield Lint(f"pulls.{pull.id}.met_by", f"nothing here answers a {pull.kind}; name at least one of: {', '.join(answers)}")


def _speech(persona: Persona) -> Iterator[Lint]:
    lines = persona.lines()
    lengths = [len(line.split()) for line in lines]
    if len(set(lines)) < _MIN_LINES:
        yield Lint("lines", f"{len(set(lines))} lines are too few for a session; at least {_MIN_LINES}")
    if sum(length <= _SHORT_WORDS for length in lengths) / len(lengths) < _MIN_SHORT_SHARE:
        yield Lint("lines", f"too few short lines: under {_MIN_SHORT_SHARE:.0%} have at most {_SHORT_WORDS} words", fatal=False)
    if persona.style.kind != "verbose" and sum(length > _LONG_WORDS for length in lengths) / len(lengths) > _MAX_LONG_SHARE:
        yield Lint("lines", f"too many lines over {_LONG_WORDS} words", fatal=False)
    if median(lengths) > 16:
        yield Lint("lines", f"the median line has {median(lengths):.0f} words; people in this chair say about 8", fatal=False)
    for line in sorted({line for line in lines if lines.count(line) > 1}):
        yield Lint("lines", f"stands in two places: {line!r}")
    for line in lines:
        for finding in check_reply(line, persona, locked=(), longest=200):
            yield Lint("lines", f"{finding.words}: {line!r}")


def _people(persona: Persona) -> Iterator[Lint]:
    if persona.review.status != "needs-clinician" and not persona.review.notes:
        yield Lint("review", "says a clinician has read it but not what they noted", fatal=False)
    if any(fact.risk for fact in persona.facts) and len(persona.content_note.split()) < 3:
        yield Lint("content_note", "there is a risk fact, and the note does not say so")
