"""The persona file: everything known about a simulated client, as strict data an instructor can edit (design section 4).

A persona never holds instructions for the trainee, and the only things a model may ever see of it are listed in
``personas/model_voice.py``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from core.content import ContentModel
from core.skills import skill_catalogue

Lines = tuple[str, ...]
Slug = r"^[a-z][a-z0-9_]*$"


class Style(StrEnum):
    """Six conversational styles, a starting tendency only (Wang2024)."""

    PLAIN = "plain"
    UPSET = "upset"
    VERBOSE = "verbose"
    RESERVED = "reserved"
    TANGENT = "tangent"
    PLEASING = "pleasing"


class Condition(StrEnum):
    """What has to have happened before some facts may be told. Each is met by something a trainee can do."""

    CONFIDENTIALITY_EXPLAINED = "confidentiality_explained"
    SUICIDE_ASKED_DIRECTLY = "suicide_asked_directly"
    ASKED_KINDLY = "asked_kindly"  # this turn: an unhurried question on the fact's own topics, without judging or a volley
    RUPTURE_REPAIRED = "rupture_repaired"
    TRAINEE_STATUS_STATED = "trainee_status_stated"
    LIMIT_SET_WARMLY = "limit_set_warmly"


class Resistance(StrEnum):
    """How a client holds back (patterns after the resistance literature, see docs)."""

    MINIMAL = "minimal"
    IRRELEVANT = "irrelevant"
    SUPERFICIAL = "superficial"
    JOKING_OFF = "joking_off"
    INTELLECTUALISING = "intellectualising"
    HOSTILE = "hostile"
    DEFENSIVE = "defensive"
    COMPLYING = "complying"


class Review(ContentModel):
    """Whether a clinician has read this file. Until one has, the status says so."""

    status: Literal["needs-clinician", "reviewed"]
    notes: Lines = ()


class WordsPerTurn(ContentModel):
    """Quantiles of the client's words in one turn."""

    p25: int = Field(ge=1)
    p50: int = Field(ge=1)
    p75: int = Field(ge=1)
    p95: int = Field(ge=1)

    @model_validator(mode="after")
    def _rising(self) -> WordsPerTurn:
        if not self.p25 <= self.p50 <= self.p75 <= self.p95:
            raise ValueError("must rise: p25 <= p50 <= p75 <= p95")
        return self


class Speech(ContentModel):
    """How this client talks."""

    kind: Style
    words_per_turn: WordsPerTurn
    habits: Lines = Field(min_length=1)


class Start(ContentModel):
    """Starting state, each 0-10."""

    trust: float = Field(ge=0, le=10)
    arousal: float = Field(ge=0, le=10)
    hope: float = Field(ge=0, le=10)


class Needs(ContentModel):
    """What unlocks a fact: all of it must hold at once."""

    trust: float = Field(default=0, ge=0, le=10)
    openness: float = Field(default=0, ge=0, le=5)
    after: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


class Fact(ContentModel):
    """One thing the client knows about their own life. Tier 0 is told freely, 1 if asked kindly, 2 is earned, 3 is told rarely."""

    id: str = Field(pattern=Slug)
    tier: int = Field(ge=0, le=3)
    gist: str = Field(description="third person, one sentence, for the debrief and for a model once the fact is unlocked")
    sealed_as: str = Field(default="", description="how the debrief hints at it while it is still sealed")
    topics: tuple[str, ...] = Field(min_length=1)
    cues: Lines = Field(min_length=2, description="things a trainee might say or ask that touch this fact")
    needs: Needs = Needs()
    half: Lines = ()
    told: Lines = Field(min_length=2)
    key_terms: tuple[str, ...] = ()
    risk: str | None = None
    protective: Lines = ()
    dip_after: int = Field(default=0, ge=0, le=4)
    stays_hidden_after: tuple[str, ...] = ()

    @property
    def tells_of_danger(self) -> bool:
        """Whether telling or hinting at it speaks of a wish to be dead; a fact that denies it does not."""
        return "ideation" in (self.risk or "") and not self.denies_danger

    @property
    def denies_danger(self) -> bool:
        """Whether it is the honest "no" to a plain question about suicide (a risk that ends in ``_denied``)."""
        return (self.risk or "").endswith("_denied")

    @model_validator(mode="after")
    def _tiers_are_guarded(self) -> Fact:
        if self.tier >= 2 and not self.key_terms:
            raise ValueError(f"fact {self.id}: tiers 2 and 3 need key_terms for the leak check")
        if self.tier >= 2 and not self.half:
            raise ValueError(f"fact {self.id}: tiers 2 and 3 need half-told lines")
        if self.tier >= 1 and not self.sealed_as:
            raise ValueError(f"fact {self.id}: say in sealed_as how the debrief may hint at it")
        if self.tier == 0 and (self.needs.trust or self.needs.openness or self.needs.conditions):
            raise ValueError(f"fact {self.id}: tier 0 is told freely and cannot have needs beyond 'after'")
        if self.risk and not self.protective:
            raise ValueError(f"fact {self.id}: a risk needs protective factors")
        return self


