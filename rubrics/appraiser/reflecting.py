"""Giving back: simple and complex reflections, interpretation, summary and the copy that only sounds like listening."""

from __future__ import annotations

from rubrics.appraiser.client import base
from rubrics.appraiser.findings import Finding, Reply, SentenceView

_BLOCKS = frozenset(
    [
        "advice_without_permission",
        "advice_with_permission",
        "information",
        "false_reassurance",
        "minimising",
        "judging",
        "shaming",
        "defensiveness",
        "limit_set",
        "yielding",
        "greeting",
        "confidentiality_explained",
        "secrecy_promise",
        "contact_details_given",
        "romantic_response",
        "role_confusion",
        "praise_inflation",
        "personal_disclosure",
        "professional_disclosure",
        "supervision_named",
        "trainee_status_stated",
        "ownership",
        "means_safety",
        "risk_asked_directly",
        "silence_held",
        "autonomy_support",
        "alternative_offered",
        "telling_the_client_what_they_feel",
    ]
)
_FRAGMENT_WORDS = 14
_TURNING_WORDS = 6
_FRAME_WITHIN = 45
"""A frame such as 'it sounds as if' introduces a reflection only near the beginning of the sentence (characters)."""


def reflecting_findings(reply: Reply) -> list[Finding]:
    """All findings of this family, sentence by sentence."""
    found: list[Finding] = []
    previous = False
    for view in reply.views:
        copied = _copied(reply, view)
        if copied:
            found.append(view.finding("parroting", copied))
        here = [] if copied > 0.7 else _reflections(reply, view, previous=previous)
        found.extend(here)
        previous = bool(here)
    found.extend(_summary(reply))
    return found


def _reflections(reply: Reply, view: SentenceView, *, previous: bool) -> list[Finding]:
    text = view.sentence.text
    if view.asks or view.has(_BLOCKS) or len(view.sentence.words) < 2:
        return []
    frame = reply.cues.frames["reflecting_frame"].search(text)
    framed = frame is not None and frame.start() <= _FRAME_WITHIN
    if reply.frame("not_reflecting", text) and not (framed and (view.picked or view.feelings)):
        return []
    if not view.picked and reply.frame("stock_phrase", text):
        return []
    to_client = not reply.cues.lists.second_person.isdisjoint(view.sentence.words)
    substance = bool(view.picked or view.feelings)
    if not _is_candidate(reply, view, framed=framed, to_client=to_client, substance=substance, previous=previous):
        return []
    deeper = _adds(reply, view)
    found: list[Finding] = []
    if deeper:
        found.append(view.finding("complex_reflection", deeper))
        if deeper < 0.7 and view.picked:
            found.append(view.finding("simple_reflection", 0.6))
    elif view.picked or (not reply.client.known and view.content):
        found.append(view.finding("simple_reflection", 0.85 if framed or to_client else 0.7))
    elif (framed or to_client) and view.content:
        found.append(view.finding("simple_reflection", 0.5))
    if deeper and (view.feelings or reply.frame("meaning", text) or reply.frame("image", text) or reply.frame("both_sides", text)):
        about = previous or bool(view.picked) or len(view.content) >= 2 or reply.frame("about", text)
        if about and not reply.frame("certain", text):
            held_loosely = view.tag or reply.frame("tentative", text)
            named = bool(view.feelings) or reply.frame("both_sides", text)
            found.append(view.finding("interpretation", 0.95 if held_loosely and named else 0.75 if held_loosely or named else 0.6))
    return found


def _is_candidate(reply: Reply, view: SentenceView, *, framed: bool, to_client: bool, substance: bool, previous: bool) -> bool:
    text = view.sentence.text
    own_words = len(view.content) >= 2 or reply.frame("meaning", text) or reply.frame("image", text)
    if framed:
        return substance or own_words or (to_client and len(view.sentence.words) >= _TURNING_WORDS and bool(view.content))
    if reply.frame("fragment_blocked", text) and not (to_client and substance and reply.frame("reflecting_opening", text)):
        return False
    if reply.frame("reflecting_opening", text):
        unheard = not reply.client.known and bool(view.content)
        if not to_client and not view.picked and not previous:
            return unheard or bool(view.feelings - reply.cues.lists.pleasant)
        long_enough = len(view.sentence.words) >= _TURNING_WORDS and to_client
        return substance or unheard or (to_client and bool(own_words or view.content)) or long_enough or (previous and own_words)
    if to_client and view.picked:
        return True
    return len(view.sentence.words) <= _FRAGMENT_WORDS and (bool(view.picked) or (bool(view.feelings) and (previous or view.tag or to_client)))


def _adds(reply: Reply, view: SentenceView) -> float:
    """How surely the sentence gives back more than was said; 0.0 for a plain return."""
    text = view.sentence.text
    if reply.frame("both_sides", text):
        return 0.95
    if view.feelings - reply.client.feelings:
        return 0.9
    new = view.content - reply.client.known
    if reply.frame("image", text) and new:
        return 0.85
    if reply.frame("meaning", text) and new:
        return 0.8
    if reply.frame("turning", text) and (view.picked or len(view.sentence.words) >= _TURNING_WORDS):
        return 0.75
    if reply.client.known and len(new) >= 3 and len(new) >= len(view.picked):
        return 0.6
    return 0.0


def _copied(reply: Reply, view: SentenceView) -> float:
    """Strength of parroting: the sentence follows the client's own words nearly word for word."""
    lists = reply.cues.lists
    mine = [base(w, lists) for w in view.sentence.words]
    while mine and mine[0] in lists.lead_ins:
        mine = mine[1:]
    if len(mine) < 4 or not view.picked or view.asks or len(mine) > 80:
        return 0.0
    best = 0.0
    for sentence in reply.client.sentences:
        theirs = [base(lists.turned.get(w, w), lists) for w in sentence][:120]
        best = max(best, _common(mine, theirs) / len(mine))
    if len(reply.client.sentences) > 1 and best < 0.85 and len(mine) > 8:
        every = [base(lists.turned.get(w, w), lists) for s in reply.client.sentences for w in s][:200]
        best = max(best, _common(mine, every) / len(mine))
    if best < 0.85 or (len(mine) < 8 and best < 0.99):
        return 0.0
    share = min(1.0, len(view.sentence.words) / max(1, reply.words) + 0.2)
    return round((0.9 if len(mine) >= 7 else 0.6) * share, 2)


def _common(first: list[str], second: list[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for index, other in enumerate(second, start=1):
            diagonal, row[index] = row[index], diagonal + 1 if word == other else max(row[index], row[index - 1])
    return row[-1]


def _summary(reply: Reply) -> list[Finding]:
    for view in reply.views:
        text = view.sentence.text
        parts = text.count(",") + text.count(";") + text.count(" and ") + text.count(" then ")
        if reply.frame("summary", text) and parts >= 2 and len(view.content) >= 2 and not view.has({"advice_without_permission"}):
            return [view.finding("summary", 0.9)]
    return []
