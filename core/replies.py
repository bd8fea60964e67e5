"""What a person may type as a reply, and how it is read. The words are kept as written; reading happens on a cleaned copy.

One gate serves the page, the command line and the worker, so that the same input gets the same message everywhere.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from core.errors import InvalidInput
from core.evidence import Evidence

MAX_REPLY_CHARACTERS = 4000
"""Longest reply, in characters. About 700 words: ten times a long therapist turn, and far below any cost or memory risk."""

# Invisible characters that can hide text from a reader or smuggle it to a model: Unicode tags, zero-width and bidi controls,
# variation selectors. Zero-width joiner and variation selectors inside emoji are dropped from the cleaned copy only.
_INVISIBLE = {
    *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF, 0x00AD, 0x061C, 0x180E,
    *range(0xFE00, 0xFE10), *range(0xE0000, 0xE0080), *range(0xE0100, 0xE01F0),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CleanText:
    """A cleaned copy of a text with the way back: ``origin[i]`` is the (start, end) span of ``text[i]`` in ``raw``."""

    raw: str
    text: str
    origin: tuple[tuple[int, int], ...]

    def evidence(self, start: int, end: int) -> Evidence | None:
        """The raw words behind ``text[start:end]``, trimmed of white space; None when nothing visible is left."""
        while start < end and self.text[start].isspace():
            start += 1
        while end > start and self.text[end - 1].isspace():
            end -= 1
        if start >= end:
            return None
        raw_start, raw_end = self.origin[start][0], self.origin[end - 1][1]
        return Evidence(quote=self.raw[raw_start:raw_end], start=raw_start, end=raw_end)


def clean_text(raw: str) -> CleanText:
    """NFKC, curly quotes made plain, invisible and control characters dropped, line ends kept; with offsets back to ``raw``."""
    if raw.isascii() and raw.isprintable():  # the common case needs no table
        return CleanText(raw, raw, tuple((i, i + 1) for i in range(len(raw))))
    characters: list[str] = []
    origin: list[tuple[int, int]] = []
    position = 0
    while position < len(raw):
        end = position + 1
        while end < len(raw) and unicodedata.combining(raw[end]):
            end += 1
        for character in unicodedata.normalize("NFKC", raw[position:end]):
            code = ord(character)
            if code in _INVISIBLE or 0xD800 <= code <= 0xDFFF:
                continue
            if character in "\u2018\u2019\u02bc":
                character = "'"
            elif character in "\u201c\u201d":
                character = '"'
            elif unicodedata.category(character) == "Cc":
                if character not in "\n\r\t":
                    continue
                character = "\n" if character == "\n" else " "
            characters.append(character)
            origin.append((position, end))
        position = end
    return CleanText(raw, "".join(characters), tuple(origin))


def has_words(text: str) -> bool:
    """Whether there is at least one letter or digit in any script: emoji and punctuation alone carry no words to score."""
    return any(character.isalnum() for character in text)


def accept_reply(raw: str) -> str:
    """The reply as it will be stored, or ``InvalidInput`` saying what to change.

    Only NUL and lone surrogates, which no database or file can hold, are removed; everything else is kept as written.
    """
    kept = "".join(c for c in raw if c != "\x00" and not 0xD800 <= ord(c) <= 0xDFFF)
    if not clean_text(kept).text.strip():
        raise InvalidInput("There is nothing to send yet. Write a reply first.")
    if len(kept) > MAX_REPLY_CHARACTERS:
        raise InvalidInput(
            f"This reply is {len(kept):,} characters long; the limit is {MAX_REPLY_CHARACTERS:,}. "
            "Nothing was sent and your words are kept. Shorten it and send it again."
        )
    return kept
