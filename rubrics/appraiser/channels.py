"""Continuous measures of a reply: uptake of the client's words and the three EPITOME channels (0-2 each)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from rubrics.appraiser.cues import Channel
from rubrics.appraiser.findings import Finding, Reply, SentenceView
from rubrics.appraiser.fitting import formula_repeats
from rubrics.appraiser.selfhood import residual_first_person

_UPTAKE_WORDS = 6
"""Taking up so many of the client's content words counts as full uptake: nobody gives back a whole page."""


_IP_LEVELS = ((0.0, 0.0), (0.69, 0.45), (1.0, 1.5), (6.0, 2.0))
"""Own experience to EPITOME's interpretation level. One passing *I* (0.69) stays below level 1; a told sentence reaches level 2."""
_ASIDE = 0.1


def pickup(reply: Reply) -> float:
    """Share (0-1) of the client's last content words taken up; six are enough for 1.0."""
    if not reply.client.content:
        return 0.0
    return min(1.0, len(reply.picked & reply.client.content) / min(_UPTAKE_WORDS, len(reply.client.content)))


def feeling_match(reply: Reply) -> float:
    """1.0 when a feeling the client named is named, 0.75 for one they hinted at, 0.4 for another painful one, else 0.0."""
    if reply.feelings & reply.client.feelings:
        return 1.0
    if reply.feelings & reply.client.hinted:
        return 0.75
    return 0.4 if reply.feelings - reply.cues.lists.pleasant else 0.0


def emotional_reaction(reply: Reply) -> float:
    """EPITOME emotional reaction, 0-2."""
    return _weighted(reply, reply.cues.er)


def shared_experience(reply: Reply) -> float:
    """How much of the reply is the speaker's own experience, 0-1."""
    return 1.0 - math.exp(-0.7 * _own_experience(reply))


def _own_experience(reply: Reply) -> float:
    """Unbounded measure: the speaker left after empathic and asking uses of *I*, sentences that tell, and clear disclosures."""
    residual = sum(residual_first_person(reply, v.sentence.text) for v in reply.views)
    telling = sum(1 for v in reply.views for group in reply.cues.shared if _matches(group, v))
    disclosed = sum(1 for v in reply.views if "personal_disclosure" in v.skills)
    return math.log1p(residual) + min(telling, 3) + 0.3 * min(disclosed, 2)


def understanding(found: Iterable[Finding]) -> float:
    """How far the reply puts understanding into words, 0-1."""
    strengths: dict[str, float] = {}
    for finding in found:
        strengths[finding.skill] = max(strengths.get(finding.skill, 0.0), finding.strength)
    return min(
        1.0,
        max(
            strengths.get("interpretation", 0.0),
            0.8 * strengths.get("complex_reflection", 0.0),
            0.5 * strengths.get("simple_reflection", 0.0),
            0.6 * strengths.get("summary", 0.0),
        ),
    )


def exploration(reply: Reply) -> float:
    """EPITOME exploration, 0-2: exactly 0 without a question or an invitation."""
    best = 0.0
    for view in reply.views:
        if not view.asks:
            continue
        if view.has({"advice_without_permission"}):
            level = 0.5
        elif view.stock:
            level = 1.2
        elif view.asks == "open":
            level = 1.8
        else:
            level = 1.6
        if len(view.sentence.words) < _ASIDE * reply.words:
            level *= 0.25  # a question in passing at the end of a speech
        best = max(best, level)
    return best


def signals(reply: Reply, found: list[Finding], *, instruction_like: float) -> dict[str, float]:
    """All published signals."""
    shared = shared_experience(reply)
    understood = understanding(found)
    return {
        "words": float(reply.words),
        "questions": float(sum(1 for v in reply.views if v.asks)),
        "pickup": pickup(reply),
        "feeling_match": feeling_match(reply),
        "formula_repeats": float(formula_repeats(reply)),
        "instruction_like": instruction_like,
        **reply.client.signals(),
        "er": emotional_reaction(reply),
        "ip": max(_interpolate(_own_experience(reply), _IP_LEVELS), 0.45 * understood),
        "ex": exploration(reply),
        "understanding": understood,
        "shared_experience": shared,
    }


def _weighted(reply: Reply, groups: Iterable[Channel]) -> float:
    best, others = 0.0, 0.0
    for view in reply.views:
        for group in groups:
            if _matches(group, view):
                others += min(best, group.weight)
                best = max(best, group.weight)
    return min(2.0, best + 0.05 * others)


def _matches(group: Channel, view: SentenceView) -> bool:
    if group.asks != "either" and (group.asks == "yes") != bool(view.asks):
        return False
    text = view.sentence.text
    return group.when.search(text) is not None and not (group.unless is not None and group.unless.search(text))


def _interpolate(value: float, points: tuple[tuple[float, float], ...]) -> float:
    """Piecewise linear through ``points`` (x, y), constant beyond them."""
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if value <= x1:
            return y0 + (y1 - y0) * (max(value, x0) - x0) / (x1 - x0)
    return points[-1][1]
