"""Who said what, in order. Plain frozen data shared by every room."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Speaker(StrEnum):
    """The two voices in a session: the trainee sits in the therapist's chair, the client is simulated."""

    CLIENT = "client"
    THERAPIST = "therapist"


class Mark(StrEnum):
    """What whoever produced an utterance knows of it, beyond its words: a simulator knows what its client just asked for.

    Marks help a reader of the conversation; they are never shown, never sent to a model, and a transcript without any is complete.
    """

    ASKS_ABOUT_THERAPIST = "asks_about_therapist"
    ASKS_FOR_CONTACT = "asks_for_contact"
    ASKS_FOR_PROMISE = "asks_for_promise"
    ASKS_FOR_ADVICE = "asks_for_advice"
    ASKS_FOR_MORE = "asks_for_more"
    RISK = "risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One thing said. ``index`` counts all utterances of a session from 0; ``text`` is exactly what was written."""

    index: int
    speaker: Speaker
    text: str
    at: datetime | None = None
    marks: frozenset[Mark] = frozenset()


@dataclass(frozen=True, slots=True)
class Transcript:
    """An ordered conversation. Indices are 0, 1, 2, ... without gaps."""

    utterances: tuple[Utterance, ...] = ()

    def __post_init__(self) -> None:
        for position, utterance in enumerate(self.utterances):
            if utterance.index != position:
                raise ValueError(f"utterance {position} carries index {utterance.index}")

    def __iter__(self) -> Iterator[Utterance]:
        return iter(self.utterances)

    def __len__(self) -> int:
        return len(self.utterances)

    @staticmethod
    def of(said: Iterable[tuple[Speaker | str, str]]) -> Transcript:
        """Build a transcript from (speaker, text) pairs; indices follow the order."""
        return Transcript(tuple(Utterance(index=index, speaker=Speaker(who), text=text) for index, (who, text) in enumerate(said)))

    def then(self, speaker: Speaker, text: str, marks: Iterable[Mark] = ()) -> Transcript:
        """This transcript with one more utterance at the end."""
        return Transcript((*self.utterances, Utterance(index=len(self.utterances), speaker=speaker, text=text, marks=frozenset(marks))))

    def last(self, speaker: Speaker) -> Utterance | None:
        """The most recent utterance of ``speaker``, or None."""
        return next((u for u in reversed(self.utterances) if u.speaker is speaker), None)

    def content_hash(self) -> str:
        """``sha256:`` plus the digest of speakers and texts in order; times do not count. The same words give the same hash."""
        canonical = json.dumps([[u.speaker.value, u.text] for u in self.utterances], ensure_ascii=False, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def last_client_text(context: Sequence[Utterance]) -> str:
    """What the client said last in ``context``; the empty string before the client has spoken."""
    return next((u.text for u in reversed(context) if u.speaker is Speaker.CLIENT), "")
