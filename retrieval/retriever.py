"""The search: by meaning, by words and by tags, joined by reciprocal rank, with "nothing supports this" as an answer.

Same collection, same model, same query: same result, down to the order of ties.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from core.errors import ModelError
from language_models.base import EmbeddingModel
from retrieval.index import PassageIndex, Where
from retrieval.lexical import LexicalIndex, ScoredId
from retrieval.passages import Passage
from retrieval.query import Query
from retrieval.settings import FusionSettings, RetrievalSettings, retrieval_settings

log = logging.getLogger(__name__)


class Channel(StrEnum):
    """The ways a passage can be found."""

    DENSE = "dense"
    LEXICAL = "lexical"
    METADATA = "metadata"


ALL_CHANNELS = frozenset(Channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPassage:
    """One hit. ``rank`` counts from 1; ``ranks`` says where each channel that found it put it; ``score`` is the fused score."""

    passage: Passage
    rank: int
    score: float
    ranks: Mapping[Channel, int] = field(default_factory=lambda: MappingProxyType({}))
    cosine: float | None = None
    strength: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Hits before the question whether they are good enough. The best cosine and lexical strength are over all candidates."""

    hits: tuple[RankedPassage, ...]
    channels: tuple[Channel, ...]
    best_cosine: float | None
    best_strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What a search gives. ``hits`` is empty when ``abstained``; ``reason`` then says why. ``channels`` were really used."""

    hits: tuple[RankedPassage, ...]
    abstained: bool
    reason: str = ""
    channels: tuple[Channel, ...] = ()


class Retriever:
    """Searches one collection. Safe to share between threads; without an embedding model it searches by words and tags."""

    def __init__(
        self, passages: Sequence[Passage], *, index: PassageIndex | None, embedding: EmbeddingModel | None,
        settings: RetrievalSettings | None = None, notes: Sequence[str] = (),
    ) -> None:  # fmt: skip
        if (index is None) != (embedding is None):
            raise ValueError("an index and its embedding model come together or not at all")
        self._settings = retrieval_settings() if settings is None else settings
        self._passages = {passage.id: passage for passage in passages}
        self._index = index
        self._embedding = embedding
        self._lexical = LexicalIndex(passages, self._settings.lexical)
        calibrated = self._settings.abstention.embedding
        self.notes = tuple(notes)
        if embedding is not None and embedding.fingerprint != calibrated:
            self.notes += ("The limits for answering 'nothing supports this' were set with another embedding model.",)

    @property
    def passages(self) -> Mapping[str, Passage]:
        """Every passage by id, for citations and the browser of the collection."""
        return MappingProxyType(self._passages)

    @property
    def index_kind(self) -> str | None:
        """``chroma`` or ``memory``; None when searching by words only."""
        return self._index.kind if self._index is not None else None

    def search(self, query: Query, k: int = 5) -> SearchResult:
        """The best ``k`` passages, or none with a reason when nothing in the collection is close enough."""
        ranking = self.rank(query, k)
        if not ranking.channels:
            return SearchResult(hits=(), abstained=True, reason="There were no words to search for.")
        if not self._supports(ranking):
            return SearchResult(
                hits=(), abstained=True, reason="Nothing in the guidance is close enough to this.", channels=ranking.channels
            )
        return SearchResult(hits=ranking.hits, abstained=False, channels=ranking.channels)

    def rank(self, query: Query, k: int = 5, *, channels: frozenset[Channel] = ALL_CHANNELS) -> Ranking:
        """The best ``k`` passages whether or not they are good enough, by the given channels only."""
        fusion = self._settings.fusion
        if k < 1 or not any(character.isalnum() for character in query.text):
            return Ranking(hits=(), channels=(), best_cosine=None, best_strength=0.0)
        wanted = max(fusion.candidates, 2 * k)
        where = Where(dimensions=frozenset(query.dimensions) if query.strict_dimensions else frozenset())
        found: dict[Channel, tuple[ScoredId, ...]] = {}
        if Channel.DENSE in channels and (dense := self._dense(query.text, wanted, where)) is not None:
            found[Channel.DENSE] = dense
        if Channel.LEXICAL in channels:
            found[Channel.LEXICAL] = self._lexical.search(query.text, wanted, allowed=self._allowed(where))
        if Channel.METADATA in channels and (query.dimensions or query.skills or query.situations):
            found[Channel.METADATA] = by_tags(query, self._passages.values(), where)
        cosines = {item.id: item.score for item in found.get(Channel.DENSE, ())}
        strengths = {item.id: item.score for item in found.get(Channel.LEXICAL, ())}
        hits = tuple(
            RankedPassage(
                passage=self._passages[name], rank=rank, score=score, ranks=MappingProxyType(ranks),
                cosine=cosines.get(name), strength=strengths.get(name),
            )
            for rank, (name, score, ranks) in enumerate(self._varied(fuse(found, fusion), k), start=1)
        )  # fmt: skip
        return Ranking(
            hits=hits, channels=tuple(found), best_cosine=max(cosines.values(), default=None),
            best_strength=max(strengths.values(), default=0.0),
        )  # fmt: skip

    def close(self) -> None:
        """Let go of the index's files and lock."""
        if self._index is not None:
            self._index.close()

    def _dense(self, text: str, k: int, where: Where) -> tuple[ScoredId, ...] | None:
        if self._index is None or self._embedding is None:
            return None
        try:
            vector = self._embedding.embed([text])[0]
        except ModelError as error:
            log.warning("this search goes by words only: %s (%s)", error.message, error.details)
            return None
        return self._index.dense(vector, k, where)

    def _allowed(self, where: Where) -> frozenset[str] | None:
        if not where.dimensions:
            return None
        return frozenset(name for name, passage in self._passages.items() if where.allows(passage))

    def _varied(
        self, fused: Sequence[tuple[str, float, dict[Channel, int]]], k: int
    ) -> list[tuple[str, float, dict[Channel, int]]]:
        """The first ``k``, with only so many from one document and no two with the same words."""
        limit = self._settings.fusion.per_document * -(-k // 5)
        from_document: Counter[str] = Counter()
        texts: set[str] = set()
        kept = []
        for item in fused:
            passage = self._passages[item[0]]
            if from_document[passage.document] >= limit or passage.sha256 in texts:
                continue
            from_document[passage.document] += 1
            texts.add(passage.sha256)
            kept.append(item)
            if len(kept) == k:
                break
        return kept

    def _supports(self, ranking: Ranking) -> bool:
        limits = self._settings.abstention
        if not ranking.hits:
            return False
        if ranking.best_cosine is None:
            return ranking.best_strength >= limits.strength_alone
        return ranking.best_cosine >= limits.cosine or ranking.best_strength >= limits.strength


def fuse(
    found: Mapping[Channel, Sequence[ScoredId]], settings: FusionSettings
) -> list[tuple[str, float, dict[Channel, int]]]:
    """Reciprocal-rank fusion: (id, score, rank in each channel), best first, ties by id. Order of the channels does not matter.

    The metadata channel alone does not bring a passage in when another channel was asked: tags lift, they do not find.
    """
    weights = {Channel.DENSE: settings.dense, Channel.LEXICAL: settings.lexical, Channel.METADATA: settings.metadata}
    ranks: dict[str, dict[Channel, int]] = {}
    for channel in Channel:
        for item in found.get(channel, ()):
            if channel is not Channel.METADATA or item.id in ranks or set(found) == {Channel.METADATA}:
                ranks.setdefault(item.id, {})[channel] = item.rank
    scored = [
        (name, round(sum(weights[channel] / (settings.constant + rank) for channel, rank in places.items()), 9), places)
        for name, places in ranks.items()
    ]
    return sorted(scored, key=lambda item: (-item[1], item[0]))


def by_tags(query: Query, passages: Iterable[Passage], where: Where) -> tuple[ScoredId, ...]:
    """Passages that share skills or situations with the query, most first, then by shared dimensions; equals share a rank.

    A dimension alone says little (a third of the collection is about empathy): it counts when nothing more specific is shared.
    The score is the number of shared skills and situations, or of dimensions where only those are shared.
    """
    shared: list[tuple[str, tuple[int, int]]] = []
    for passage in passages:
        specific = len(set(query.skills) & set(passage.skills)) + len(set(query.situations) & set(passage.situations))
        broad = len(set(query.dimensions) & set(passage.dimensions))
        if (specific or broad) and where.allows(passage):
            shared.append((passage.id, (specific, broad)))
    if any(specific for _, (specific, _) in shared):
        shared = [item for item in shared if item[1][0]]
    better = {count: sum(other > count for _, other in shared) for _, count in shared}
    shared.sort(key=lambda item: (-item[1][0], -item[1][1], item[0]))
    return tuple(ScoredId(id=name, score=float(count[0] or count[1]), rank=better[count] + 1) for name, count in shared)
