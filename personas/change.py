"""How a reply changes the client: a pure, total function from state and appraisal to state and ledger. No model, no clock.

Gains are small and capped over several turns, losses are larger, set phrases earn nothing, a rupture halves what is earned until
it is mended, openness follows the last turns and fades (design section 4). Every change is a ledger entry with its cause and quote.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.appraisal import SkillAppraisal, SkillRating
from core.skills import Polarity, skill_catalogue
from personas.rules import ClientRules, Effect, client_rules
from personas.schema import Condition, Persona
from personas.state import (
    ClientState,
    LedgerEntry,
    PullOutcome,
    PullRecord,
    Rupture,
    RuptureKind,
    StateUpdate,
    hold_back,
)

_RANGE = {"trust": 10.0, "arousal": 10.0, "hope": 10.0, "openness": 5.0}
_REMEMBERED_TURNS = 4
_CONDITION_OF_SKILL = {
    "confidentiality_explained": Condition.CONFIDENTIALITY_EXPLAINED,
    "risk_asked_directly": Condition.SUICIDE_ASKED_DIRECTLY,
    "trainee_status_stated": Condition.TRAINEE_STATUS_STATED,
}
_WARMTH = ("reason_given", "alternative_offered", "emotional_reaction", "interpretation", "complex_reflection")


@dataclass(frozen=True, slots=True)
class _Pressure:
    """One push on one measure, before caps."""

    cause: str
    amount: float
    words: str
    rating: SkillRating | None = None


def apply_appraisal(state: ClientState, appraisal: SkillAppraisal, persona: Persona, *, seed: int) -> StateUpdate:
    """The client after hearing this reply.

    Total: an appraisal that could not be made leaves the inner state alone and only the turn advances. Values stay within range.
    """
    rules = client_rules()
    turn = state.turn + 1
    heard = replace(state, turn=turn)
    if appraisal.unappraised is not None:
        return StateUpdate(before=state, after=heard)
    ledger: list[LedgerEntry] = []
    answered, pull_pressures = _answer_pulls(heard, appraisal, persona, rules)
    repaired = _is_repair(state, appraisal, persona)
    trust = _push(ledger, turn, "trust", state.trust, _trust_pressures(heard, appraisal, persona, rules, repaired, pull_pressures))
    openness = _push(ledger, turn, "openness", state.openness, _openness_pressures(heard, appraisal, persona, rules))
    arousal = _push(ledger, turn, "arousal", state.arousal, _arousal_pressures(heard, appraisal, persona, rules))
    hope = _push(ledger, turn, "hope", state.hope, _plain_pressures(appraisal, persona, rules, "hope"))
    gain = trust - state.trust
    earned = sum(entry.delta for entry in ledger if entry.measure == "trust" and entry.delta > 0 and entry.cause != "repair")
    costs = _costs(appraisal)
    after = replace(
        answered,
        trust=trust,
        openness=openness,
        arousal=arousal,
        hope=hope,
        recent_gains=_recent(state.recent_gains, turn, earned, rules.limits.window_turns),
        recent_skills=(*(s for s in state.recent_skills if s[0] > turn - _REMEMBERED_TURNS), *((turn, r.skill) for r in appraisal.ratings)),
        costs_in_a_row=state.costs_in_a_row + 1 if costs and gain <= 0 else 0,
        conditions=state.conditions | _conditions_met(appraisal, repaired),
    )
    after = _move_rupture(state, after, gain, appraisal, persona, repaired, ledger)
    after = _move_resistance(state, after, gain, appraisal, persona, seed, ledger)
    return StateUpdate(before=state, after=_maybe_leave(after, rules), ledger=tuple(ledger))


def _push(ledger: list[LedgerEntry], turn: int, measure: str, start: float, pressures: list[_Pressure]) -> float:
    """Apply pressures one by one within range, writing one entry each; entries add up to the whole change exactly."""
    value = start
    for pressure in pressures:
        moved = round(min(_RANGE[measure], max(0.0, value + pressure.amount)), 3)
        if moved == value:
            continue
        ledger.append(
            LedgerEntry(
                turn=turn,
                measure=measure,  # type: ignore[arg-type]  # keys of _RANGE are exactly the numeric measures
                before=value,
                after=moved,
                cause=pressure.cause,
                words=pressure.words,
                evidence=pressure.rating.evidence if pressure.rating else None,
            )
        )
        value = moved
    return value


def _trust_pressures(
    state: ClientState,
    appraisal: SkillAppraisal,
    persona: Persona,
    rules: ClientRules,
    repaired: SkillRating | None,
    pulls: list[_Pressure],
) -> list[_Pressure]:
    """Trust gained and lost. Gains are capped a turn and a window; only a real repair, which restores, stands outside the cap."""
    every = [*_plain_pressures(appraisal, persona, rules, "trust"), *pulls]
    gains = sorted((p for p in every if p.amount > 0), key=lambda p: (-p.amount, p.cause))
    losses = sorted((p for p in every if p.amount < 0), key=lambda p: (p.amount, p.cause))
    limits = rules.limits
    weakened = [replace(p, amount=p.amount * limits.second_share**i) for i, p in enumerate(gains)]
    if losses:
        weakened = [replace(p, amount=p.amount * limits.gain_beside_cost) for p in weakened]
    climb = min(1.0, (10 - state.trust) / (10 - limits.gain_easy_below))
    weakened = [replace(p, amount=p.amount * climb) for p in weakened]
    if state.rupture is not None and repaired is None:
        weakened = [replace(p, amount=p.amount * limits.gain_in_rupture) for p in weakened]
    if appraisal.has("formula", "parroting") or appraisal.signals.get("formula_repeats", 0) >= 2:
        weakened = []
    room = min(
        limits.gain_per_turn,
        max(0.0, limits.gain_per_window - sum(g for t, g in state.recent_gains if t > state.turn - limits.window_turns)),
    )
    earned = _within(weakened, room)
    paid = _within([replace(p, amount=p.amount * limits.second_share**i) for i, p in enumerate(losses)], -limits.loss_per_turn)
    restored: list[_Pressure] = []
    if repaired is not None and state.rupture is not None:
        words = rules.effects[repaired.skill].words
        restored = [_Pressure("repair", min(rules.rupture.restores, state.rupture.lost * 0.6), words, repaired)]
    return [*earned, *paid, *restored]


def _within(pressures: list[_Pressure], bound: float) -> list[_Pressure]:
    """Scale pressures of one sign so that their sum does not pass ``bound``."""
    total = sum(p.amount for p in pressures)
    if not pressures or abs(total) <= abs(bound):
        return pressures
    return [replace(p, amount=p.amount * bound / total) for p in pressures]


def _plain_pressures(appraisal: SkillAppraisal, persona: Persona, rules: ClientRules, measure: str) -> list[_Pressure]:
    pressures = []
    for rating in _strongest(appraisal):
        effect: Effect | None = rules.effects.get(rating.skill)
        amount = getattr(effect, measure, 0.0) * rating.strength * persona.sensitivities.get(rating.skill, 1.0)
        if effect is not None and amount:
            pressures.append(_Pressure(rating.skill, amount, effect.words, rating))
    return pressures


def _strongest(appraisal: SkillAppraisal) -> list[SkillRating]:
    """One rating per skill, in the order of the reply."""
    best: dict[str, SkillRating] = {}
    for rating in appraisal.ratings:
        if rating.skill not in best or rating.strength > best[rating.skill].strength:
            best[rating.skill] = rating
    return list(best.values())


def _openness_pressures(state: ClientState, appraisal: SkillAppraisal, persona: Persona, rules: ClientRules) -> list[_Pressure]:
    fading = _Pressure("fading", state.openness * (rules.limits.openness_keeps - 1), "openness fades unless it is kept up")
    every = _plain_pressures(appraisal, persona, rules, "openness")
    losses = [p for p in every if p.amount < 0]
    gains = sorted((p for p in every if p.amount > 0), key=lambda p: (-p.amount, p.cause))
    share = rules.limits.gain_beside_cost if losses else 1.0
    weakened = [replace(p, amount=p.amount * share * rules.limits.second_share**i) for i, p in enumerate(gains)]
    return [fading, *weakened, *losses]


def _arousal_pressures(state: ClientState, appraisal: SkillAppraisal, persona: Persona, rules: ClientRules) -> list[_Pressure]:
    back = (persona.start.arousal - state.arousal) * rules.limits.arousal_settles
    return [_Pressure("settling", back, "settles a little"), *_plain_pressures(appraisal, persona, rules, "arousal")]


def _costs(appraisal: SkillAppraisal) -> list[SkillRating]:
    catalogue = skill_catalogue()
    costly = {s.code for s in catalogue.skills if s.polarity in (Polarity.COSTS, Polarity.HARMS)}
    return [r for r in appraisal.ratings if r.skill in costly]


def _recent(gains: tuple[tuple[int, float], ...], turn: int, gain: float, window: int) -> tuple[tuple[int, float], ...]:
    kept = tuple(g for g in gains if g[0] > turn - window)
    return (*kept, (turn, round(gain, 3))) if gain > 0 else kept


def _conditions_met(appraisal: SkillAppraisal, repaired: SkillRating | None) -> frozenset[Condition]:
    met = {condition for skill, condition in _CONDITION_OF_SKILL.items() if appraisal.has(skill)}
    if repaired is not None:
        met.add(Condition.RUPTURE_REPAIRED)
    if appraisal.has("limit_set") and appraisal.has(*_WARMTH):
        met.add(Condition.LIMIT_SET_WARMLY)
    return frozenset(met)


def _answer_pulls(
    state: ClientState, appraisal: SkillAppraisal, persona: Persona, rules: ClientRules
) -> tuple[ClientState, list[_Pressure]]:
    """Judge the reply to a test of the frame that is still open. Missing outweighs meeting; no answer leaves it open."""
    records: list[PullRecord] = []
    pressures: list[_Pressure] = []
    for record in state.pulls:
        pull = next((p for p in persona.pulls if p.id == record.pull), None)
        if pull is None or record.outcome is not PullOutcome.PENDING:
            records.append(record)
            continue
        missed, met = appraisal.rating(*pull.missed_by), appraisal.rating(*pull.met_by)
        if missed is not None and (met is None or missed.strength >= met.strength):
            records.append(replace(record, outcome=PullOutcome.MISSED))
            pressures.append(_Pressure(f"pull:{pull.id}", rules.pull.missed, rules.effects[missed.skill].words, missed))
        elif met is not None and appraisal.has(*rules.pull.answers.get(pull.kind, (met.skill,))):
            records.append(replace(record, outcome=PullOutcome.MET))
            pressures.append(_Pressure(f"pull:{pull.id}", rules.pull.met, rules.effects[met.skill].words, met))
        else:
            records.append(record)
    return replace(state, pulls=tuple(records)), pressures


def _is_repair(state: ClientState, appraisal: SkillAppraisal, persona: Persona) -> SkillRating | None:
    """The rating that mends an open rupture: one of the persona's ways, clear enough, with nothing costly beside it."""
    if state.rupture is None or _costs(appraisal):
        return None
    rating = appraisal.rating(*persona.rupture.repaired_by)
    return rating if rating is not None and rating.strength >= 0.4 else None


