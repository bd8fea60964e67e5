"""The scorer that needs no model: rules over what the appraiser saw. The same reply always gets the same report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from core.appraisal import Appraiser, SkillAppraisal
from core.errors import InvalidInput
from core.evidence import Evidence
from core.replies import accept_reply, clean_text, has_words
from core.skills import Polarity
from core.transcript import Speaker, Utterance
from rubrics import frame_levels, levels
from rubrics.schema import Criterion, Rubric
from rubrics.schema import skill as catalogue_entry
from rubrics.scores import Confidence, CriterionScore, HarmFlag, ScoreReport, verified
from rubrics.suspicion import instruction_spans, suspicion_flag, touches
from rubrics.tally import CLEARLY, Moment, Tally

RULES_VERSION = 1
"""Counts up with every change of a rule or weight; part of the fingerprint."""

Rule = Callable[[Moment, Criterion], Tally | None]

_RULES: Mapping[str, Rule] = {
    "empathy": levels.empathy,
    "authenticity": levels.authenticity,
    "self_disclosure": frame_levels.self_disclosure,
    "boundaries": frame_levels.boundaries,
    "risk": frame_levels.risk,
}

NO_WORDS = "There are no words to score."
NOTHING_TO_QUOTE = "Nothing in this reply could be tied to this criterion, so no level is given."
ONLY_INSTRUCTIONS = "The reply speaks to the program and not to the client, so there is nothing to score."
_LOOK_BACK = 6


class EmbeddedScorer:
    """Scores replies by one rubric. Criteria without a rule of their own are scored by their facets."""

    def __init__(self, rubric: Rubric, appraiser: Appraiser) -> None:
        self.rubric = rubric
        self._appraiser = appraiser
        parts = f"{rubric_hash(rubric)}|{appraiser.fingerprint}|rules {RULES_VERSION}"
        self._fingerprint = "embedded:" + hashlib.sha256(parts.encode()).hexdigest()[:16]

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same reply could be scored differently."""
        return self._fingerprint

    def score(self, context: Sequence[Utterance], reply: str, appraisal: SkillAppraisal | None = None) -> ScoreReport:
        """Score ``reply`` given what was said before it (oldest first). Never raises on odd text; says so in the criteria."""
        reason = why_unreadable(reply)
        if reason:
            return unscored_report(self.rubric, self.fingerprint, reason)
        moment = moment_of(self._appraiser, context, reply, appraisal)
        if moment.appraisal.unappraised:
            return unscored_report(self.rubric, self.fingerprint, moment.appraisal.unappraised)
        tallies = {criterion.id: judge(moment, criterion) for criterion in self.rubric.criteria}
        flags = harm_flags(self.rubric, moment, {c for c, tally in tallies.items() if tally is not None})
        if moment.spans:
            flags = (*flags, suspicion_flag(moment.spans))
        caps = caps_of(self.rubric, moment)
        criteria = tuple(_score(moment, criterion, tallies[criterion.id], caps) for criterion in self.rubric.criteria)
        report = ScoreReport(
            rubric=self.rubric.id, rubric_version=self.rubric.version, scorer=self.fingerprint, criteria=criteria, flags=flags
        )
        return verified(report, reply)


def rubric_hash(rubric: Rubric) -> str:
    """Hash of everything in the rubric that can change a score."""
    return hashlib.sha256(rubric.model_dump_json(exclude={"feedback"}).encode()).hexdigest()


def why_unreadable(reply: str) -> str:
    """Why ``reply`` cannot be scored at all, in a sentence for the trainee; empty when it can."""
    try:
        accept_reply(reply)
    except InvalidInput as error:
        return error.message
    return "" if has_words(clean_text(reply).text) else NO_WORDS


def unscored_report(rubric: Rubric, scorer: str, reason: str) -> ScoreReport:
    """Every criterion unscored for the same reason."""
    criteria = tuple(CriterionScore(criterion=c.id, status="unscored", reason=reason) for c in rubric.criteria)
    return ScoreReport(rubric=rubric.id, rubric_version=rubric.version, scorer=scorer, criteria=criteria)


def moment_of(appraiser: Appraiser, context: Sequence[Utterance], reply: str, appraisal: SkillAppraisal | None) -> Moment:
    """The reply in its place. Only when the client hints at danger are the replies just before read as well: asking once is enough."""
    seen = appraisal if appraisal is not None else appraiser.appraise(context, reply)
    asked = False
    if seen.signals.get("client_risk_cue", 0.0) > 0 and not seen.has("risk_asked_directly"):
        first = max(0, len(context) - _LOOK_BACK)
        asked = any(
            u.speaker is Speaker.THERAPIST and appraiser.appraise(context[:place], u.text).strength("risk_asked_directly") >= CLEARLY
            for place, u in enumerate(context)
            if place >= first
        )
    suspected = seen.signals.get("instruction_like", 0.0)
    spans = instruction_spans(appraiser, context, reply, suspected=suspected)
    if spans:
        seen = replace(seen, ratings=tuple(rating for rating in seen.ratings if not touches(rating.evidence, spans)))
    return Moment(context=context, reply=reply, appraisal=seen, asked_about_risk=asked, spans=spans)


