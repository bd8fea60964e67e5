"""The rules that need one sentence and no more: patterns from cues.yaml, with what overrules what."""

from __future__ import annotations

from rubrics.appraiser.cues import Rule, Unit
from rubrics.appraiser.findings import Finding, Reply, SentenceView
from rubrics.appraiser.reading import narrowed

_SPOKEN_OF = frozenset({"advice_without_permission", "false_reassurance", "minimising", "judging", "telling_the_client_what_they_feel", "shaming"})
"""Skills that are void when the sentence only speaks of them ('I'm not saying you should ...', 'people tell you ...')."""


_NEEDS_A_LIMIT = frozenset({"reason_given", "alternative_offered"})
_REQUESTS = ("requested_contact", "requested_frame", "asked_for_promise", "invited_disclosure", "attraction", "asked_for_advice", "risk_cue")


def _limit_in_play(reply: Reply) -> bool:
    """Whether there is a limit to give a reason for: one in the reply, or a request of the client."""
    return (
        not reply.client.text
        or any(reply.client.cues[name] for name in _REQUESTS)
        or any(view.has({"limit_set", "confidentiality_explained"}) or reply.frame("refusal", view.sentence.text) for view in reply.views)
    )


def rule_findings(reply: Reply) -> list[Finding]:
    """Apply every rule to every sentence; notes the skills on the sentences."""
    found: list[Finding] = []
    for rule in reply.cues.rules:
        if rule.client is not None and not reply.client.cues[rule.client]:
            continue
        if rule.most_words is not None and reply.words > rule.most_words:
            continue
        for view in reply.views:
            finding = _match(rule, view)
            if finding is not None:
                found.append(finding)
                view.skills.add(rule.skill)
    return _settled(reply, found)


def _match(rule: Rule, view: SentenceView) -> Finding | None:
    sentence = view.sentence
    if rule.asks == "yes" and not view.asks and not sentence.marked:
        return None
    if rule.asks == "no" and (view.asks or (sentence.marked and not view.tag)):
        return None
    match = rule.when.search(sentence.text)
    if match is None or not match.group().strip():
        return None
    if rule.unless is not None and rule.unless.search(sentence.text):
        return None
    start, end = sentence.start + match.start(), sentence.start + match.end()
    if rule.unit is Unit.SENTENCE:
        start, end = narrowed(sentence, start, end)
    return Finding(rule.skill, rule.strength, start, end)


def _settled(reply: Reply, found: list[Finding]) -> list[Finding]:
    """Remove what another finding in the same sentence explains better; turn asked-for advice into advice with permission."""
    kept: list[Finding] = []
    permitted = False
    for view in reply.views:
        text = view.sentence.text
        here = [f for f in found if view.sentence.start <= f.start < view.sentence.end]
        spoken_of = reply.frame("negated_frame", text)
        permitted = permitted or "advice_with_permission" in view.skills or reply.frame("permission", text)
        for finding in here:
            replaced = _settle_one(reply, view, finding, spoken_of=spoken_of, permitted=permitted)
            if replaced is not None:
                kept.append(replaced)
        view.skills = {f.skill for f in kept if view.sentence.start <= f.start < view.sentence.end}
    return kept


def _settle_one(reply: Reply, view: SentenceView, finding: Finding, *, spoken_of: bool, permitted: bool) -> Finding | None:
    skill = finding.skill
    if skill in _NEEDS_A_LIMIT and not _limit_in_play(reply):
        return None
    if skill == "means_safety" and reply.client.text and not reply.client.risk_spoken and not reply.frame("takes_up_risk", reply.reading.text):
        return None
    if spoken_of and skill in _SPOKEN_OF:
        return None
    if skill == "advice_without_permission":
        if view.has({"means_safety", "risk_asked_directly", "judging", "shaming", "secrecy_promise"}):
            return None
        if permitted:
            return Finding("advice_with_permission", 0.6, finding.start, finding.end)
        if reply.client.cues["asked_for_advice"]:
            return Finding("advice_with_permission", 0.5, finding.start, finding.end)
    if skill == "affirmation" and view.has({"praise_inflation", "false_reassurance", "judging"}):
        return None
    if skill == "limit_set" and view.has({"yielding", "confidentiality_explained"}) and "yielding" in view.skills:
        return None
    if skill == "information" and view.has({"minimising", "judging", "false_reassurance", "personal_disclosure"}):
        return None
    if skill == "emotional_reaction" and view.has({"romantic_response", "shaming", "defensiveness"}):
        return None
    if skill == "ownership" and view.has({"defensiveness"}):
        return None
    if skill == "false_reassurance" and view.has({"limit_set", "secrecy_promise"}):
        return None
    return finding
