"""Exact quotations. A score or a feedback line may only stand on words that are found, character by character, where it says."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

# Typographic variants that people and models exchange without noticing; each maps to one plain character.
_PLAIN = {
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u02bc": "'", "\u0060": "'", "\u00b4": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"',
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A span of somebody's words: ``text[start:end] == quote`` for the text it was located in."""

    quote: str
    start: int
    end: int

    def holds_in(self, text: str) -> bool:
        """Whether the quotation stands at its offsets in ``text``. Checked again wherever evidence is shown."""
        return 0 <= self.start < self.end <= len(text) and text[self.start : self.end] == self.quote


def _fold(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Fold ``text`` for comparison; the second value gives, per folded character, the original span it came from.

    Folding: compatibility decomposition (which also bridges Hangul syllables and their letters), case, quote and dash variants,
    whitespace runs to one space; format characters (zero-width, bidi) vanish.
    """
    folded: list[str] = []
    spans: list[tuple[int, int]] = []
    position = 0
    while position < len(text):
        end = position + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1  # a base letter and its combining marks are compared as one composed unit
        cluster = text[position:end]
        if unicodedata.category(cluster[0]) == "Cf":
            cluster = cluster[1:]
        plain = unicodedata.normalize("NFKD", "".join(_PLAIN.get(c, c) for c in cluster)).casefold()
        for character in unicodedata.normalize("NFKD", plain):
            if character.isspace():
                if folded and folded[-1] == " ":
                    spans[-1] = (spans[-1][0], end)
                    continue
                character = " "
            folded.append(_PLAIN.get(character, character))
            spans.append((position, end))
        position = end
    return "".join(folded), spans


def locate_quote(quote: str, text: str) -> Evidence | None:
    """Find ``quote`` in ``text`` and return the exact original span, or None when it does not occur.

    Differences in whitespace, letter case, composed or compatibility Unicode forms, quote and dash style and invisible
    format characters are bridged; a different word is not. The returned quote is always ``text[start:end]``, never the
    caller's spelling. The first occurrence wins.
    """
    exact = text.find(quote) if quote.strip() else -1
    if exact >= 0:
        return Evidence(quote=quote, start=exact, end=exact + len(quote))
    needle, _ = _fold(quote.strip())
    needle = needle.strip()
    if not needle:
        return None
    haystack, spans = _fold(text)
    found = haystack.find(needle)
    while found >= 0:
        last = found + len(needle) - 1
        whole = (found == 0 or spans[found - 1] != spans[found]) and (last + 1 == len(spans) or spans[last + 1] != spans[last])
        if whole:  # not half of an accented letter or a ligature
            start, end = spans[found][0], spans[last][1]
            return Evidence(quote=text[start:end], start=start, end=end)
        found = haystack.find(needle, found + 1)
    return None