def _move_rupture(
    before: ClientState,
    after: ClientState,
    gain: float,
    appraisal: SkillAppraisal,
    persona: Persona,
    repaired: SkillRating | None,
    ledger: list[LedgerEntry],
) -> ClientState:
    rules = client_rules()
    if repaired is not None:
        words = rules.effects[repaired.skill].words
        ledger.append(
            LedgerEntry(turn=after.turn, measure="rupture", before=1, after=0, cause="repair", words=words, evidence=repaired.evidence)
        )
        return replace(after, rupture=None, repaired_at=after.turn, costs_in_a_row=0)
    if before.rupture is not None:
        return after
    costs = _costs(appraisal)
    broken = -gain >= rules.rupture.on_loss or (bool(costs) and after.costs_in_a_row >= rules.rupture.on_costs_in_a_row)
    if not broken or not costs:
        return after
    worst = min(costs, key=lambda r: (rules.effects[r.skill].trust * r.strength, r.skill))
    kind = RuptureKind.WITHDRAWAL if persona.rupture.tendency == "withdraw" else RuptureKind.CONFRONTATION
    ledger.append(
        LedgerEntry(
            turn=after.turn,
            measure="rupture",
            before=0,
            after=1,
            cause=worst.skill,
            words=rules.effects[worst.skill].words,
            evidence=worst.evidence,
        )
    )
    return replace(after, rupture=Rupture(kind=kind, since=after.turn, lost=max(0.5, -gain)))


