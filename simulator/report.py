"""The debrief as data: pure, from what is stored. No model is asked and nothing is judged here that was not judged before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from statistics import median_low
from typing import Literal

from core.appraisal import SkillAppraisal
from core.skills import Polarity, skill_catalogue
from personas.direction import Move
from personas.schema import Persona
from personas.state import ClientState
from rubrics.schema import Criterion, Rubric, filled
from rubrics.scores import Status
from simulator.outcomes import DimensionSummary, Feedback, Moment, Reading, SessionReport, ThreadPoint, TurnOutcome
from simulator.views import SessionView, TurnView
from simulator.wording import ClientStatement, Measure, choose, fill, wording

MIN_TURNS_FOR_RATIO = 8
"""Below this many trainee turns a reflection-to-question ratio says nothing (guidance facts, section 3)."""
_REFLECTIONS = ("simple_reflection", "complex_reflection", "interpretation", "summary")
_QUESTIONS = ("open_question", "closed_question", "exploration", "risk_asked_directly")
_PRESSING = ("question_volley", "advice_without_permission", "judging", "telling_the_client_what_they_feel", "topic_shift")
_TAKES_UP = (
    *_REFLECTIONS,
    "exploration",
    "emotional_reaction",
    "names_the_fear_of_being_judged",
    "limit_set",
    "personal_disclosure",
    "reason_given",
    "trainee_status_stated",
)


def build_report(view: SessionView, outcomes: Sequence[TurnOutcome], persona: Persona, rubric: Rubric) -> SessionReport:
    """Everything the debrief shows."""
    answered = [turn for turn in view.turns if turn.client is not None]
    reflections = sum(1 for turn in answered if _has(turn, _REFLECTIONS))
    questions = sum(max(1, round(_signal(turn, "questions"))) for turn in answered if _has(turn, _QUESTIONS) or _signal(turn, "questions") > 0)
    ours = sum(len(turn.therapist.split()) for turn in answered)
    theirs = sum(len((turn.client or "").split()) for turn in answered) + len(view.opening.split())
    return SessionReport(
        session_id=view.id,
        persona_name=view.persona_name,
        turns=len(answered),
        ending=view.ending,
        moments=_moments(view, answered, outcomes, persona),
        dimensions=tuple(_dimension(criterion, outcomes, view.self_rating) for criterion in rubric.criteria),
        flags=tuple((outcome.number, flag.label) for outcome in outcomes for flag in outcome.report.flags),
        thread=_thread(view, answered),
        told=_told(answered, persona),
        sealed=tuple(fact.sealed_as for fact in persona.facts if fact.tier > 0 and fact.id not in view.state.told),
        reflections=reflections,
        questions=questions,
        ratio=round(reflections / questions, 1) if len(answered) >= MIN_TURNS_FOR_RATIO and questions else None,
        talk_share=round(ours / (ours + theirs), 2) if ours + theirs else None,
        client_view=tuple((statement.statement, _answer(statement, view, answered)) for statement in wording().client_view),
        reading=_reading(outcomes),
        practise=_practise(outcomes, view, rubric),
        scorers=tuple(sorted({outcome.report.scorer for outcome in outcomes})),
    )


def _has(turn: TurnView, skills: Sequence[str]) -> bool:
    return turn.appraisal is not None and turn.appraisal.has(*skills)


def _signal(turn: TurnView, name: str) -> float:
    appraisal: SkillAppraisal | None = turn.appraisal
    return appraisal.signals.get(name, 0.0) if appraisal is not None else 0.0


def _moved(turn: TurnView) -> float:
    """How much a reply moved the client, in trust and openness together; fading is not the reply's doing."""
    return sum(entry.delta for entry in turn.ledger if entry.measure in ("trust", "openness") and entry.cause not in ("fading", "settling"))


