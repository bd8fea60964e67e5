"""Does the reply fit this client at this moment? Formula, swap test, change of subject, risk passed over, cold refusals."""

from __future__ import annotations

from rubrics.appraiser.client import opening
from rubrics.appraiser.findings import Finding, Reply

_SWAP_EXEMPT = frozenset(
    [
        "greeting",
        "silence_held",
        "risk_asked_directly",
        "ownership",
        "limit_set",
        "supervision_named",
        "trainee_status_stated",
        "confidentiality_explained",
        "personal_disclosure",
        "professional_disclosure",
        "check_back",
        "immediacy",
        "autonomy_support",
        "means_safety",
        "contact_details_given",
        "yielding",
        "secrecy_promise",
        "romantic_response",
        "role_confusion",
        "defensiveness",
        "shaming",
        "judging",
        "invites_disagreement",
        "topic_shift",
        "information",
        "names_the_fear_of_being_judged",
        "alternative_offered",
        "reason_given",
        "cold_refusal",
        "simple_reflection",
        "complex_reflection",
    ]
)
_WARM = frozenset(
    [
        "emotional_reaction",
        "reason_given",
        "alternative_offered",
        "return_of_focus",
        "invites_disagreement",
        "exploration",
        "affirmation",
        "ownership",
        "simple_reflection",
        "complex_reflection",
        "interpretation",
        "check_back",
        "personal_disclosure",
        "autonomy_support",
        "yielding",
    ]
)
_GENERAL = frozenset({"emotional_reaction", "false_reassurance", "praise_inflation", "minimising", "affirmation"})
_SHORT = 5


def fitting_findings(reply: Reply) -> list[Finding]:
    """All findings that need the whole reply and the client's words. Runs last."""
    found = _given_in(reply) + _cold_refusal(reply) + _topic_shift(reply) + _risk_avoided(reply) + _formula(reply)
    if not any(f.skill in ("topic_shift", "cold_refusal") for f in found):
        found += _swap_test(reply)
    return found


def formula_repeats(reply: Reply) -> int:
    """How many earlier therapist turns in the context began with the same three words."""
    mine = opening(reply.views[0].sentence.words) if reply.views else ()
    return sum(1 for earlier in reply.client.openers if len(mine) == 3 and earlier == mine)


def _given_in(reply: Reply) -> list[Finding]:
    """Handing over contact details that were asked for is giving in, whatever the words around it."""
    if not reply.client.cues["requested_contact"] or "yielding" in reply.skills():
        return []
    return [view.finding("yielding", 0.9) for view in reply.views if view.has({"contact_details_given"})][:1]


def _formula(reply: Reply) -> list[Finding]:
    hits = [(v, m) for v in reply.views for m in reply.cues.frames["stock_phrase"].finditer(v.sentence.text)]
    repeats = formula_repeats(reply)
    found: list[Finding] = []
    stock_words = sum(len(v.sentence.words) for v in {id(v): v for v, _ in hits}.values())
    if hits:
        share = stock_words / max(1, reply.words)
        plain = not any(v.picked for v, _ in hits)
        strength = 0.9 if len(hits) >= 2 and share >= 0.5 else 0.7 if len(hits) >= 2 or (share >= 0.6 and plain) else 0.4 if plain else 0.0
        if strength:
            first, last = hits[0][0].sentence, hits[-1][0].sentence
            found.append(Finding("formula", strength, first.start, last.end))
            hits[0][0].skills.add("formula")
    if repeats >= 2 or (repeats and reply.frame("opener", reply.views[0].sentence.text)):
        sentence = reply.views[0].sentence
        found.append(Finding("formula", min(0.9, 0.5 + 0.2 * repeats), sentence.start, sentence.end))
    return found


def _swap_test(reply: Reply) -> list[Finding]:
    if reply.words < _SHORT or len(reply.client.known) < 2 or reply.picked or reply.skills() & _SWAP_EXEMPT:
        return []
    if reply.feelings - reply.cues.lists.pleasant and not any("formula" in v.skills for v in reply.views):
        return []
    if any("emotional_reaction" in v.skills and reply.frame("third_person", v.sentence.text) for v in reply.views):
        return []
    own = len(reply.content)
    stock = any(v.stock or "formula" in v.skills for v in reply.views)
    general = stock or reply.skills() & _GENERAL
    if own == 0:
        return [reply.whole("swap_test_failure", 0.9 if general else 0.6)]
    if own <= 2 and general:
        return [reply.whole("swap_test_failure", 0.7)]
    return [reply.whole("swap_test_failure", 0.5)] if stock and own <= 4 else []


def _topic_shift(reply: Reply) -> list[Finding]:
    takes_up = bool(reply.picked) or bool(reply.feelings & (reply.client.feelings | reply.client.hinted))
    for view in reply.views:
        text = view.sentence.text
        moving = reply.frame("move_on", text)
        if not moving and not (reply.frame("new_topic", text) and reply.client.heavy):
            continue
        if view.picked or (takes_up and reply.frame("permission", text)) or view.has({"limit_set", "silence_held", "risk_asked_directly"}):
            continue
        return [view.finding("topic_shift", 0.6 if takes_up or "emotional_reaction" in reply.skills() else 0.9)]
    if (
        not reply.client.heavy
        or takes_up
        or reply.feelings
        or reply.skills() & {"emotional_reaction", "risk_asked_directly", "simple_reflection", "complex_reflection"}
    ):
        return []
    if not (reply.client.cues["heavy"] or reply.client.cues["risk_cue"]):
        return []
    for view in reply.views:
        if view.asks == "closed" and len(view.content) >= 2 and not reply.frame("deictic", view.sentence.text):
            return [view.finding("topic_shift", 0.5)]
    return []


def _risk_avoided(reply: Reply) -> list[Finding]:
    if not reply.client.cues["risk_cue"] or reply.client.risk_asked or not reply.views:
        return []
    if reply.skills() & {"risk_asked_directly", "means_safety"} and any(
        "risk_asked_directly" in v.skills or "means_safety" in v.skills for v in reply.views
    ):
        return []
    if reply.frame("takes_up_risk", reply.reading.text):
        return []
    near = bool(reply.picked) or bool(reply.feelings - reply.cues.lists.pleasant) or reply.skills() & {"silence_held", "emotional_reaction"}
    return [reply.whole("risk_avoided", 0.6 if near else 0.95)]


def _cold_refusal(reply: Reply) -> list[Finding]:
    cues = reply.client.cues
    asked = cues["invited_disclosure"] or cues["requested_contact"] or cues["requested_frame"] or cues["asked_for_promise"] or cues["attraction"]
    for view in reply.views:
        text = view.sentence.text
        if not (reply.frame("refusal", text) or "limit_set" in view.skills) or view.has({"confidentiality_explained"}):
            continue
        if reply.skills() & _WARM or reply.frame("warmth_in_refusal", reply.reading.text):
            return []
        if asked or "?" in reply.client.text or not reply.client.text:
            return [view.finding("cold_refusal", 0.9)]
        if reply.client.text and not view.has({"limit_set", "defensiveness"}):
            return [view.finding("cold_refusal", 0.5)]
    return []
