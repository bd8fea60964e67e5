"""From what a reply did to what a trainee reads (design section 7). Pure: everything it needs comes in as data.

Each sentence stands on a quote of the trainee, on the ledger of this client, or on a verified citation; what cannot be supported is
left out. One growth point a turn. About the reply, never the person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from core.appraisal import SkillAppraisal, SkillRating
from core.skills import Polarity, skill_catalogue
from personas.direction import Move
from personas.matching import content_words
from personas.state import LedgerEntry
from retrieval.citations import Citation
from rubrics.schema import FeedbackWords, Rubric, filled
from rubrics.scores import Confidence, HarmFlag, ScoreReport
from simulator.outcomes import Feedback
from simulator.wording import choose, fill, wording

_CLEAR = 0.35
"""A skill weaker than this is not worth a sentence."""
_SHORT = 4
_WEIGHTS = {"trust": 1.5, "openness": 0.5}
"""Trust is slow and says more about a reply than openness, which comes and goes with every question."""

FindCitation = Callable[[Sequence[str], str, str, str, str], tuple[Citation | None, str]]
"""(skills, criterion, client's words, quote, the reason to support) -> a verified citation, or None with why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One reply in its place: what the client had said, the reply, what the client said next and did."""

    turn: int
    seed: int
    client_id: str
    client_name: str
    before: str
    reply: str
    after: str
    move: Move | None
    ledger: tuple[LedgerEntry, ...]


@dataclass(frozen=True, slots=True)
class _Point:
    """A skill worth speaking of, and how much it moved this client."""

    rating: SkillRating
    weight: float


def compose_feedback(
    exchange: Exchange,
    appraisal: SkillAppraisal,
    report: ScoreReport,
    rubric: Rubric,
    find: FindCitation,
    *,
    said_lately: Collection[str] = (),
) -> Feedback:
    """Feedback on one reply. ``said_lately`` are headlines of recent turns, not to be used again while there are others."""
    if appraisal.unappraised is not None:
        return Feedback(turn=exchange.turn, kind="quiet", headline=fill(wording().unscored, reason=appraisal.unappraised))
    words = rubric.feedback
    if report.flags:
        return _flagged(exchange, appraisal, report, report.flags[0], rubric, find)
    worked, cost = _points(exchange, appraisal)
    worked = worked if worked is not None and worked.rating.skill in words.worked else None
    cost = cost if cost is not None and cost.rating.skill in words.cost else None
    lead = cost if cost is not None and (worked is None or abs(cost.weight) >= worked.weight) else worked
    if lead is None:
        return Feedback(turn=exchange.turn, kind="quiet", headline=wording().quiet)
    is_cost = lead is cost
    sentence = _sentence(exchange, words.cost if is_cost else words.worked, lead.rating, said_lately)
    other = worked if is_cost else cost
    other_sentence = "" if other is None else _sentence(exchange, words.worked if is_cost else words.cost, other.rating, said_lately)
    growth = cost.rating.skill if cost is not None else None
    criterion = criterion_of(lead.rating.skill, rubric, report)
    why, citation, reason = _why(exchange, lead.rating, criterion, rubric, find)
    return Feedback(
        turn=exchange.turn,
        kind="cost" if is_cost else "worked",
        headline=sentence,
        quote=lead.rating.evidence,
        criterion=criterion,
        worked=other_sentence if is_cost else sentence,
        cost=sentence if is_cost else other_sentence,
        effect=_effect(exchange),
        try_this=_sentence(exchange, words.try_, growth) if growth is not None else "",
        alternatives=alternatives(exchange, growth, words) if growth is not None else (),
        why=why,
        citation=citation,
        why_no_citation=reason,
        confidence=_confidence(criterion, report),
    )


def _flagged(exchange: Exchange, appraisal: SkillAppraisal, report: ScoreReport, flag: HarmFlag, rubric: Rubric, find: FindCitation) -> Feedback:
    rule = next((rule for rule in rubric.harm_flags if rule.id == flag.id), None)
    rating = appraisal.rating(*rule.skills) if rule is not None else None
    skill = rating.skill if rating is not None else None
    why, citation, reason = _why(exchange, rating, flag.criterion, rubric, find) if rating is not None else ("", None, "")
    return Feedback(
        turn=exchange.turn,
        kind="flag",
        headline=fill(wording().flagged, label=flag.label[:1].lower() + flag.label[1:]),
        quote=flag.evidence,
        criterion=flag.criterion,
        cost=_sentence(exchange, rubric.feedback.cost, rating) if rating is not None else "",
        effect=_effect(exchange),
        try_this=_sentence(exchange, rubric.feedback.try_, skill) if skill is not None else "",
        alternatives=alternatives(exchange, skill, rubric.feedback) if skill is not None else (),
        why=why,
        citation=citation,
        why_no_citation=reason,
        confidence=_confidence(flag.criterion, report),
    )


def _points(exchange: Exchange, appraisal: SkillAppraisal) -> tuple[_Point | None, _Point | None]:
    """The skill that did most good and the one that cost most, by what they moved in this client; else by strength."""
    catalogue = skill_catalogue()
    points: dict[str, _Point] = {}
    for rating in appraisal.ratings:
        polarity = catalogue.get(rating.skill).polarity
        moved = sum(_WEIGHTS.get(e.measure, 0.0) * e.delta for e in exchange.ledger if e.cause == rating.skill)
        sign = 1 if polarity is Polarity.HELPS else -1 if polarity in (Polarity.COSTS, Polarity.HARMS) else 0
        first = 1.0 if rating.skill in wording().speak_of_first else 0.0
        weight = abs(moved) + 0.1 * rating.strength + first
        if sign and rating.strength >= _CLEAR and weight > abs(points[rating.skill].weight if rating.skill in points else 0):
            points[rating.skill] = _Point(rating, sign * weight)
    ordered = sorted(points.values(), key=lambda p: (p.weight, p.rating.skill))
    cost = ordered[0] if ordered and ordered[0].weight < 0 else None
    worked = ordered[-1] if ordered and ordered[-1].weight > 0 else None
    return worked, cost


def _sentence(exchange: Exchange, fragments: Mapping[str, Sequence[str]], about: SkillRating | str | None, avoid: Collection[str] = ()) -> str:
    """A fragment about a skill with its placeholders filled; empty when the rubric has none or its word is not at hand."""
    if about is None:
        return ""
    skill = about if isinstance(about, str) else about.skill
    quote = "" if isinstance(about, str) else about.evidence.quote
    word = salient_word(exchange.before)
    usable = [f for f in fragments.get(skill, ()) if ("{word}" not in f or word) and ("{quote}" not in f or quote)]
    options = [filled(f, quote=_shortened(quote), name=exchange.client_name, word=word) for f in usable]
    return choose(options, seed=exchange.seed, turn=exchange.turn, purpose=f"fragment-{skill}", avoid=avoid)


def alternatives(exchange: Exchange, skill: str, words: FeedbackWords) -> tuple[str, ...]:
    """Two differing replies for this client, or for any; none when the rubric has no pair that can be used here."""
    word = salient_word(exchange.before)
    for found in _ranked(words, skill, exchange):
        usable = [reply for reply in found if "{word}" not in reply or word]
        if len(usable) >= 2:
            first = choose(usable, seed=exchange.seed, turn=exchange.turn, purpose="alternative-1")
            second = choose([r for r in usable if r != first], seed=exchange.seed, turn=exchange.turn, purpose="alternative-2")
            return tuple(filled(reply, name=exchange.client_name, word=word) for reply in (first, second))
    return ()


def _ranked(words: FeedbackWords, skill: str, exchange: Exchange) -> list[tuple[str, ...]]:
    """Sets for this client that share words with what the client just said come before sets for any client.

    A set written for one moment of a client fits only that moment: without a shared word the set for any client is used.
    """
    said = content_words(exchange.before)
    ranked = []
    for group in words.alternatives_for(skill, exchange.client_id):
        shared = len(said & content_words(" ".join((*group.replies, *(s.replace("_", " ") for s in group.situation)))))
        if group.client == "any" or shared:
            ranked.append((-shared if group.client != "any" else 0, group.client == "any", group.replies))
    return [replies for _, _, replies in sorted(ranked, key=lambda item: (item[0], item[1]))]


def _effect(exchange: Exchange) -> str:
    """What the client did next, said from the record; the words are quoted, not interpreted."""
    if exchange.move is None or not exchange.after:
        return ""
    effects = wording().effects
    short = exchange.move is Move.REACT and len(exchange.after.split()) <= _SHORT
    options = effects["react_short"] if short else effects.get(exchange.move, ())
    chosen = choose(options, seed=exchange.seed, turn=exchange.turn, purpose="effect")
    return fill(chosen, name=exchange.client_name, words=_shortened(exchange.after).rstrip(".")) if chosen else ""


def _why(exchange: Exchange, rating: SkillRating, criterion: str | None, rubric: Rubric, find: FindCitation) -> tuple[str, Citation | None, str]:
    why = _sentence(exchange, rubric.feedback.why, rating)
    citation, reason = find((rating.skill,), criterion or "", exchange.before, rating.evidence.quote, why)
    return why, citation, reason


def criterion_of(skill: str, rubric: Rubric, report: ScoreReport) -> str | None:
    """The criterion a skill belongs to; one that was scored comes before one that was not."""
    named = [c.id for c in rubric.criteria if skill in c.raises or skill in c.lowers]
    status = {score.criterion: score.status for score in report.criteria}
    return next((c for c in named if status.get(c) == "scored"), named[0] if named else None)


def _confidence(criterion: str | None, report: ScoreReport) -> Confidence | None:
    return next((score.confidence for score in report.criteria if score.criterion == criterion), None)


def salient_word(text: str) -> str:
    """A word of the client's last line worth saying back: the longest content word, the later on a tie; empty when there is none."""
    words = re.findall(r"(?<![\w'\u2019])[A-Za-z]{5,}(?![\w'\u2019])", text)
    fit = [word for word in words if content_words(word) and not word.endswith("ly")]
    return max(enumerate(fit), key=lambda item: (len(item[1]), item[0]))[1].lower() if fit else ""


def _shortened(text: str, words: int = 16) -> str:
    """The beginning of a long text, ending in an ellipsis; quotes on the page themselves are never cut."""
    parts = text.split()
    return text if len(parts) <= words else " ".join(parts[:words]) + " ..."