class Pull(ContentModel):
    """A test of the frame: something the client asks for or pushes, when, and what meets or misses it (skill codes)."""

    id: str = Field(pattern=Slug)
    kind: Literal["reassurance", "personal_question", "contact_request", "secrecy", "advice", "credentials", "extra_time", "friendship"]
    window: tuple[int, int]
    lines: Lines = Field(min_length=3)
    again: Lines = Field(min_length=2)
    cues: Lines = ()
    met_by: tuple[str, ...] = Field(min_length=1)
    missed_by: tuple[str, ...] = Field(min_length=1)
    met: Lines = Field(min_length=3)
    missed: Lines = Field(min_length=3)


class ResistanceProfile(ContentModel):
    """Which ways of holding back, what hardens them, and for how many turns at least they last."""

    mix: dict[Resistance, float]
    hardens_on: tuple[str, ...]
    dwell: int = Field(ge=1, le=6)
    lines: dict[Resistance, Lines]

    @model_validator(mode="after")
    def _patterns_have_lines(self) -> ResistanceProfile:
        for pattern, weight in self.mix.items():
            if weight > 0 and len(self.lines.get(pattern, ())) < 3:
                raise ValueError(f"pattern {pattern.value} needs at least 3 lines")
        return self


class RuptureProfile(ContentModel):
    """How a rupture shows and what mends it (skill codes)."""

    tendency: Literal["withdraw", "confront"]
    withdraw: Lines = Field(min_length=3)
    confront: Lines = Field(min_length=3)
    repaired_by: tuple[str, ...] = Field(min_length=1)
    repaired: Lines = Field(min_length=3)


class Reactions(ContentModel):
    """What it sounds like when a reply lands or does not."""

    felt_met: Lines = Field(min_length=6)
    half_met: Lines = Field(min_length=4)
    misread: Lines = Field(min_length=3)
    advised: Lines = Field(min_length=4)
    reassured: Lines = Field(min_length=3)
    questioned_too_much: Lines = Field(min_length=3)
    judged: Lines = Field(min_length=3)
    formula: Lines = Field(min_length=3)
    therapist_owns_mistake: Lines = Field(min_length=3)
    silence_held: Lines = Field(min_length=3)
    told_about_trainee: Lines = Field(min_length=3)
    limit_met_warmly: Lines = Field(min_length=3)
    limit_met_coldly: Lines = Field(min_length=3)
    after_disclosure: Lines = Field(min_length=4, description="the dip: regret, a joke, a change of subject")
    greeted: Lines = Field(min_length=2)


class Talk(ContentModel):
    """A topic of ordinary conversation: what the trainee might say, and what this client says to it."""

    id: str = Field(pattern=Slug)
    cues: Lines = Field(min_length=2)
    lines: Lines = Field(min_length=2)


class Ending(ContentModel):
    """How a session ends."""

    lines: Lines = Field(min_length=2)


class Endings(ContentModel):
    """Three ways out; none of them is a cure."""

    partial: Ending
    stuck: Ending
    leaves_early: Ending


class BetweenSessions(ContentModel):
    """What happens before the next session, when the condition held at the end of this one."""

    when: Literal["always", "rupture_unrepaired"] | str = Field(pattern=r"^(always|rupture_unrepaired|told:[a-z][a-z0-9_]*)$")
    event: str
    opens: Lines = Field(min_length=1)


class Goals(ContentModel):
    """What the client says they want, and what they wish for and would not say."""

    said: str
    wished: str


