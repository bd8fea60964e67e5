"""Search by words: BM25 over the passages, with our own plain tokens. Same passages and same query, same answer."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import bm25s
import numpy as np

from retrieval.passages import Passage
from retrieval.settings import LexicalSettings

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it prints its own debug lines to the terminal otherwise

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredId:
    """A passage id with its score in one channel and its rank there, from 1."""

    id: str
    score: float
    rank: int


def words(text: str) -> list[str]:
    """Lower-case words in order, Unicode forms folded, curly apostrophes made plain, possessive ``'s`` dropped."""
    folded = unicodedata.normalize("NFKC", text).replace("\u2019", "'").casefold()
    return [word.removesuffix("'s") for word in _WORD.findall(folded)]


def content_words(text: str, stop_words: frozenset[str]) -> list[str]:
    """``words`` without those that carry no topic."""
    return [word for word in words(text) if word not in stop_words]


class LexicalIndex:
    """BM25 (Lucene's form) over title, heading, text and situation tags of every passage."""

    def __init__(self, passages: Sequence[Passage], settings: LexicalSettings) -> None:
        self._settings = settings
        self._ids = [passage.id for passage in passages]
        listing = [content_words(_searchable(passage), settings.stop_words) for passage in passages]
        self._vocabulary = frozenset(word for tokens in listing for word in tokens)
        self._bm25 = bm25s.BM25(method="lucene", k1=settings.k1, b=settings.b)
        if self._vocabulary:
            self._bm25.index(listing, show_progress=False)
        seen: dict[str, int] = {}
        for tokens in listing:
            for word in set(tokens):
                seen[word] = seen.get(word, 0) + 1
        self._idf = {word: _idf(len(listing), count) for word, count in seen.items()}
        self._unseen_idf = _idf(len(listing), 0)

    def search(self, text: str, k: int, *, allowed: frozenset[str] | None = None) -> tuple[ScoredId, ...]:
        """The best ``k`` passages that share a word with ``text``, best first, ties by id.

        The score is the *strength* of the match in [0, 1]: BM25 divided by what a passage would get that holds every query
        word without end. Unlike a raw BM25 score it can be compared between short and long queries; words that the
        collection does not know pull it down.
        """
        asked = content_words(text, self._settings.stop_words)
        known = [word for word in asked if word in self._vocabulary]
        if not known:
            return ()
        bound = sum(self._idf.get(word, self._unseen_idf) for word in asked)
        scores = np.asarray(self._bm25.get_scores(known), dtype=np.float64) / bound
        found = [
            (round(float(scores[row]), 6), self._ids[row])
            for row in np.flatnonzero(scores > 0)
            if allowed is None or self._ids[row] in allowed
        ]
        found.sort(key=lambda item: (-item[0], item[1]))
        return tuple(ScoredId(id=name, score=score, rank=rank) for rank, (score, name) in enumerate(found[:k], start=1))


def _searchable(passage: Passage) -> str:
    return f"{passage.index_text}\n{' '.join(passage.situations).replace('_', ' ')}"


def _idf(documents: int, containing: int) -> float:
    return float(np.log1p((documents - containing + 0.5) / (containing + 0.5)))
