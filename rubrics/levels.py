"""Empathy and authenticity: from what was seen in a reply to a value between 1 and 5. Each weight stands beside its ground."""

from __future__ import annotations

from rubrics.schema import Criterion
from rubrics.tally import Moment, Tally

# Understanding put into words is the core of the scale: giving back what was said reaches 3, adding what was underneath reaches 4.
_UNDERSTANDING = {
    "complex_reflection": 2.0,
    "interpretation": 2.0,
    "names_the_fear_of_being_judged": 1.8,
    "simple_reflection": 1.2,
    "summary": 1.2,
    "ownership": 0.9,  # to a hurt client, admitting it is the understanding
    "risk_asked_directly": 1.0,  # asking plainly takes the hint up
    "exploration": 0.9,  # one exact question shows what was heard
}
# Without understanding in words there is still kindness, and room.
_KIND = {
    "silence_held": 0.7,
    "immediacy": 0.7,
    "emotional_reaction": 0.6,
    "affirmation": 0.5,
    "open_question": 0.4,
    "exploration": 0.5,
    "invites_disagreement": 0.3,
}
_EMPATHY_COSTS = {
    "advice_without_permission": 1.0,
    "question_volley": 0.7,
    "parroting": 0.5,
    "formula": 0.5,
    "swap_test_failure": 0.4,
    "praise_inflation": 0.6,
    "telling_the_client_what_they_feel": 1.0,
    "cold_refusal": 0.7,
}
# Anchor 1 is about arguing, judging, waving away and answering something else. Clumsy kindness alone does not fall below anchor 2;
# bare advice does, advice after a kind word does not.
_CLUMSY = ("question_volley", "parroting", "formula", "swap_test_failure", "praise_inflation")
_CLUMSY_LEAST = 1.6
_DEEPER = ("complex_reflection", "interpretation", "names_the_fear_of_being_judged")
_UNDERSTOOD = (*_DEEPER, "simple_reflection", "summary", "exploration", "ownership", "risk_asked_directly")
_STOCK = ("formula", "swap_test_failure")
_FEW_WORDS = 32
_TOO_MANY_WORDS = 120


def empathy(moment: Moment, criterion: Criterion) -> Tally | None:
    """Start at general kindness (2), add what was understood, warmth and one opening; take off what cost. None before anyone spoke."""
    if not moment.client_has_spoken or (moment.only_greets and moment.opens_the_session):
        return None
    # some kindness and some interest are anchor 2; a reply with neither starts lower (channels er and ex are 0-2 each)
    stock = moment.clearly(*_STOCK, "praise_inflation")  # whose warmth is a phrase
    kindness = 0.0 if stock else 0.2 * min(2.0, moment.signal("er"))
    tally = Tally(moment, 1.6 + kindness + 0.15 * min(2.0, moment.signal("ex")))
    fit = moment.fit()
    understood = moment.clearly(*_UNDERSTOOD) and not (fit < 0.15 and moment.only_asks)
    if understood:
        tally.value = max(tally.value, 1.9)
        tally.add_best(_UNDERSTANDING, scale=0.75 + 0.25 * fit)  # depth that does not meet the client's words is worth less
        tally.add(0.25, "emotional_reaction", "affirmation")
        tally.add(0.25, "exploration", "open_question", "risk_asked_directly")
        tally.add(0.15, "autonomy_support")
        if moment.signal("feeling_match") >= 0.75 and not moment.clearly(*_DEEPER):
            tally.value += 0.5  # asked or said with the very feeling in it
    else:
        tally.add_best(_KIND)
        tally.value += 0.6 * fit  # near what was said, though nothing of it was given back in a form that could be named
    if moment.clearly(*_DEEPER):
        _add_what_lands(tally, fit)
    cost = tally.costs(criterion.lowers, _EMPATHY_COSTS, usual=1.3)
    clumsy = {*_CLUMSY, "advice_without_permission"} if kindness >= 0.1 else {*_CLUMSY}
    if cost and not moment.appraisal.has(*(set(criterion.lowers) - clumsy)):
        tally.value = max(tally.value, _CLUMSY_LEAST)
    _cap_empathy(tally, fit, cost, understood=understood)
    tally.facets["fit"] = 0 if moment.clearly("topic_shift") else 2 if fit >= 0.4 else 1 if fit >= 0.15 else 0
    tally.show_the_rest()
    return tally