class Persona(ContentModel):
    """A simulated client."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: int = Field(ge=1)
    fictional: Literal[True]
    scenario: str = Field(pattern=r"^S[0-9]{2}$")
    review: Review
    content_note: str
    name: str
    age: int = Field(ge=14, le=100)
    pronouns: Literal["she", "he", "they"]
    setting: str
    supervisor: str
    referral_note: str
    presenting_problem: str
    theme: str
    hard_part: str = Field(description="for the client card: what tends to be hard, in neutral words")
    strengths: Lines = Field(min_length=3)
    culture: str
    ordinary_life: dict[str, str] = Field(min_length=4)
    goals: Goals
    stage_of_change: Literal["precontemplation", "contemplation", "preparation", "action", "maintenance", "recurrence"]
    style: Speech
    dimensions_in_play: tuple[Literal["empathy", "authenticity", "self_disclosure", "boundaries", "risk"], ...] = Field(min_length=1)
    difficulty: int = Field(ge=1, le=3)
    objectives: Lines = Field(min_length=2)
    sources: tuple[str, ...] = Field(min_length=1)
    start: Start
    sensitivities: dict[str, float] = Field(description="skill code -> factor on what the general rules would do; 1 is usual")
    openings: Lines = Field(min_length=3)
    facts: tuple[Fact, ...] = Field(min_length=8)
    pulls: tuple[Pull, ...] = Field(min_length=1)
    resistance: ResistanceProfile
    rupture: RuptureProfile
    reactions: Reactions
    deflections: dict[Literal["guarded", "joking", "tired", "unsure"], Lines]
    talk: tuple[Talk, ...] = Field(min_length=8)
    edge: Lines = Field(min_length=5, description="to odd or hostile lines at the simulator itself: stays in character")
    endings: Endings
    between_sessions: tuple[BetweenSessions, ...] = Field(min_length=2)
    never_says: Lines = Field(min_length=3)
    principles: Lines = Field(min_length=2, description="how the client is, for the voice; never what is hidden")

    @field_validator("sensitivities")
    @classmethod
    def _factors_are_sane(cls, value: dict[str, float]) -> dict[str, float]:
        for code, factor in value.items():
            if not 0 <= factor <= 3:
                raise ValueError(f"{code}: a factor lies between 0 and 3")
        return value

    @model_validator(mode="after")
    def _references_hold(self) -> Persona:
        problems = [*self._unknown_skills(), *self._broken_facts()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _unknown_skills(self) -> list[str]:
        codes = skill_catalogue().codes
        used: dict[str, tuple[str, ...]] = {
            "sensitivities": tuple(self.sensitivities),
            "resistance.hardens_on": self.resistance.hardens_on,
            "rupture.repaired_by": self.rupture.repaired_by,
        }
        for pull in self.pulls:
            used[f"pull {pull.id}"] = (*pull.met_by, *pull.missed_by)
        for fact in self.facts:
            used[f"fact {fact.id}"] = fact.stays_hidden_after
        return [f"{where}: unknown skill '{code}'" for where, given in used.items() for code in given if code not in codes]

    def _broken_facts(self) -> list[str]:
        ids = [fact.id for fact in self.facts]
        problems = [f"fact id '{i}' is given twice" for i in sorted({i for i in ids if ids.count(i) > 1})]
        for fact in self.facts:
            problems += [f"fact {fact.id}: 'after' names unknown fact '{a}'" for a in fact.needs.after if a not in ids]
        problems += [f"tier {tier} has no fact" for tier in range(4) if all(f.tier != tier for f in self.facts)]
        for event in self.between_sessions:
            if event.when.startswith("told:") and event.when[5:] not in ids:
                problems.append(f"between_sessions: unknown fact '{event.when[5:]}'")
        return problems

    def fact(self, fact_id: str) -> Fact:
        """The fact with this id; ``KeyError`` when unknown."""
        for fact in self.facts:
            if fact.id == fact_id:
                return fact
        raise KeyError(fact_id)

    def lines(self) -> Lines:
        """Every line of the client's own speech in the file."""
        found: list[str] = [*self.openings, *self.edge]
        for fact in self.facts:
            found += [*fact.half, *fact.told]
        for pull in self.pulls:
            found += [*pull.lines, *pull.again, *pull.met, *pull.missed]
        found += [line for lines in self.resistance.lines.values() for line in lines]
        found += [*self.rupture.withdraw, *self.rupture.confront, *self.rupture.repaired]
        for _, lines in self.reactions:
            found += lines
        found += [line for lines in self.deflections.values() for line in lines]
        found += [line for talk in self.talk for line in talk.lines]
        for _, ending in self.endings:
            found += ending.lines
        found += [line for event in self.between_sessions for line in event.opens]
        return tuple(found)
