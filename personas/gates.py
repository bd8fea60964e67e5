"""Which facts may be told now. Pure; the only door between the facts ledger and any voice."""

from __future__ import annotations

from enum import StrEnum

from personas.rules import client_rules
from personas.schema import Condition, Fact, Persona
from personas.state import ClientState


class Gate(StrEnum):
    """OPEN: may be told whole. HALF: may be hinted at once. LOCKED: not a word of it leaves. TOLD: already said."""

    OPEN = "open"
    HALF = "half"
    LOCKED = "locked"
    TOLD = "told"


def gate_of(fact: Fact, state: ClientState, *, asked_kindly: bool) -> Gate:
    """Whether ``fact`` may be told in this state. ``asked_kindly``: this turn's reply touched it with an unhurried question."""
    if fact.id in state.told:
        return Gate.TOLD
    broken = state.rupture is not None or state.ended is not None
    if fact.tier > 0 and broken and not fact.denies_danger:  # an honest "no" to that question needs no trust
        return Gate.LOCKED
    if any(skill in fact.stays_hidden_after for _, skill in state.recent_skills):
        return Gate.LOCKED
    if any(earlier not in state.told for earlier in fact.needs.after):
        return Gate.LOCKED
    met = set(state.conditions) | ({Condition.ASKED_KINDLY} if asked_kindly else set())
    conditions = all(condition in met for condition in fact.needs.conditions)
    trusted, open_enough = state.trust >= fact.needs.trust, state.openness >= fact.needs.openness
    if trusted and open_enough and conditions and not (fact.tier > 0 and state.holding_back is not None):
        return Gate.OPEN
    near = state.trust >= fact.needs.trust - client_rules().gates.half_within
    if fact.tier > 0 and fact.half and fact.id not in state.half_told and near and (asked_kindly or trusted):
        return Gate.HALF
    return Gate.LOCKED


def locked_facts(persona: Persona, state: ClientState, *, unlocked_now: tuple[str, ...] = ()) -> tuple[Fact, ...]:
    """Every fact that may not be known by a voice: above tier 0, not told, not unlocked by this turn's direction.

    Tier 0 is what the client says freely and is no secret; half-told counts as locked.
    """
    known = {*state.told, *unlocked_now}
    return tuple(fact for fact in persona.facts if fact.tier > 0 and fact.id not in known)