def _move_resistance(
    before: ClientState,
    after: ClientState,
    gain: float,
    appraisal: SkillAppraisal,
    persona: Persona,
    seed: int,
    ledger: list[LedgerEntry],
) -> ClientState:
    rules = client_rules()
    hardener = appraisal.rating(*persona.resistance.hardens_on) or (
        next(iter(_costs(appraisal)), None) if -gain >= rules.resistance.hardens_on_loss else None
    )
    turn, words = after.turn, rules.effects
    if hardener is not None:
        if before.holding_back is not None:
            return replace(after, holding_back=replace(before.holding_back, until=turn + persona.resistance.dwell))
        ledger.append(
            LedgerEntry(
                turn=turn,
                measure="resistance",
                before=0,
                after=1,
                cause=hardener.skill,
                words=words[hardener.skill].words,
                evidence=hardener.evidence,
            )
        )
        return replace(after, holding_back=hold_back(persona, turn=turn, seed=seed))
    if before.holding_back is not None and turn >= before.holding_back.until and gain >= rules.resistance.falls_on_gain:
        best = max(_strongest(appraisal), key=lambda r: words[r.skill].trust * r.strength)
        ledger.append(
            LedgerEntry(
                turn=turn, measure="resistance", before=1, after=0, cause=best.skill, words=words[best.skill].words, evidence=best.evidence
            )
        )
        return replace(after, holding_back=None)
    return after


def _maybe_leave(state: ClientState, rules: ClientRules) -> ClientState:
    unmended = state.rupture is not None and state.turn - state.rupture.since >= rules.leaving.rupture_turns
    if state.trust < rules.leaving.below_trust or (unmended and state.trust < rules.leaving.rupture_trust):
        return replace(state, ended="leaves_early")
    return state
