"""The general rules of how replies move a client, read from rules.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import Field, model_validator

from core.content import ContentModel, load_content
from core.skills import skill_catalogue


class Effect(ContentModel):
    """What one skill does at full strength, on the 0-10 scales (openness 0-5). ``words`` finish "the reply ...".."""

    trust: float = Field(default=0, ge=-3, le=1)
    openness: float = Field(default=0, ge=-3, le=2)
    arousal: float = Field(default=0, ge=-2, le=2)
    hope: float = Field(default=0, ge=-2, le=1)
    words: str


class Limits(ContentModel):
    """Caps and shares; see the comments in rules.yaml."""

    gain_per_turn: float
    gain_per_window: float
    window_turns: int
    loss_per_turn: float
    openness_keeps: float = Field(ge=0, le=1)
    arousal_settles: float = Field(ge=0, le=1)
    gain_beside_cost: float = Field(ge=0, le=1)
    gain_in_rupture: float = Field(ge=0, le=1)
    gain_easy_below: float = Field(ge=0, lt=10)
    second_share: float = Field(ge=0, le=1)


class ResistanceRules(ContentModel):
    """When holding back starts and may fall."""

    starts_below_trust: float
    falls_on_gain: float
    hardens_on_loss: float


class RuptureRules(ContentModel):
    """When the bond breaks and what mending restores."""

    on_loss: float
    on_costs_in_a_row: int
    restores: float


class LeavingRules(ContentModel):
    """When a client walks out."""

    below_trust: float
    rupture_turns: int
    rupture_trust: float


class PullRules(ContentModel):
    """Trust for a test of the frame that was met or missed, and which skills answer which kind of test (any, where none is named)."""

    met: float
    missed: float
    answers: dict[str, tuple[str, ...]]


class GateRules(ContentModel):
    """How near its needs a fact must be to be half told."""

    half_within: float


class ClientRules(ContentModel):
    """All general rules, versioned."""

    version: int
    limits: Limits
    resistance: ResistanceRules
    rupture: RuptureRules
    leaving: LeavingRules
    pull: PullRules
    gates: GateRules
    effects: dict[str, Effect]

    @model_validator(mode="after")
    def _skills_are_known(self) -> ClientRules:
        named = {*self.effects, *(skill for skills in self.pull.answers.values() for skill in skills)}
        unknown = sorted(named - skill_catalogue().codes)
        if unknown:
            raise ValueError(f"unknown skills: {', '.join(unknown)}")
        return self


@cache
def client_rules() -> ClientRules:
    """The shipped rules, read once."""
    return load_content(Path(__file__).with_name("rules.yaml"), ClientRules).value
