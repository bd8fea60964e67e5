"""The therapist's own self: personal disclosure, stories that take over, and giving the focus back."""

from __future__ import annotations

from rubrics.appraiser.findings import Finding, Reply, SentenceView

_NOT_OWN_LIFE = frozenset(
    [
        "immediacy",
        "ownership",
        "defensiveness",
        "yielding",
        "professional_disclosure",
        "supervision_named",
        "trainee_status_stated",
        "limit_set",
        "confidentiality_explained",
    ]
)
_STORY_WORDS = 45
_SHORT_STORY_WORDS = 18
_STORY_SELF = 3
"""A story names its teller at least so often, beyond the empathic and asking uses of *I*."""


def disclosure_findings(reply: Reply) -> list[Finding]:
    """Personal disclosure sentence by sentence, and the story as a whole. Runs before reflections are looked for."""
    found: list[Finding] = []
    for view in reply.views:
        strength = _discloses(reply, view)
        if strength:
            found.append(view.finding("personal_disclosure", strength))
    return found


def residual_first_person(reply: Reply, text: str) -> int:
    """How often the speaker is left in ``text`` once empathic, asking and frame uses of *I* are taken away."""
    rest = reply.cues.frames["harmless_i"].sub(" ", text)
    return len(reply.cues.frames["first_person"].findall(rest))


def _discloses(reply: Reply, view: SentenceView) -> float:
    text = view.sentence.text
    if view.asks or view.has({"romantic_response", "contact_details_given"}):
        return 0.0
    narrative = reply.frame("narrative", text)
    blocked = reply.frame("narrative_blocked", text)
    if narrative and not blocked and (not view.has(_NOT_OWN_LIFE) or residual_first_person(reply, text) >= 2):
        return 0.9
    if view.has(_NOT_OWN_LIFE) or blocked:
        return 0.0
    residual = residual_first_person(reply, text)
    if reply.client.cues["invited_disclosure"] and residual and view.sentence.words[0] in reply.cues.lists.answering:
        return 0.8
    return 0.5 if residual >= 3 else 0.0


def story_findings(reply: Reply) -> list[Finding]:
    """The own story, and the return to the client after something about oneself or a limit."""
    found: list[Finding] = []
    told = [i for i, v in enumerate(reply.views) if "personal_disclosure" in v.skills]
    open_about = {"trainee_status_stated", "limit_set"} | ({"professional_disclosure"} if reply.client.cues["invited_disclosure"] else set())
    professional = [i for i, v in enumerate(reply.views) if v.has(open_about)]
    spoken_of_self = told or professional
    returned = _returns(reply, spoken_of_self)
    if returned is not None:
        found.append(returned)
    if told:
        about_self = sum(len(reply.views[i].sentence.words) for i in told) + _carried(reply, told)
        half = about_self * 2 > reply.words
        own = sum(residual_first_person(reply, reply.views[i].sentence.text) for i in told)
        if own >= _STORY_SELF and (about_self > _STORY_WORDS or (half and about_self >= _SHORT_STORY_WORDS and returned is None)):
            first, last = reply.views[told[0]].sentence, reply.views[told[-1]].sentence
            strength = 0.95 if returned is None else 0.6
            found.append(Finding("own_story", strength, first.start, last.end))
            reply.views[told[0]].skills.add("own_story")
    return found


def _carried(reply: Reply, told: list[int]) -> int:
    """Words of sentences that only carry the story on: between or right after told ones, and without the client in them."""
    carried = 0
    for index, view in enumerate(reply.views):
        if index not in told and told[0] < index <= told[-1] + 1 and reply.cues.lists.second_person.isdisjoint(view.sentence.words) and not view.asks:
            carried += len(view.sentence.words)
    return carried


def _returns(reply: Reply, spoken_of_self: list[int]) -> Finding | None:
    if not spoken_of_self and not reply.client.cues["invited_disclosure"]:
        return None
    for index, view in enumerate(reply.views):
        text = view.sentence.text
        cold = reply.frame("refusal", text) and not reply.frame("warmth_in_refusal", text)
        if reply.frame("returning", text) and not cold and (index not in spoken_of_self or len(view.sentence.words) > 7):
            return view.finding("return_of_focus", 0.9)
    if not spoken_of_self:
        return None
    for view in reply.views[spoken_of_self[0] + 1 :]:
        if view.has({"personal_disclosure", "advice_without_permission", "limit_set"}):
            continue
        if view.asks and not reply.cues.lists.second_person.isdisjoint(view.sentence.words):
            return view.finding("return_of_focus", 0.75)
        if "personal_disclosure" in reply.skills() and view.picked and not reply.cues.lists.second_person.isdisjoint(view.sentence.words):
            return view.finding("return_of_focus", 0.65)
    return None
