"""One call from a folder of guidance to a search that works: read, check, cut, index."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from language_models.base import EmbeddingModel, TokenCounter
from retrieval.documents import Corpus, load_corpus
from retrieval.index_folder import Progress, open_index
from retrieval.passages import index_manifest, split_corpus
from retrieval.retriever import Retriever
from retrieval.settings import RetrievalSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """The checked collection and its search. ``index_built`` says whether the index had to be made just now."""

    corpus: Corpus
    retriever: Retriever
    index_built: bool


def open_guidance(
    folder: Path, *, tokens: TokenCounter, embedding: EmbeddingModel | None, index_folder: Path | None,
    rebuild: bool = False, progress: Progress | None = None, settings: RetrievalSettings | None = None,
    skills: frozenset[str] | None = None,
) -> Guidance:  # fmt: skip
    """Open the guidance in ``folder``. Raises ``ContentError`` with every problem of the collection.

    Without ``embedding`` the search goes by words and tags only. ``index_folder`` None keeps the index in memory.
    """
    corpus = load_corpus(folder, skills=skills)
    passages = split_corpus(corpus, tokens)
    if embedding is None:
        note = "There is no embedding model: guidance is searched by words only."
        retriever = Retriever(passages, index=None, embedding=None, settings=settings, notes=(note,))
        return Guidance(corpus=corpus, retriever=retriever, index_built=False)
    manifest = index_manifest(passages, corpus=corpus.manifest_sha256, embedding=embedding.fingerprint)
    opened = open_index(index_folder, passages, embedding, manifest=manifest, rebuild=rebuild, progress=progress)
    retriever = Retriever(passages, index=opened.index, embedding=embedding, settings=settings, notes=opened.notes)
    return Guidance(corpus=corpus, retriever=retriever, index_built=opened.built)
