"""What the reply answers: the client's last words, their content and their weight, and how the therapist opened before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.transcript import Mark, Speaker, Utterance, last_client_text
from rubrics.appraiser.cues import Cues, Lists
from rubrics.appraiser.reading import read
from rubrics.appraiser.words import stem

_MOST_CHARACTERS = 4000
"""Only the end of a longer client text is read: the last words are what a reply answers, and time stays bounded."""
_EARLIER_TURNS = 12
_CUE_SIGNALS = {
    "client_invited_disclosure": "invited_disclosure",
    "client_requested_contact": "requested_contact",
    "client_asked_for_promise": "asked_for_promise",
    "client_asked_for_advice": "asked_for_advice",
    "client_risk_cue": "risk_cue",
}
_CUE_OF_MARK = {
    Mark.ASKS_ABOUT_THERAPIST: "invited_disclosure",
    Mark.ASKS_FOR_CONTACT: "requested_contact",
    Mark.ASKS_FOR_PROMISE: "asked_for_promise",
    Mark.ASKS_FOR_ADVICE: "asked_for_advice",
    Mark.ASKS_FOR_MORE: "requested_frame",
    Mark.RISK: "risk_cue",
}
"""A mark stands for a cue the words alone may not show; where there are no marks the patterns are all there is."""
_ASKED_LATELY = 2


@dataclass(frozen=True, slots=True)
class ClientWords:
    """The client's side of the context. ``content``: stems of the last words; ``known``: of all recent client words.

    ``risk_spoken``: some recent client turn held a cue of death or hopelessness; ``risk_asked``: one of the last two replies took
    it up already. ``heavy``: the last words ask to be taken up.
    """

    text: str
    sentences: tuple[tuple[str, ...], ...]
    content: frozenset[str]
    known: frozenset[str]
    feelings: frozenset[str]
    hinted: frozenset[str]
    cues: Mapping[str, bool]
    openers: tuple[tuple[str, ...], ...]
    risk_spoken: bool
    risk_asked: bool
    heavy: bool

    def signals(self) -> dict[str, float]:
        """The client cues that are published, each 0.0 or 1.0."""
        return {name: float(self.cues[cue]) for name, cue in _CUE_SIGNALS.items()}


def base(word: str, lists: Lists) -> str:
    """The form in which two words are compared: irregular forms resolved, then stemmed."""
    plain = word.removesuffix("'s")
    return stem(lists.irregular.get(plain, plain))


def content(words: Sequence[str], lists: Lists) -> frozenset[str]:
    """Stems of the words that carry content: not function words, not the thin vocabulary that fits everybody."""
    return frozenset(base(w, lists) for w in words if w not in lists.stop and w not in lists.thin and len(w) > 1)


def uptake(words: Sequence[str], lists: Lists) -> frozenset[str]:
    """Stems of all words that are not function words: the thin vocabulary counts as taken up when the client used it first."""
    return frozenset(base(w, lists) for w in words if w not in lists.stop and len(w) > 1)


def feelings(words: Sequence[str], lists: Lists) -> frozenset[str]:
    """Families of the feelings named in ``words``."""
    return frozenset(family for w in words if (family := lists.feelings.get(w)))


def client_words(context: Sequence[Utterance], cues: Cues) -> ClientWords:
    """Read the client's side of ``context`` (oldest first)."""
    lists = cues.lists
    last = read(last_client_text(context)[-_MOST_CHARACTERS:])
    words = [w for s in last.sentences for w in s.words]
    recent = context[-_EARLIER_TURNS:]
    risk_spoken = False
    known = set(uptake(words, lists))
    for utterance in recent:
        if utterance.speaker is Speaker.CLIENT:
            said = read(utterance.text[-_MOST_CHARACTERS:])
            known |= uptake([w for s in said.sentences for w in s.words], lists)
            risk_spoken = risk_spoken or Mark.RISK in utterance.marks or cues.client["risk_cue"].search(said.text) is not None
    openers = tuple(opening(read(u.text[:200]).sentences[0].words) for u in recent if u.speaker is Speaker.THERAPIST and read(u.text[:200]).sentences)
    found = {name: pattern.search(last.text) is not None for name, pattern in cues.client.items()}
    found["risk_cue"] = found["risk_cue"] and not found["innocent_risk"]
    for mark in next((u.marks for u in reversed(context) if u.speaker is Speaker.CLIENT), frozenset()):
        found[_CUE_OF_MARK[mark]] = True
    asked_before = [u.text[:_MOST_CHARACTERS] for u in recent if u.speaker is Speaker.THERAPIST][-_ASKED_LATELY:]
    named, hinted = feelings(words, lists), frozenset(family for w in words if (family := lists.hints.get(w)))
    return ClientWords(
        text=last.text,
        sentences=tuple(s.words for s in last.sentences),
        content=uptake(words, lists),
        known=frozenset(known),
        feelings=named,
        hinted=hinted,
        cues=found,
        openers=openers,
        risk_spoken=risk_spoken,
        risk_asked=any(cues.frames["takes_up_risk"].search(read(text).text) for text in asked_before),
        heavy=found["heavy"] or found["risk_cue"] or bool((named | hinted) - lists.pleasant),
    )


def opening(words: Sequence[str]) -> tuple[str, ...]:
    """The first three words: what a listener hears as *the same beginning again*."""
    return tuple(words[:3])
