"""What the client does next. A pure, seeded decision from state, appraisal and the topics touched; no model, no words chosen yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.appraisal import SkillAppraisal
from core.transcript import Mark
from personas.direction import Direction, Move
from personas.gates import Gate
from personas.matching import Match
from personas.moment import Moment
from personas.schema import Fact, Persona, Pull
from personas.state import PullOutcome, RuptureKind, StateUpdate

TOUCHED = 0.50
"""A topic counts as touched from here (0-1, see matching): below, the client answers the reply, not the topic."""
NEARLY = 0.36
"""Enough to colour what a client volunteers, not enough to count as being asked."""


# Reaction pools for skills that decide the moment whatever the topic, worst first.
_JARRING = (
    ("shaming", "judged"),
    ("judging", "judged"),
    ("cold_refusal", "limit_met_coldly"),
    ("minimising", "reassured"),
    ("defensiveness", "judged"),
    ("question_volley", "questioned_too_much"),
    ("false_reassurance", "reassured"),
    ("praise_inflation", "reassured"),
    ("advice_without_permission", "advised"),
    ("telling_the_client_what_they_feel", "misread"),
    ("own_story", "told_about_trainee"),
)
_STOCK = (("formula", "formula"), ("parroting", "formula"))


def decide(persona: Persona, update: StateUpdate, appraisal: SkillAppraisal, matches: Sequence[Match], *, seed: int) -> Direction:
    """The client's next move after ``update``. Same arguments, same direction."""
    view = Moment(persona, update, appraisal, tuple(matches), seed)
    for choose in (
        _ends,
        _edge,
        _risk_asked,
        _rupture,
        _pull_answered,
        _jarred,
        _owned,
        _asked_fact,
        _formula,
        _dips,
        _follows_up,
        _held_back,
        _tests,
        _answers,
        _volunteers,
    ):
        direction = choose(view)
        if direction is not None:
            break
    else:
        direction = _reacts(view)
    return replace(direction, marks=_marks(view, direction))


_MARK_OF_PULL = {
    "personal_question": Mark.ASKS_ABOUT_THERAPIST,
    "credentials": Mark.ASKS_ABOUT_THERAPIST,
    "contact_request": Mark.ASKS_FOR_CONTACT,
    "secrecy": Mark.ASKS_FOR_PROMISE,
    "advice": Mark.ASKS_FOR_ADVICE,
    "extra_time": Mark.ASKS_FOR_MORE,
    "friendship": Mark.ASKS_FOR_MORE,
}


def _marks(view: Moment, direction: Direction) -> tuple[Mark, ...]:
    """What the client's next words ask for: a test made now or still unanswered, and a danger told or hinted at."""
    lately = view.state.turn - 1  # a request hangs in the air for one more turn; after that the client has to make it again
    pending = {r.pull for r in view.state.pulls if r.outcome is PullOutcome.PENDING and r.turn >= lately}
    open_tests = pending | {direction.pull}
    resolved = direction.move in (Move.PULL_MET, Move.PULL_MISSED)
    marks = {_MARK_OF_PULL[p.kind] for p in view.persona.pulls if p.id in open_tests and p.kind in _MARK_OF_PULL and not resolved}
    if direction.fact is not None and view.persona.fact(direction.fact).tells_of_danger:
        marks.add(Mark.RISK)
    return tuple(sorted(marks))


def _ends(view: Moment) -> Direction | None:
    if view.state.ended is None:
        return None
    return view.direct(Move.LEAVE, "endings.leaves_early", stance="leaving", reason="trust is gone or a rupture stayed unmended")


def _edge(view: Moment) -> Direction | None:
    if view.appraisal.signals.get("instruction_like", 0) <= 0:
        return None
    return view.direct(Move.EDGE, "edge", stance="puzzled", reason="the words were not part of a conversation with a client")


