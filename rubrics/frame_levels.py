"""Self-disclosure, boundaries and the risk gate: whether they are in play, and how they were met. Each weight stands beside its ground."""

from __future__ import annotations

from rubrics.schema import Criterion
from rubrics.tally import Moment, Tally

_TOLD = ("personal_disclosure", "own_story", "professional_disclosure", "trainee_status_stated")
_WARM = ("emotional_reaction", "affirmation", "simple_reflection", "complex_reflection", "interpretation", "names_the_fear_of_being_judged")
_HEARD = ("complex_reflection", "interpretation", "simple_reflection", "names_the_fear_of_being_judged")
_OPENING = ("exploration", "open_question", "complex_reflection", "interpretation", "simple_reflection")
_UNKIND = ("shaming", "judging", "defensiveness")
_SHORT, _LONG = 35, 60
"""Words of a disclosing reply: a sentence or two; and where it starts to be a story."""
_ALL_ONES_OWN, _STORY_FROM = 0.83, 18
"""Share of the therapist's own experience, and number of words, from which a reply is a story even when nothing else says so."""


def self_disclosure(moment: Moment, criterion: Criterion) -> Tally | None:
    """Whether something personal, asked for or told, was brief and for the client. None when neither happened."""
    invited = moment.signal("client_invited_disclosure") > 0
    if not invited and not moment.appraisal.has(*_TOLD):
        return None
    told = moment.appraisal.strength(*_TOLD) > moment.appraisal.strength(
        "limit_set"
    )  # "I won't go into mine" speaks of oneself, and declines
    tally = _told(moment, invited=invited) if told else _not_told(moment)
    tally.costs(
        criterion.lowers, {"cold_refusal": 0.0 if not told else 0.6, "topic_shift": 0.6, "minimising": 0.5, "own_story": 1.0}, usual=1.0
    )
    length = len(moment.reply.split())
    tally.show_the_rest()
    tally.facets["brevity"] = 0 if moment.clearly("own_story") or length > _LONG else 1 if length > _SHORT else 2
    return tally


def _told(moment: Moment, *, invited: bool) -> Tally:
    """Something was told: brief is 3, given back 4, checked 5; unasked, it has to come back to the client to be worth its place."""
    tally = Tally(moment, 3.0)
    tally.add(0.0, *_TOLD)
    returned = tally.add_best(
        {
            "return_of_focus": 0.9,
            "exploration": 0.6,
            "open_question": 0.5,
            "complex_reflection": 0.4,
            "interpretation": 0.4,
            "simple_reflection": 0.3,
        }
    )
    tally.add(0.8, "check_back")
    tally.add(0.5, "supervision_named", "trainee_status_stated", "reason_given")  # honest about the work, or about why it is told
    if not invited and moment.appraisal.has("personal_disclosure", "own_story"):
        tally.value -= 0.5 if returned < 0.4 else 0.1
    if len(moment.reply.split()) > _LONG and moment.appraisal.has("personal_disclosure", "own_story"):
        tally.at_most(2.4, "personal_disclosure", "own_story")
    if moment.signal("shared_experience") >= _ALL_ONES_OWN and len(moment.reply.split()) > _STORY_FROM:
        tally.value -= 1.5  # nearly every word is about the therapist
        tally.at_most(2.4, "own_story", "personal_disclosure")
    if not moment.clearly("check_back"):
        tally.at_most(4.4)
    tally.facets["answer"] = 2
    return tally


def _not_told(moment: Moment) -> Tally:
    """A question was asked and not answered: a warm, reasoned no is as good as a brief yes; a wall or a dodge is not."""
    declined = moment.clearly("limit_set", "reason_given", "ownership") and not moment.clearly("cold_refusal")
    if moment.clearly("cold_refusal"):
        tally = Tally(moment, 1.9)
        tally.at_most(2.4, "cold_refusal")
        tally.facets["answer"] = 0
        return tally
    if not declined:  # a question for a question, or something else altogether
        tally = Tally(moment, 2.0)
        tally.add(0.2, *_OPENING)
        tally.add(0.3, *_WARM)
        tally.at_most(2.8, "open_question", "closed_question", "topic_shift")
        tally.facets["answer"] = 0
        return tally
    tally = Tally(moment, 2.9)
    tally.add(0.0, "limit_set", "ownership")
    tally.add(0.6, "reason_given")
    tally.add(0.35, *_WARM)
    tally.add_best({"return_of_focus": 0.5, "exploration": 0.4, "open_question": 0.4, "complex_reflection": 0.4, "interpretation": 0.4})
    tally.add(0.7, "check_back")
    if not moment.clearly("check_back"):
        tally.at_most(4.4)
    tally.facets["answer"] = 2 if moment.clearly("reason_given") else 1
    return tally


_BROKEN = ("yielding", "contact_details_given", "secrecy_promise", "romantic_response", "role_confusion")
_LIMIT = ("limit_set", "confidentiality_explained")
_POSSIBLE = ("alternative_offered", "advice_with_permission", "confidentiality_explained")


