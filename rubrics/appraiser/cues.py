"""The shape of cues.yaml: word lists, patterns and weights. All content is compiled once, at load, and every problem is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field

from core.content import ContentModel, Loaded, load_content
from core.errors import ContentError, Problem
from core.skills import skill_catalogue

_MACRO = re.compile(r"<([a-z_]+)>")


class Unit(StrEnum):
    """How much of the reply a match is quoted as: the whole sentence (narrowed when long), or the match alone."""

    SENTENCE = "sentence"
    MATCH = "match"


class RuleSource(ContentModel):
    """One way a skill shows. ``asks`` limits it to questions or statements; ``client`` to replies after such a client turn."""

    skill: str
    strength: float = Field(default=0.8, gt=0, le=1)
    when: tuple[str, ...] = Field(min_length=1)
    unless: tuple[str, ...] = ()
    asks: Literal["either", "yes", "no"] = "either"
    unit: Unit = Unit.SENTENCE
    client: str | None = None
    first: bool = False
    most_words: int | None = Field(default=None, ge=1, description="only in replies of at most so many words")


class ChannelSource(ContentModel):
    """A weighted pattern group of a continuous channel. The largest ``weight`` counts in full, others add ``extra`` each."""

    weight: float = Field(ge=-2, le=2)
    when: tuple[str, ...] = Field(min_length=1)
    unless: tuple[str, ...] = ()
    asks: Literal["either", "yes", "no"] = "either"


class FrameSource(ContentModel):
    """Named pattern groups that the code combines with counts and context."""

    instruction: tuple[str, ...] = Field(min_length=1)
    instruction_innocent: tuple[str, ...] = ()
    wh_question: tuple[str, ...]
    inverted: tuple[str, ...]
    unmarked_question: tuple[str, ...]
    indirect_question: tuple[str, ...]
    invitation: tuple[str, ...]
    closed_forms: tuple[str, ...]
    stock_question: tuple[str, ...]
    rhetorical: tuple[str, ...]
    tentative_tag: tuple[str, ...]
    tentative: tuple[str, ...]
    certain: tuple[str, ...]
    reflecting_frame: tuple[str, ...]
    reflecting_opening: tuple[str, ...]
    not_reflecting: tuple[str, ...]
    fragment_blocked: tuple[str, ...]
    both_sides: tuple[str, ...]
    turning: tuple[str, ...]
    meaning: tuple[str, ...]
    image: tuple[str, ...]
    about: tuple[str, ...]
    stock_phrase: tuple[str, ...]
    opener: tuple[str, ...]
    permission: tuple[str, ...]
    negated_frame: tuple[str, ...]
    harmless_i: tuple[str, ...]
    narrative_blocked: tuple[str, ...]
    summary: tuple[str, ...]
    third_person: tuple[str, ...]
    points_to_client: tuple[str, ...]
    deictic: tuple[str, ...]
    specific_moment: tuple[str, ...]
    first_person: tuple[str, ...]
    narrative: tuple[str, ...]
    professional: tuple[str, ...]
    returning: tuple[str, ...]
    refusal: tuple[str, ...]
    warmth_in_refusal: tuple[str, ...]
    takes_up_risk: tuple[str, ...]
    move_on: tuple[str, ...]
    new_topic: tuple[str, ...]


class ClientSource(ContentModel):
    """What in the client's last words calls for something."""

    invited_disclosure: tuple[str, ...]
    requested_contact: tuple[str, ...]
    requested_frame: tuple[str, ...]
    asked_for_promise: tuple[str, ...]
    asked_for_advice: tuple[str, ...]
    risk_cue: tuple[str, ...]
    heavy: tuple[str, ...]
    criticism: tuple[str, ...]
    attraction: tuple[str, ...]
    innocent_risk: tuple[str, ...] = ()


class ListSource(ContentModel):
    """Word lists, each one string of words separated by blanks.

    ``turned`` gives the client's first person as the therapist would say it; ``answering`` are first words of an answer about
    oneself; ``pleasant`` names feeling families that do not ask to be met; ``lead_ins`` are dropped before a sentence is compared with the client's.
    """

    stop: str
    thin: str
    irregular: Mapping[str, str]
    feelings: Mapping[str, str]
    feeling_hints: Mapping[str, str]
    pleasant: str
    second_person: str
    answering: str
    lead_ins: str
    turned: Mapping[str, str]