def judge(moment: Moment, criterion: Criterion) -> Tally | None:
    """The value of one criterion under way; None when it is not in play."""
    rule = _RULES.get(criterion.id, levels.by_facets)
    return rule(moment, criterion)


def caps_of(rubric: Rubric, moment: Moment) -> Mapping[str, tuple[int, tuple[str, ...]]]:
    """The lowest cap per criterion with the skills that caused it."""
    caps: dict[str, tuple[int, tuple[str, ...]]] = {}
    for rule in rubric.harm_flags:
        if moment.appraisal.strength(*rule.skills) >= rule.least and rule.cap < caps.get(rule.criterion, (6, ()))[0]:
            caps[rule.criterion] = (rule.cap, rule.skills)
    return caps


def harm_flags(rubric: Rubric, moment: Moment, in_play: set[str]) -> tuple[HarmFlag, ...]:
    """Flags to report, in the rubric's order. One act is reported once, under the first criterion in play that lists it."""
    flags: list[HarmFlag] = []
    told: set[str] = set()
    for rule in rubric.harm_flags:
        rating = moment.appraisal.rating(*rule.skills)
        if rating is None or rating.strength < rule.least or rule.criterion not in in_play or rating.skill in told:
            continue
        told.add(rating.skill)
        flags.append(HarmFlag(id=rule.id, label=rule.label, criterion=rule.criterion, evidence=rating.evidence))
    return tuple(flags)


def facets_of(moment: Moment, criterion: Criterion, known: Mapping[str, int]) -> dict[str, int]:
    """Each facet of the criterion, 0-2: what the rule measured, otherwise by the strength of the facet's skills."""
    facets = {}
    for facet in criterion.facets:
        strength = moment.appraisal.strength(*facet.skills)
        facets[facet.id] = known.get(facet.id, 2 if strength >= 0.6 else 1 if strength > 0 else 0)
    return facets


def _score(moment: Moment, criterion: Criterion, tally: Tally | None, caps: Mapping[str, tuple[int, tuple[str, ...]]]) -> CriterionScore:
    if tally is None:
        return CriterionScore(criterion=criterion.id, status="not_applicable", reason=criterion.not_applicable)
    if criterion.id in caps:
        cap, skills = caps[criterion.id]
        tally.at_most(cap, *skills)
    evidence = tally.evidence()
    if not evidence:
        reason = ONLY_INSTRUCTIONS if moment.spans else NOTHING_TO_QUOTE
        return CriterionScore(criterion=criterion.id, status="unscored", reason=reason)
    level = tally.level()
    return CriterionScore(
        criterion=criterion.id,
        status="scored",
        level=level,
        value=tally.result(),
        facets=facets_of(moment, criterion, tally.facets),
        evidence=evidence,
        anchor=f"{criterion.id}.{level}",
        reason=_reason(criterion, tally, level, evidence),
        confidence=_confidence(moment, criterion, tally),
    )


def _reason(criterion: Criterion, tally: Tally, level: int, evidence: tuple[Evidence, ...]) -> str:
    """The anchor's words and the name of what was seen in the words quoted."""
    anchor = criterion.anchors[level]
    lowering = level <= 2 or tally.most < 5
    labels: list[str] = []
    for rating in tally.deciding():
        entry = catalogue_entry(rating.skill)
        costs = entry.polarity in (Polarity.COSTS, Polarity.HARMS)
        if rating.evidence in evidence and entry.label not in labels and (lowering or not costs):
            labels.append(entry.label)
    seen = f" Seen here: {', '.join(label.lower() for label in labels[:3])}." if labels else ""
    return f"The reply {anchor.words}.{seen}"


def _confidence(moment: Moment, criterion: Criterion, tally: Tally) -> Confidence:
    strongest = max((rating.strength for weight, rating in tally.grounds if abs(weight) > 0.2), default=0.0)
    off_centre = abs(tally.result() - tally.level())
    answer: Literal["low", "medium", "high"] = "medium"
    if strongest < CLEARLY or moment.spans:
        answer = "low"
    elif strongest >= 0.75 and off_centre <= 0.3 and not criterion.experimental:
        answer = "high"
    return answer