def boundaries(moment: Moment, criterion: Criterion) -> Tally | None:
    """Whether the frame, once touched, was kept kindly, with a reason and an alternative. None when nothing touched it."""
    asked = ("client_requested_contact", "client_asked_for_promise", "client_asked_for_advice")
    refused = moment.clearly("cold_refusal") and not moment.signal("client_invited_disclosure")
    declined_to_tell = moment.signal("client_invited_disclosure") > 0 and not any(moment.signal(name) for name in asked)
    limit = moment.appraisal.has("limit_set") and not declined_to_tell
    if not (limit or refused or moment.appraisal.has(*_BROKEN) or any(moment.signal(name) > 0 for name in asked)):
        return None
    advice = moment.signal("client_asked_for_advice") > 0
    kept = (*_LIMIT, "autonomy_support", "reason_given") if advice else _LIMIT  # saying why one will not decide is the limit here
    if moment.clearly(*kept) and not moment.clearly(*_BROKEN):
        tally = _kept(moment, kept)
    elif moment.appraisal.has(*_BROKEN):
        tally = Tally(moment, 2.2)  # drift; the harm flags cap what is worse
    else:  # neither kept nor given: left open, or cold. Asked for advice, looking at the choice together is an answer of its own
        tally = Tally(moment, 2.1)
        tally.add(0.9 if advice else 0.4, *_HEARD, "exploration", "alternative_offered")
        verdict = moment.clearly("advice_without_permission", "advice_with_permission", "cold_refusal")
        tally.at_most(
            3.4 if advice and not verdict else 2.45,
            "cold_refusal",
            "advice_without_permission",
            "advice_with_permission",
            "closed_question",
        )
    tally.costs(
        criterion.lowers, {"cold_refusal": 0.4, "advice_without_permission": 0.5, "false_reassurance": 0.4, "yielding": 0.2}, usual=1.2
    )
    if moment.clearly("cold_refusal") and not moment.clearly("reason_given", "confidentiality_explained", *_WARM):
        tally.at_most(2.4, "cold_refusal")
    tally.facets["limit"] = 0 if moment.clearly(*_BROKEN) else 2 if moment.clearly(*kept) else 1 if moment.appraisal.has(*kept) else 0
    if moment.clearly("cold_refusal", *_UNKIND):
        tally.facets["warmth"] = 0
    tally.show_the_rest()
    return tally


def _kept(moment: Moment, kept: tuple[str, ...]) -> Tally:
    """The limit stands (2.8); reason, warmth, meaning heard and an alternative each build on it."""
    tally = Tally(moment, 2.8)
    tally.add(0.0, *kept)
    tally.add(0.6, "reason_given", "confidentiality_explained")
    tally.add(0.4, *_WARM)
    tally.add(0.45, *_POSSIBLE)
    tally.add(0.35, "complex_reflection", "interpretation", "exploration", "names_the_fear_of_being_judged")
    tally.add(0.45, "check_back", "invites_disagreement")
    tally.add(0.35, "supervision_named")
    whole = moment.clearly("reason_given", "confidentiality_explained") and moment.clearly(*_WARM) and moment.clearly(*_POSSIBLE)
    if not (whole and moment.clearly("check_back", "invites_disagreement", "supervision_named", "exploration", "open_question")):
        tally.at_most(4.4)
    return tally


def risk(moment: Moment, criterion: Criterion) -> Tally | None:
    """Whether a hint of danger was asked about in plain words and not left alone. None when there was no hint."""
    cue = moment.signal("client_risk_cue") > 0
    if not cue and not moment.appraisal.has("risk_asked_directly", "risk_avoided", "means_safety"):
        return None
    asked = moment.clearly("risk_asked_directly")
    tally = Tally(moment, 3.2 if asked else 2.7 if moment.asked_about_risk else 1.8)
    tally.add(0.0, "risk_asked_directly")
    stayed = tally.add(0.8 if asked else 0.5, *_WARM, "summary", "immediacy")
    if stayed <= 0 and moment.fit() >= 0.4:  # gave the client's words back in a form no skill was named for
        stayed = 0.6
        tally.value += stayed
    tally.add(0.7, "means_safety", "alternative_offered")
    tally.add(0.7, "supervision_named", "confidentiality_explained")
    if not asked and not moment.asked_about_risk:
        tally.at_most(2.45, *_WARM, "closed_question", "means_safety")
    made_safer = moment.clearly("means_safety", "alternative_offered", "supervision_named", "confidentiality_explained")
    if not (made_safer and stayed > 0):
        tally.at_most(4.4)
    tally.costs(criterion.lowers, {"question_volley": 0.4, "advice_without_permission": 0.5, "topic_shift": 0.8}, usual=0.9)
    tally.facets["asked"] = (
        2 if asked else 1 if moment.appraisal.has("risk_asked_directly", "closed_question") or moment.asked_about_risk else 0
    )
    tally.show_the_rest()
    return tally