class CueSource(ContentModel):
    """The whole file."""

    version: int = Field(ge=1)
    macros: Mapping[str, str] = {}
    lists: ListSource
    client: ClientSource
    frames: FrameSource
    rules: tuple[RuleSource, ...]
    er: tuple[ChannelSource, ...]
    shared: tuple[ChannelSource, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled rule."""

    skill: str
    strength: float
    when: re.Pattern[str]
    unless: re.Pattern[str] | None
    asks: str
    unit: Unit
    client: str | None
    first: bool
    most_words: int | None


@dataclass(frozen=True, slots=True)
class Channel:
    """A compiled channel group."""

    weight: float
    when: re.Pattern[str]
    unless: re.Pattern[str] | None
    asks: str


@dataclass(frozen=True, slots=True)
class Lists:
    """Word lists, ready for comparison. ``feelings``, ``hints``: word to family. All others: sets of words."""

    stop: frozenset[str]
    thin: frozenset[str]
    irregular: Mapping[str, str]
    feelings: Mapping[str, str]
    hints: Mapping[str, str]
    pleasant: frozenset[str]
    second_person: frozenset[str]
    answering: frozenset[str]
    lead_ins: frozenset[str]
    turned: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cues:
    """All cues, compiled. ``frames`` and ``client`` hold one pattern per name."""

    sha256: str
    lists: Lists
    frames: Mapping[str, re.Pattern[str]]
    client: Mapping[str, re.Pattern[str]]
    rules: tuple[Rule, ...]
    er: tuple[Channel, ...]
    shared: tuple[Channel, ...]


def load_cues(path: Path) -> Cues:
    """Read, check and compile ``path``. Raises ``ContentError`` naming every unknown skill, bad pattern and unknown macro."""
    loaded: Loaded[CueSource] = load_content(path, CueSource)
    compiler = _Compiler(path, loaded.value)
    source = loaded.value
    frames = {name: compiler.pattern(getattr(source.frames, name), f"frames.{name}") for name in FrameSource.model_fields}
    client = {name: compiler.pattern(getattr(source.client, name), f"client.{name}") for name in ClientSource.model_fields}
    rules = tuple(compiler.rule(rule, index) for index, rule in enumerate(source.rules))
    er = tuple(compiler.channel(group, f"er[{index}]") for index, group in enumerate(source.er))
    shared = tuple(compiler.channel(group, f"shared[{index}]") for index, group in enumerate(source.shared))
    if compiler.problems:
        raise ContentError(compiler.problems)
    return Cues(loaded.sha256, _lists(source.lists), frames, client, rules, er, shared)


class _Compiler:
    """Expands macros and compiles; collects problems instead of stopping at the first."""

    def __init__(self, path: Path, source: CueSource) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.macros = {**source.macros, "feeling": _alternatives(" ".join(source.lists.feelings.values()).split())}
        self.codes = skill_catalogue().codes
        self.client_names = frozenset(ClientSource.model_fields)

    def pattern(self, sources: Iterable[str], field: str) -> re.Pattern[str]:
        """One pattern out of several alternatives; an empty list gives a pattern that never matches."""
        good: list[str] = []
        for index, source in enumerate(sources):
            expanded = self._expand(source, f"{field}[{index}]")
            reason = _unbounded(expanded)
            try:
                re.compile(expanded)
            except re.error as error:
                reason = f"not a valid pattern: {error}"
            if reason:
                self.problems.append(Problem(str(self.path), f"{reason}: {source}", field=f"{field}[{index}]"))
            else:
                good.append(expanded)
        return re.compile("|".join(f"(?:{one})" for one in good) if good else r"(?!)")

    def rule(self, source: RuleSource, index: int) -> Rule:
        field = f"rules[{index}]"
        if source.skill not in self.codes:
            self.problems.append(Problem(str(self.path), f"'{source.skill}' is not in the skill catalogue", field=f"{field}.skill"))
        if source.client is not None and source.client not in self.client_names:
            self.problems.append(Problem(str(self.path), f"'{source.client}' is not a client cue", field=f"{field}.client"))
        unless = self.pattern(source.unless, f"{field}.unless") if source.unless else None
        when = self.pattern(source.when, f"{field}.when")
        return Rule(source.skill, source.strength, when, unless, source.asks, source.unit, source.client, source.first, source.most_words)

    def channel(self, source: ChannelSource, field: str) -> Channel:
        unless = self.pattern(source.unless, f"{field}.unless") if source.unless else None
        return Channel(source.weight, self.pattern(source.when, f"{field}.when"), unless, source.asks)

    def _expand(self, source: str, field: str, depth: int = 0) -> str:
        def replace(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in self.macros or depth > 3:
                self.problems.append(Problem(str(self.path), f"unknown or circular macro <{name}>", field=field))
                return ""
            return f"(?:{self._expand(self.macros[name], field, depth + 1)})"

        return _MACRO.sub(replace, source)


def _unbounded(pattern: str) -> str:
    """Why ``pattern`` could run away on long input; empty when it cannot. Every repeat needs an upper bound of at most 80."""
    in_class = False
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position += 2
            continue
        if character == "[":
            in_class = True
        elif character == "]":
            in_class = False
        elif not in_class and character in "*+":
            return "repeats need an upper bound; write {0,20} instead of * or +"
        elif not in_class and character == "{":
            bounds = re.match(r"\{(\d*)(,?)(\d*)\}", pattern[position:])
            if bounds and bounds.group(2) and (not bounds.group(3) or int(bounds.group(3)) > 80):
                return "repeats need an upper bound of at most 80"
        position += 1
    return ""


def _alternatives(words: Iterable[str]) -> str:
    """An alternation of ``words``, shared beginnings merged so that it stays quick."""
    tree: dict[str, dict[str, object]] = {}
    for word in sorted(set(words)):
        tree.setdefault(word[0], {})[word[1:]] = True
    return "|".join(
        re.escape(first) + "(?:" + "|".join(sorted((re.escape(rest) for rest in rests), key=len, reverse=True)) + ")"
        for first, rests in sorted(tree.items())
    )


def _lists(source: ListSource) -> Lists:
    def by_family(groups: Mapping[str, str]) -> dict[str, str]:
        return {word: family for family, words in groups.items() for word in words.split()}

    irregular = {form: base for base, forms in source.irregular.items() for form in forms.split()}
    return Lists(
        frozenset(source.stop.split()),
        frozenset(source.thin.split()),
        irregular,
        by_family(source.feelings),
        by_family(source.feeling_hints),
        frozenset(source.pleasant.split()),
        frozenset(source.second_person.split()),
        frozenset(source.answering.split()),
        frozenset(source.lead_ins.split()),
        {form: turned for turned, forms in source.turned.items() for form in forms.split()},
    )
