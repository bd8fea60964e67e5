"""The numbers of the search, read from ``settings.yaml``: what they are and how they were set stands beside them there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import Field

from core.content import ContentModel, load_content


class FusionSettings(ContentModel):
    """Reciprocal-rank fusion: every channel adds ``weight / (constant + rank)`` for each of its first ``candidates`` passages."""

    constant: int = Field(ge=1)
    candidates: int = Field(ge=5)
    dense: float = Field(ge=0)
    lexical: float = Field(ge=0)
    metadata: float = Field(ge=0)
    per_document: int = Field(ge=1)


class AbstentionSettings(ContentModel):
    """When something found is close enough. Cosines are in [-1, 1], lexical strengths in [0, 1].

    With an embedding model: the best cosine reaches ``cosine``, or the best strength reaches ``strength`` (the question uses a
    passage's own words). By words alone: the best strength reaches ``strength_alone``. ``embedding`` names the model measured.
    """

    embedding: str
    cosine: float = Field(ge=-1, le=1)
    strength: float = Field(ge=0, le=1)
    strength_alone: float = Field(ge=0, le=1)
    how: str


class LexicalSettings(ContentModel):
    """BM25 with its two constants, and the words that carry no topic."""

    k1: float = Field(gt=0)
    b: float = Field(ge=0, le=1)
    stop_words: frozenset[str]


class QuerySettings(ContentModel):
    """How much of what was said goes into a query that is built from a scored reply."""

    skills: int = Field(ge=1)
    client_words: int = Field(ge=0)
    reply_words: int = Field(ge=0)


class CitationSettings(ContentModel):
    """What may be quoted.

    ``leaning_openers`` are first words of sentences that lean on the one before and say little alone. ``reported_openers`` begin
    sentences that tell what others claim, which the document then puts right: they are never quoted.
    """

    min_words: int = Field(ge=1)
    max_words: int = Field(ge=1)
    abbreviations: frozenset[str]
    leaning_openers: frozenset[str]
    reported_openers: tuple[str, ...]
    leaning_penalty: float = Field(ge=0)
    later_penalty: float = Field(ge=0)


class RetrievalSettings(ContentModel):
    """All of them."""

    version: int = Field(ge=1)
    fusion: FusionSettings
    abstention: AbstentionSettings
    lexical: LexicalSettings
    query: QuerySettings
    citations: CitationSettings


@cache
def retrieval_settings() -> RetrievalSettings:
    """The shipped settings, read once. Raises ``ContentError``."""
    return load_content(Path(__file__).with_name("settings.yaml"), RetrievalSettings).value
