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


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One thing said. ``index`` counts all utterances of a session from 0; ``text`` is exactly what was written."""

    index: int
    speaker: Speaker
    text: str
    at: datetime | None = None


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
        return Transcript(tuple(Utterance(index=index, speaker=Speaker(speaker), text=text) for index, (speaker, text) in enumerate(said)))

    def last(self, speaker: Speaker) -> Utterance | None:
        """The most recent utterance of ``speaker``, or None."""
        return next((u for u in reversed(self.utterances) if u.speaker is speaker), None)

    def by(self, speaker: Speaker) -> tuple[Utterance, ...]:
        """All utterances of ``speaker``, in order."""
        return tuple(u for u in self.utterances if u.speaker is speaker)

    def content_hash(self) -> str:
        """``sha256:`` plus the digest of speakers and texts in order; times do not count. The same words give the same hash."""
        canonical = json.dumps([[u.speaker.value, u.text] for u in self.utterances], ensure_ascii=False, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def last_client_text(context: Sequence[Utterance]) -> str:
    """What the client said last in ``context``; the empty string before the client has spoken."""
    return next((u.text for u in reversed(context) if u.speaker is Speaker.CLIENT), "")
