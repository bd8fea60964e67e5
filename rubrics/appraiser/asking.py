"""Questions: which sentences ask, how open they are, and whether they come in a volley."""

from __future__ import annotations

from rubrics.appraiser.findings import Finding, Reply, SentenceView

_NOT_ASKING = frozenset({"advice_without_permission", "advice_with_permission", "shaming", "defensiveness", "minimising", "check_back", "yielding"})
_LONG_UNMARKED = 18


def mark_questions(reply: Reply) -> None:
    """Set ``asks``, ``stock`` and ``tag`` on every sentence."""
    for view in reply.views:
        text = view.sentence.text
        view.tag = reply.frame("tentative_tag", text)
        view.asks = _asks(reply, view, text)
        view.stock = bool(view.asks) and reply.frame("stock_question", text)


def _asks(reply: Reply, view: SentenceView, text: str) -> str:
    wondering = reply.frame("invitation", text) or reply.frame("indirect_question", text)
    if not view.sentence.marked:
        if wondering:
            return "open"
        if len(view.sentence.words) <= _LONG_UNMARKED and reply.frame("unmarked_question", text):
            return "closed" if reply.frame("closed_forms", text) or not reply.frame("wh_question", text) else "open"
        return ""
    if view.tag and not reply.frame("wh_question", text):
        return ""  # 'Humiliation, maybe, or is that too strong?' gives something back and asks to be corrected
    if reply.frame("rhetorical", text) and not reply.frame("wh_question", text):
        return ""
    inverted = reply.frame("inverted", text)
    if not inverted and reply.frame("reflecting_frame", text) and not reply.frame("wh_question", text):
        return ""  # 'It sounds as if it was lonely?' is a reflection with a rising voice
    if reply.frame("closed_forms", text) and not wondering:
        return "closed"
    if wondering or reply.frame("wh_question", text):
        return "open"
    return "closed"


def asking_findings(reply: Reply) -> list[Finding]:
    """Open and closed questions, exploration and volleys."""
    found: list[Finding] = []
    asking: list[int] = []
    for index, view in enumerate(reply.views):
        if not view.asks:
            continue
        asking.append(index)
        if view.has(_NOT_ASKING):
            continue
        if view.asks == "closed":
            found.append(view.finding("closed_question", 0.8))
            continue
        found.append(view.finding("open_question", 0.5 if view.stock else 0.85))
        strength = _exploring(reply, index)
        if strength and not view.has({"judging"}):
            found.append(view.finding("exploration", strength))
    found.extend(_volley(reply, asking))
    return found


def _exploring(reply: Reply, index: int) -> float:
    """How specifically the open question at ``index`` opens this client's experience; 0.0 when it would fit anyone."""
    view = reply.views[index]
    if view.stock:
        return 0.0
    text = view.sentence.text
    if view.picked:
        return 0.9
    carried = index > 0 and bool(reply.views[index - 1].picked)
    if reply.frame("specific_moment", text):
        return 0.85 if view.content or carried or reply.frame("deictic", text) else 0.7
    if not reply.frame("points_to_client", text):
        return 0.0
    if carried or len(view.content) >= 2 or view.feelings:
        return 0.6
    return 0.5 if view.content else 0.0


def _volley(reply: Reply, asking: list[int]) -> list[Finding]:
    if any(reply.views[i].has({"risk_asked_directly", "means_safety"}) for i in asking) and len(asking) < 4:
        return []  # asking about suicide and then about a plan is care, not a volley
    if len(asking) >= 3:
        strength = 0.9
    elif len(asking) == 2 and asking[1] - asking[0] == 1 and not reply.frame("permission", reply.views[asking[1]].sentence.text):
        strength = 0.6
    else:
        return []
    first, last = reply.views[asking[0]].sentence, reply.views[asking[-1]].sentence
    return [Finding("question_volley", strength, first.start, last.end)]