def _rupture(view: Moment) -> Direction | None:
    before, now = view.update.before, view.state
    if before.rupture is not None and now.rupture is None:
        return view.direct(
            Move.SOFTEN, "rupture.repaired", "reactions.therapist_owns_mistake", stance="softening", reason="the rupture was mended"
        )
    if now.rupture is None:
        return None
    fresh = now.rupture.since == now.turn
    if now.rupture.kind is RuptureKind.CONFRONTATION and (fresh or view.chance("confront") < 0.6):
        return view.direct(Move.CONFRONT, "rupture.confront", "rupture.withdraw", stance="against", reason="an unmended rupture")
    if fresh or view.chance("withdraw") < 0.75:
        return view.direct(Move.WITHDRAW, "rupture.withdraw", "resistance.any", stance="away", reason="an unmended rupture")
    return None


def _pull_answered(view: Moment) -> Direction | None:
    outcomes = {r.pull: r.outcome for r in view.update.before.pulls}
    for record in view.state.pulls:
        if outcomes.get(record.pull) is not PullOutcome.PENDING or record.outcome is PullOutcome.PENDING:
            continue
        if record.outcome is PullOutcome.MET:
            return view.direct(
                Move.PULL_MET,
                f"pull:{record.pull}.met",
                "reactions.limit_met_warmly",
                stance="eased",
                reason=f"the test '{record.pull}' was met",
                pull=record.pull,
            )
        return view.direct(
            Move.PULL_MISSED,
            f"pull:{record.pull}.missed",
            "reactions.limit_met_coldly",
            stance="let down",
            reason=f"the test '{record.pull}' was missed",
            pull=record.pull,
        )
    return None


def _risk_asked(view: Moment) -> Direction | None:
    """A plain question about suicide is answered about suicide: told, half-told or put off, never with another topic."""
    if not view.appraisal.has("risk_asked_directly"):
        return None
    risky = [f for f in view.persona.facts if f.tells_of_danger or f.denies_danger]
    for fact in risky:
        direction = _about_fact(view, fact, asked=True)
        if direction is not None:
            return direction
    return view.direct(
        Move.DEFLECT, "deflections.guarded", "deflections.unsure", stance="guarded", reason="asked about suicide before it can be said"
    )


def _asked_fact(view: Moment) -> Direction | None:
    """Something the client knows was asked about, or touched by a reflection that names it."""
    if view.appraisal.has("shaming", "judging", "question_volley", "cold_refusal"):
        return None
    facts = view.touched("fact", TOUCHED)
    talk = view.touched("talk", TOUCHED)
    if not facts or (talk and talk[0][1] > facts[0][1] + 0.08):
        return None
    if not view.asks and view.appraisal.has("advice_without_permission", "false_reassurance", "minimising", "topic_shift"):
        return None
    near = [fact_id for fact_id, score in facts[:4] if score >= facts[0][1] - 0.2]
    new_first = sorted(near, key=lambda fact_id: fact_id in view.state.told)  # what was told already comes after what was not
    for fact_id in new_first:
        direction = _about_fact(view, view.persona.fact(fact_id), asked=view.asks)
        if direction is not None:
            return direction
    if view.asks and not talk:
        pools = (
            ("deflections.joking", "deflections.guarded") if view.chance("deflect") < 0.35 else ("deflections.guarded", "deflections.tired")
        )
        return view.direct(Move.DEFLECT, *pools, stance="guarded", reason="asked about something that is not earned yet")
    return None


def _about_fact(view: Moment, fact: Fact, *, asked: bool) -> Direction | None:
    gate = view.gate(fact, asked=asked)
    lead_in = "reactions.felt_met" if not asked and view.landed >= 0.5 and view.chance("lead") < 0.4 else None
    if gate is Gate.OPEN and (asked or view.landed >= 0.3):
        return view.direct(
            Move.TELL,
            f"fact:{fact.id}.told",
            stance="telling",
            reason=f"'{fact.id}' is earned",
            fact=fact.id,
            unlocked=(fact.id,),
            lead_in=lead_in,
        )
    if gate is Gate.HALF:
        return view.direct(Move.HALF_TELL, f"fact:{fact.id}.half", stance="edging", reason=f"'{fact.id}' is near", fact=fact.id)
    if gate is Gate.TOLD and view.fresh(f"fact:{fact.id}.told"):
        return view.direct(
            Move.TELL,
            f"fact:{fact.id}.told",
            "reactions.half_met",
            stance="saying more",
            reason=f"'{fact.id}' was told already",
            fact=fact.id,
        )
    return None


