"""Which of a client's topics do the trainee's words touch? By shared words and, with an embedding model, by meaning.

Everything a trainee can touch in a persona is a target: ``fact:<id>``, ``talk:<id>``, ``pull:<id>``. A target's cues are things a
trainee might say. Scores are 0-1; the same words give the same scores, also after a restart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from language_models.base import EmbeddingModel, Vectors
from personas.schema import Persona

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_STOP = frozenset(Path(__file__).with_name("stop_words.txt").read_text(encoding="utf-8").split())
_STRONG_COSINE, _WEAK_COSINE = 0.78, 0.22  # MiniLM: paraphrases of one question lie above, unrelated sentences below


@dataclass(frozen=True, slots=True)
class Match:
    """A target and how strongly the words touch it."""

    target: str
    score: float


def content_words(text: str) -> frozenset[str]:
    """Lower-case content words with common endings cut, for overlap."""
    return frozenset(_stem(w) for w in _WORD.findall(text.lower().replace("\u2019", "'")) if w not in _STOP and len(w) > 2)


@lru_cache(maxsize=4096)
def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    for ending in ("ings", "ing", "ied", "ies", "ed", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def persona_cues(persona: Persona) -> tuple[tuple[str, str], ...]:
    """Every (target, cue) of a persona; fact topics count as cues too."""
    pairs: list[tuple[str, str]] = []
    for fact in persona.facts:
        pairs += [(f"fact:{fact.id}", cue) for cue in (*fact.cues, *fact.topics)]
    pairs += [(f"talk:{talk.id}", cue) for talk in persona.talk for cue in talk.cues]
    pairs += [(f"pull:{pull.id}", cue) for pull in persona.pulls for cue in pull.cues]
    return tuple(pairs)


class TopicMatcher:
    """Cues of one persona, ready to be compared. Immutable after construction; safe to share between sessions."""

    def __init__(self, cues: Sequence[tuple[str, str]], vectors: Vectors | None = None, model: EmbeddingModel | None = None) -> None:
        if vectors is not None and len(vectors) != len(cues):
            raise ValueError("one vector per cue is needed")
        self._targets = [target for target, _ in cues]
        self._words = [content_words(cue) for _, cue in cues]
        self._vectors = vectors
        self._model = model if vectors is not None else None
        self._rarity = _rarity(self._words)

    @staticmethod
    def for_persona(persona: Persona, model: EmbeddingModel | None) -> TopicMatcher:
        """Build the matcher, embedding every cue once."""
        cues = persona_cues(persona)
        vectors = model.embed([cue for _, cue in cues]) if model is not None else None
        return TopicMatcher(cues, vectors, model)

    def match(self, text: str) -> tuple[Match, ...]:
        """Targets touched by ``text``, strongest first; ties by name."""
        pieces = _pieces(text)
        if not pieces:
            return ()
        scores: dict[str, float] = {}
        vectors = self._model.embed(pieces) if self._model is not None else None
        for number, piece in enumerate(pieces):
            lexical = self._lexical(content_words(piece))
            meaning = self._meaning(self._vectors, vectors[number]) if vectors is not None and self._vectors is not None else None
            for index, target in enumerate(self._targets):
                score = lexical[index] if meaning is None else 0.45 * lexical[index] + 0.55 * meaning[index]
                if score > scores.get(target, 0.0):
                    scores[target] = score
        found = [Match(target, round(score, 4)) for target, score in scores.items() if score > 0.05]
        return tuple(sorted(found, key=lambda m: (-m.score, m.target)))

    def _lexical(self, words: frozenset[str]) -> list[float]:
        """Share of the cue's rare words that occur; one rare shared word can be enough."""
        scores = []
        for cue in self._words:
            total = sum(self._rarity[w] for w in cue)
            shared = sum(self._rarity[w] for w in cue & words)
            scores.append(min(1.0, shared / max(total, 1.0)) if total else 0.0)
        return scores

    def _meaning(self, vectors: Vectors, vector: Vectors) -> list[float]:
        cosines = vectors @ vector
        scaled = np.clip((cosines - _WEAK_COSINE) / (_STRONG_COSINE - _WEAK_COSINE), 0.0, 1.0)
        return [float(value) for value in scaled]


def _pieces(text: str) -> list[str]:
    """Sentences, and the last one again on its own weight: what a person ends on is what they are asked to answer."""
    sentences = [s.strip() for s in re.split(r"(?<=[.!?])\s+|\n+", text) if re.search(r"[a-zA-Z]", s)]
    return sentences[-4:]


def _rarity(cues: Iterable[frozenset[str]]) -> dict[str, float]:
    """A word's weight falls with the number of cues that hold it; 1 for a word of one cue."""
    counts: dict[str, int] = {}
    for words in cues:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    return {word: 1.0 / (1.0 + 0.35 * math.log(count)) for word, count in counts.items()}