def _moments(view: SessionView, turns: Sequence[TurnView], outcomes: Sequence[TurnOutcome], persona: Persona) -> tuple[Moment, ...]:
    by_turn = {outcome.number: outcome.feedback for outcome in outcomes}
    words = wording().moments
    found = [
        _moment("best", words.best, view, [t for t in turns if _speaks(by_turn.get(t.number), "worked")], by_turn, better=1),
        _moment("costliest", words.costliest, view, [t for t in turns if _speaks(by_turn.get(t.number), "flag", "cost")], by_turn, better=-1),
    ]
    shown = {moment.turn for moment in found if moment is not None}
    missed = _missed_opening(view, turns, persona, shown)
    return tuple(moment for moment in (*found, missed) if moment is not None)


def _speaks(feedback: Feedback | None, *kinds: str) -> bool:
    return feedback is not None and feedback.kind in kinds and feedback.quote is not None


def _moment(
    kind: Literal["best", "costliest"],
    sentences: Sequence[str],
    view: SessionView,
    fit: Sequence[TurnView],
    by_turn: Mapping[int, Feedback],
    *,
    better: int,
) -> Moment | None:
    """The turn that moved the client furthest one way; one with a harm flag comes before any other."""
    if not fit:
        return None
    turn = max(fit, key=lambda t: (by_turn[t.number].kind == "flag", better * _moved(t), -t.number))
    feedback = by_turn[turn.number]
    sentence = fill(
        choose(sentences, seed=view.seed, turn=turn.number, purpose=kind),
        headline=feedback.cost if feedback.kind == "flag" and feedback.cost else feedback.headline,
    )
    return Moment(
        kind=kind,
        turn=turn.number,
        before=_before(view, turn),
        quote=feedback.quote,
        after=turn.client or "",
        words=sentence,
        feedback=feedback,
    )


def _before(view: SessionView, turn: TurnView) -> str:
    earlier = [t.client for t in view.turns if t.number < turn.number and t.client is not None]
    return earlier[-1] if earlier else view.opening


def _missed_opening(view: SessionView, turns: Sequence[TurnView], persona: Persona, shown: Collection[int]) -> Moment | None:
    """The last time the client came near something, or asked for something, and the next reply did not take it up.

    Turns that are ``shown`` as another moment already are passed over.
    """
    words = wording().moments
    for offered, reply in reversed(list(pairwise(turns))):
        if reply.number in shown:
            continue
        move = Move(offered.direction["move"]) if offered.direction else None
        if _has(reply, ("risk_avoided",)):
            sentence = fill(words.missed_risk, name=view.persona_name)
        elif move is Move.HALF_TELL and not _has(reply, _TAKES_UP):
            fact = persona.fact(str(offered.direction["fact"]))
            if fact.id in view.state.told:
                continue
            sentence = fill(words.missed_half_told, name=view.persona_name, sealed=fact.sealed_as)
        elif move is Move.TEST and not _has(reply, _TAKES_UP):
            sentence = fill(words.missed_test, name=view.persona_name)
        else:
            continue
        return Moment(
            kind="missed_opening",
            turn=reply.number,
            before=offered.client or "",
            quote=None,
            after=reply.client or "",
            words=sentence,
            feedback=None,
        )
    return None


def _dimension(criterion: Criterion, outcomes: Sequence[TurnOutcome], self_rating: dict[str, object] | None) -> DimensionSummary:
    scores = [(outcome.number, score) for outcome in outcomes for score in outcome.report.criteria if score.criterion == criterion.id]
    scored = [(number, score) for number, score in scores if score.status == "scored" and score.level is not None]
    own = (self_rating or {}).get("levels")
    own_level = own.get(criterion.id) if isinstance(own, dict) else None
    if not scored:
        unscored = [score for _, score in scores if score.status == "unscored"]
        status: Status = "unscored" if unscored else "not_applicable"
        reason = unscored[-1].reason if unscored else criterion.not_applicable
        return DimensionSummary(
            criterion=criterion.id,
            label=criterion.label,
            status=status,
            level=None,
            low=None,
            high=None,
            anchor="",
            reason=reason,
            experimental=criterion.experimental,
            scored_turns=0,
            quotes=(),
            own_level=own_level,
        )
    levels = sorted(score.level or 0 for _, score in scored)
    level = median_low(levels)  # between two levels the lower: a draft does not flatter
    quarter = len(levels) // 4
    telling = sorted(scored, key=lambda item: abs((item[1].level or 0) - level))[:2]
    return DimensionSummary(
        criterion=criterion.id,
        label=criterion.label,
        status="scored",
        level=level,
        low=levels[quarter],
        high=levels[-1 - quarter],
        anchor=criterion.anchors[level].words,
        reason="",
        experimental=criterion.experimental,
        scored_turns=len(scored),
        quotes=tuple((number, score.evidence[0]) for number, score in sorted(telling, key=lambda item: item[0])),
        own_level=own_level,
    )