def _owned(view: Moment) -> Direction | None:
    """The therapist owned a part of what went wrong: that is heard before any question beside it."""
    if view.appraisal.strength("ownership") < 0.5 or view.chance("owned") > 0.75:
        return None
    return view.direct(
        Move.REACT, "reactions.therapist_owns_mistake", "reactions.half_met", stance="surprised", reason="the therapist owned something"
    )


def _jarred(view: Moment) -> Direction | None:
    return _reaction_to(view, _JARRING)


def _formula(view: Moment) -> Direction | None:
    """Set phrases are noticed when nothing else in the reply reached the client."""
    if view.landed >= 0.6 or (view.asks and view.touched("talk", TOUCHED)):
        return None
    return _reaction_to(view, _STOCK)


def _reaction_to(view: Moment, pools: tuple[tuple[str, str], ...]) -> Direction | None:
    for skill, pool in pools:
        if view.appraisal.strength(skill) >= 0.4:
            return view.direct(
                Move.REACT, f"reactions.{pool}", "resistance.any", "deflections.tired", stance="pulled back", reason=f"the reply: {skill}"
            )
    return None


def _dips(view: Moment) -> Direction | None:
    if view.state.turn > view.state.dip_until or view.landed >= 0.6 or view.chance("dip") > 0.7:
        return None
    return view.direct(Move.DIP, "reactions.after_disclosure", stance="regretting", reason="the turn after a big disclosure")


def _follows_up(view: Moment) -> Direction | None:
    """A question that names no topic ("Can you say more?") goes on with what was spoken of last."""
    topic = view.state.last_topic
    if not topic or not view.asks or view.touched("talk", TOUCHED) or view.touched("fact", TOUCHED) or view.touched("pull", TOUCHED):
        return None
    if topic.startswith("fact:"):
        return _about_fact(view, view.persona.fact(topic.removeprefix("fact:")), asked=True)
    if view.state.holding_back is None and view.fresh(topic):
        return view.direct(Move.ANSWER, topic, *_unsure(view), stance="going on", reason="asked to go on")
    return None


def _held_back(view: Moment) -> Direction | None:
    held = view.state.holding_back
    if held is None or (view.asks and view.touched("talk", TOUCHED) and view.chance("held") < 0.5):
        return None
    if view.landed >= 0.5 and view.chance("held-met") < 0.5:
        return view.direct(
            Move.REACT, "reactions.half_met", "reactions.felt_met", stance="guarded", reason="holding back, but it reached them"
        )
    if view.chance("held-any") < 0.75:
        return view.direct(
            Move.RESIST,
            f"resistance.{held.pattern.value}",
            "resistance.any",
            stance="holding back",
            reason=f"resistance: {held.pattern.value}",
        )
    return None


def _tests(view: Moment) -> Direction | None:
    """Make a pull when its window comes, when the trainee's words invite it, or again while it stays unanswered."""
    cued = {pull_id for pull_id, _ in view.touched("pull", TOUCHED)}
    for pull in view.persona.pulls:
        record = view.state.pull(pull.id)
        if record is None and _is_time(view, pull, cued):
            return view.direct(Move.TEST, f"pull:{pull.id}.lines", stance="testing", reason=f"the test '{pull.id}'", pull=pull.id)
        again = record is not None and record.outcome is not PullOutcome.MET and record.times < 3 and view.state.turn >= record.turn + 2
        if again and view.chance(f"again-{pull.id}") < 0.5:
            return view.direct(
                Move.TEST, f"pull:{pull.id}.again", stance="testing again", reason=f"the test '{pull.id}' stands unanswered", pull=pull.id
            )
    return None


def _is_time(view: Moment, pull: Pull, cued: set[str]) -> bool:
    first, last = pull.window
    turn = view.state.turn
    if turn < first:
        return False
    if pull.id in cued:
        return True
    asked = view.asks and bool(view.touched("talk", TOUCHED) or view.touched("fact", TOUCHED))
    if asked and turn < last + 3:
        return False  # a question that was asked is answered first; the test can wait a turn or three
    return turn >= last or view.chance(f"pull-{pull.id}") < 1 / (last - first + 1)