def _add_what_lands(tally: Tally, fit: float) -> None:
    """Depth that is tentative, and depth in few words, is worth more than depth alone."""
    moment = tally.moment
    tally.add(0.25, "invites_disagreement")
    # what a disclosure or a limit adds in words is scored elsewhere and must not cost this reply its economy
    elsewhere = ("personal_disclosure", "own_story", "professional_disclosure", "trainee_status_stated", "limit_set", "reason_given")
    if moment.words_outside(*elsewhere) <= _FEW_WORDS and fit >= 0.4:
        tally.value += 0.35


def _cap_empathy(tally: Tally, fit: float, cost: float, *, understood: bool) -> None:
    """What a reply cannot reach, however much else is in it."""
    moment = tally.moment
    if moment.clearly(*_STOCK) and not understood:
        tally.at_most(2.4, *_STOCK)
    if not understood and not moment.clearly("silence_held"):
        warm_about_this = moment.appraisal.strength("emotional_reaction") >= 0.8 and fit >= 0.3
        tally.at_most(3.0 if warm_about_this or fit >= 0.6 else 2.45)
    if cost >= 0.5:
        tally.at_most(3.4)  # a real cost and depth in one breath do not add up to 4
    if len(moment.reply.split()) > _TOO_MANY_WORDS:
        tally.at_most(3.4)


_AUTHENTICITY_COSTS = {
    "formula": 1.4,
    "swap_test_failure": 0.9,
    "parroting": 0.4,
    "yielding": 0.5,
    "judging": 0.7,
    "cold_refusal": 1.0,
    "defensiveness": 2.0,
    "false_reassurance": 1.8,
    "praise_inflation": 1.5,
}
_HONEST = ("ownership", "trainee_status_stated", "supervision_named", "limit_set", "confidentiality_explained")
_CONTACT = ("immediacy", "names_the_fear_of_being_judged", "invites_disagreement", "check_back")


def authenticity(moment: Moment, criterion: Criterion) -> Tally | None:
    """Start at plain and adequate (3); honesty and here-and-now contact raise, stock phrases and pretending lower.

    Nothing is added for being personal (disclosures are scored elsewhere). None for a greeting.
    """
    if moment.only_greets and moment.opens_the_session:
        return None
    tally = Tally(moment, 3.0)
    honest = tally.add_best(
        {"ownership": 1.1, "trainee_status_stated": 0.9, "supervision_named": 0.5, "limit_set": 0.5, "confidentiality_explained": 0.5}
    )
    contact = tally.add_best({"immediacy": 1.2, "names_the_fear_of_being_judged": 0.9, "check_back": 0.5})
    if honest > 0.3 or contact > 0.3:
        tally.add(0.5, "invites_disagreement", "exploration")  # honest, and curious what it is like for the other
    if moment.clearly("complex_reflection", "interpretation") and moment.fit() >= 0.4:
        tally.add(0.4, "complex_reflection", "interpretation")  # words that only this client could have got
    cost = tally.costs(criterion.lowers, _AUTHENTICITY_COSTS, usual=1.5)
    tally.value -= 0.3 * min(2.0, moment.signal("formula_repeats"))
    if moment.clearly(*_STOCK) and not moment.clearly(*_HONEST, *_CONTACT):
        tally.at_most(2.4, *_STOCK)
    if cost >= 0.5:
        tally.at_most(3.4)
    if not (honest > 0.3 and contact > 0.3) and contact < 0.9:
        tally.at_most(4.4)
    stock = moment.appraisal.strength(*_STOCK)
    tally.facets["own_voice"] = 0 if stock >= 0.5 else 2 if moment.fit() >= 0.3 else 1
    if moment.clearly("defensiveness"):
        tally.facets["openness"] = 0
    tally.show_the_rest()
    return tally


def by_facets(moment: Moment, criterion: Criterion) -> Tally:
    """For criteria that only a rubric file knows: the mean of the facets carries from 1.5 to 5, what lowers is taken off."""
    tally = Tally(moment, 1.5)
    share = 3.5 / len(criterion.facets)
    for facet in criterion.facets:
        if facet.skills:
            tally.add(share, *facet.skills)
        else:
            tally.value += share * moment.fit()
            tally.facets[facet.id] = 2 if moment.fit() >= 0.4 else 1 if moment.fit() >= 0.15 else 0
    tally.costs(criterion.lowers, {}, usual=1.2)
    tally.show_the_rest()
    return tally