def _thread(view: SessionView, turns: Sequence[TurnView]) -> tuple[ThreadPoint, ...]:
    start = view.start_state
    points = [ThreadPoint(turn=0, trust=start.trust, openness=start.openness, tension=start.arousal, note="")]
    for turn in turns:
        if turn.state is not None:
            points.append(
                ThreadPoint(turn=turn.number, trust=turn.state.trust, openness=turn.state.openness, tension=turn.state.arousal, note=_note(turn))
            )
    return tuple(points)


def _note(turn: TurnView) -> str:
    """What moved trust most this turn, in plain words with the before and after."""
    entries = [entry for entry in turn.ledger if entry.measure == "trust" and entry.evidence is not None]
    if not entries:
        return ""
    strongest = max(entries, key=lambda entry: abs(entry.delta))
    first, last = entries[0].before, entries[-1].after
    return f"{strongest.words}: trust {first:.1f} -> {last:.1f}"


def _told(turns: Sequence[TurnView], persona: Persona) -> tuple[tuple[int, str], ...]:
    known: set[str] = set()
    told: list[tuple[int, str]] = []
    for turn in turns:
        state: ClientState | None = turn.state
        for fact_id in state.told if state is not None else ():
            if fact_id not in known:
                known.add(fact_id)
                told.append((turn.number, persona.fact(fact_id).gist))
    return tuple(told)


def _answer(statement: ClientStatement, view: SessionView, turns: Sequence[TurnView]) -> str:
    value = _measures(view, turns)[statement.measure]
    return [words for start, words in statement.bands if value >= start][-1]


def _measures(view: SessionView, turns: Sequence[TurnView]) -> dict[Measure, float]:
    states = [turn.state for turn in turns if turn.state is not None]
    return {
        "trust_change": view.state.trust - view.start_state.trust,
        "openness_peak": max((state.openness for state in states), default=0.0),
        "pressed_turns": float(sum(1 for turn in turns if _has(turn, _PRESSING))),
        "trust_end": view.state.trust,
    }


def _reading(outcomes: Sequence[TurnOutcome]) -> tuple[Reading, ...]:
    """Two passages: what the costs cited comes first, each document once."""
    ordered = sorted(outcomes, key=lambda o: ({"flag": 0, "cost": 1}.get(o.feedback.kind, 2), o.number))
    chosen: dict[str, Reading] = {}
    for outcome in ordered:
        citation = outcome.feedback.citation
        if citation is not None and citation.document not in chosen and len(chosen) < 2:
            chosen[citation.document] = Reading(title=citation.title, heading=citation.heading, citation=citation)
    return tuple(chosen.values())


def _practise(outcomes: Sequence[TurnOutcome], view: SessionView, rubric: Rubric) -> str:
    """The growth point that came up most often, as one thing to try."""
    catalogue = skill_catalogue()
    costly = {s.code for s in catalogue.skills if s.polarity in (Polarity.COSTS, Polarity.HARMS)}
    counts = Counter(
        r.skill for turn in view.turns if turn.appraisal for r in turn.appraisal.ratings if r.skill in costly and rubric.feedback.try_.get(r.skill)
    )
    if not counts:
        return wording().practise.none
    skill = min(counts, key=lambda code: (-counts[code], code))
    plain = [fragment for fragment in rubric.feedback.try_[skill] if "{" not in fragment]
    tried = plain[0] if plain else filled(rubric.feedback.try_[skill][0], name=view.persona_name)
    return fill(wording().practise.skill, words=tried[:1].lower() + tried[1:])