def _answers(view: Moment) -> Direction | None:
    talk = view.touched("talk", TOUCHED if view.asks else TOUCHED + 0.12)
    if not talk:
        return None
    pools = tuple(f"talk:{topic}" for topic, _ in talk[:2])
    return view.direct(Move.ANSWER, *pools, *_unsure(view), stance="ordinary", reason=f"answers about '{talk[0][0]}'")


def _unsure(view: Moment) -> tuple[str, ...]:
    return ("deflections.unsure", "deflections.tired", "resistance.any")


def _volunteers(view: Moment) -> Direction | None:
    """After a reply that lands, the client may go on by themselves: the nearest open fact, lower tiers first."""
    if view.landed < 0.35 or (view.asks and view.landed < 0.6):
        return None
    nearly = dict(view.touched("fact", NEARLY))
    willing = 0.35 + 0.1 * view.state.openness
    if view.chance("volunteer") > willing:
        return None
    first = view.persona.facts[0]  # what brought them here: may be said whenever there is room for it
    related = [fact for fact in view.persona.facts if fact.id in nearly or fact.needs.after[-1:] == (view.topic,)]
    for fact in [*sorted(related, key=lambda f: (-nearly.get(f.id, 0.0), f.tier, f.id)), first]:
        if fact.tier <= 2 and view.gate(fact, asked=False) is Gate.OPEN:
            lead_in = "reactions.felt_met" if view.chance("lead") < 0.45 else None
            return view.direct(
                Move.TELL,
                f"fact:{fact.id}.told",
                stance="going on",
                reason=f"felt met; '{fact.id}' is open",
                fact=fact.id,
                unlocked=(fact.id,),
                lead_in=lead_in,
            )
    return None


def _reacts(view: Moment) -> Direction:
    """Nothing more specific applies: answer to how the reply landed, in character."""
    appraisal = view.appraisal
    if appraisal.has("ownership"):
        return view.direct(
            Move.REACT, "reactions.therapist_owns_mistake", "reactions.half_met", stance="surprised", reason="the therapist owned something"
        )
    if appraisal.has("trainee_status_stated", "personal_disclosure", "professional_disclosure"):
        return view.direct(
            Move.REACT,
            "reactions.told_about_trainee",
            "reactions.half_met",
            stance="taking it in",
            reason="learned something about the therapist",
        )
    if appraisal.has("limit_set") and appraisal.has("reason_given", "alternative_offered"):
        return view.direct(Move.REACT, "reactions.limit_met_warmly", "reactions.half_met", stance="taking it in", reason="a limit, kindly")
    if appraisal.has("silence_held") or appraisal.signals.get("words", 9) <= 2:
        return view.direct(Move.REACT, "reactions.silence_held", "deflections.tired", stance="in the quiet", reason="was left room")
    if view.landed >= 0.6:
        return view.direct(Move.REACT, "reactions.felt_met", "reactions.half_met", stance="met", reason="the reply landed")
    if view.landed >= 0.3:
        return view.direct(Move.REACT, "reactions.half_met", "reactions.felt_met", stance="half met", reason="the reply landed in part")
    if appraisal.has("greeting") and not view.asks:
        return view.direct(
            Move.REACT, "reactions.greeted", "talk:weather_travel", "deflections.unsure", stance="arriving", reason="a greeting"
        )
    if not view.asks and appraisal.has("swap_test_failure", "topic_shift"):
        return view.direct(
            Move.REACT,
            "reactions.formula",
            "deflections.tired",
            "resistance.any",
            stance="unmoved",
            reason="could have been said to anyone",
        )
    free = [f for f in view.persona.facts if f.tier == 0 and view.gate(f, asked=False) is Gate.OPEN]
    if free and not appraisal.has("topic_shift"):
        return view.direct(
            Move.TELL, f"fact:{free[0].id}.told", stance="plain", reason="says what is told freely", fact=free[0].id, unlocked=(free[0].id,)
        )
    return view.direct(Move.DEFLECT, *_unsure(view), stance="unsure", reason="nothing of theirs was touched")
