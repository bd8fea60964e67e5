"""A reply as the patterns see it: lower case, single spaces, cut into sentences, with the way back to the words as typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.evidence import Evidence
from core.replies import CleanText, clean_text
from rubrics.appraiser.words import tokens

MASK = "_"
_END = re.compile(r"(?:[.!?\u2026]+[\"')\]]*(?=\s|$)|\n+|[.!?]{2,})")
_CLAUSE = re.compile(r",\s|;\s|:\s|\s-\s|\s?[\u2013\u2014]\s?|\s\(|\)\s")
_ABBREVIATION = re.compile(r"(?:\b(?:dr|mr|mrs|ms|prof|st|e\.g|i\.e|vs|approx|no)|(?:^|\s)[a-z])\.$")
_LEAD = "-,;:*>\u2013\u2014\u2022"
"""Dashes and bullets before the first word are not part of a sentence."""
_LONG = 22
"""Sentences of more words than this are narrowed to the clauses that hold the match."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the reading copy: ``reading.text[start:end] == text``. ``words`` are its tokens, ``marked``: ends in '?'."""

    text: str
    start: int
    end: int
    words: tuple[str, ...]
    marked: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """The reading copy of a text. ``back[i]`` is the offset in ``clean.text`` of ``text[i]``; ``text`` has masked spans blanked."""

    clean: CleanText
    plain: str
    text: str
    back: tuple[int, ...]
    sentences: tuple[Sentence, ...]

    def evidence(self, start: int, end: int) -> Evidence | None:
        """The words as typed behind ``text[start:end]``; None when nothing visible is left."""
        if start >= end:
            return None
        return self.clean.evidence(self.back[start], self.back[end - 1] + 1)

    def sentence_at(self, position: int) -> Sentence | None:
        """The sentence that holds ``position``; None in a gap between sentences."""
        for sentence in self.sentences:
            if sentence.start <= position < sentence.end:
                return sentence
        return None


def lower_keeping_length(text: str) -> str:
    """Lower case without changing offsets (a few capitals have two lower-case characters; they stay as they are)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := c.lower()) == 1 else c for c in text)


def read(raw: str) -> Reading:
    """Read ``raw`` without masks."""
    clean = clean_text(raw)
    lowered = lower_keeping_length(clean.text)
    characters: list[str] = []
    back: list[int] = []
    for position, character in enumerate(lowered):
        if character.isspace():
            blank = "\n" if character == "\n" else " "
            if characters and characters[-1] in " \n":
                if blank == "\n":
                    characters[-1] = "\n"
                continue
            character = blank
        characters.append(character)
        back.append(position)
    text = "".join(characters)
    return Reading(clean, text, text, tuple(back), _sentences(text))


def masked(reading: Reading, spans: Iterable[tuple[int, int]]) -> Reading:
    """The same reading with letters and digits in ``spans`` blanked, so that no pattern finds them; offsets stay."""
    characters = list(reading.text)
    changed = False
    for start, end in spans:
        for position in range(start, end):
            if characters[position].isalnum():
                characters[position] = MASK
                changed = True
    if not changed:
        return reading
    text = "".join(characters)
    return Reading(reading.clean, reading.plain, text, reading.back, _sentences(text))


def narrowed(sentence: Sentence, start: int, end: int) -> tuple[int, int]:
    """The clause or clauses of ``sentence`` around ``start:end``; the whole sentence when that is short."""
    if len(sentence.words) <= _LONG:
        return sentence.start, sentence.end
    first, last = sentence.start, sentence.end
    for cut in _CLAUSE.finditer(sentence.text):
        here = sentence.start + cut.start()
        if sentence.start + cut.end() <= start:
            first = sentence.start + cut.end()
        elif here >= end:
            last = here
            break
    return first, last


def _sentences(text: str) -> tuple[Sentence, ...]:
    found: list[Sentence] = []
    start = 0
    for match in _END.finditer(text):
        if match.group().startswith(".") and len(match.group()) == 1 and _ABBREVIATION.search(text, max(0, match.end() - 8), match.end()):
            continue
        _add(found, text, start, match.end())
        start = match.end()
    _add(found, text, start, len(text))
    return tuple(found)


def _add(found: list[Sentence], text: str, start: int, end: int) -> None:
    while start < end and (text[start].isspace() or text[start] in _LEAD):
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    body = text[start:end]
    words = tuple(tokens(body))
    if words:
        found.append(Sentence(body, start, end, words, "?" in body[-4:]))
    elif found and body and "?" in body:  # a question mark standing alone belongs to the sentence before it
        last = found[-1]
        found[-1] = Sentence(text[last.start : end], last.start, end, last.words, True)
