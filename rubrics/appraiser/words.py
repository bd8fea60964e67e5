"""Words as the appraiser compares them: tokens and light stems. Comparing is all they are for; nobody is shown a stem."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_SUFFIXES = ("edly", "ness", "ing", "ies", "ied", "ed", "es", "ly", "er", "s")
_DOUBLED = re.compile(r"([bdfgkmnprtvz])\1$")


def tokens(text: str) -> list[str]:
    """The words of lower-cased ``text``; contractions stay whole."""
    return _TOKEN.findall(text)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A crude stem, good enough to see that *sleeping*, *sleeps* and *sleep* are one word."""
    if word.endswith("'s"):
        word = word[:-2]
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            if suffix == "s" and word.endswith("ss"):
                break
            word = word[: -len(suffix)] + ("y" if suffix in ("ies", "ied") else "")
            word = _DOUBLED.sub(r"\1", word)
            break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 4 and word.endswith("i"):
        word = word[:-1] + "y"
    return word
