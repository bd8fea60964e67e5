"""Stand-ins for the models, and small collections on disk. Nothing here answers by default: an unexpected call fails."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import ModelUnavailable
from language_models.base import Vectors
from retrieval.documents import CorpusDocument, GuidanceDocument
from retrieval.passages import Passage, split_document

SKILLS = frozenset({"open_question", "question_volley", "limit_set", "advice_without_permission"})


class HashedBagEmbedding:
    """Bag of words, each word a direction drawn from its hash: same text, same vector; shared words come nearer. Keeps what it was sent."""

    def __init__(self, *, fingerprint: str = "hashed-bag-1", dimension: int = 64) -> None:
        self.fingerprint = fingerprint
        self.dimension = dimension
        self.sent: list[str] = []
        self._words: dict[str, Vectors] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.sent.extend(texts)
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[0] = 0.01  # a text without words still has a direction
            for word in re.findall(r"\w+", text.lower()):
                row += self._direction(word)
            row /= np.linalg.norm(row) or 1.0
        return rows

    def _direction(self, word: str) -> Vectors:
        if word not in self._words:
            seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[:8], "big")
            self._words[word] = np.random.default_rng(seed).normal(size=self.dimension).astype(np.float32)
        return self._words[word]


class BrokenEmbedding:
    """A model that cannot be reached."""

    fingerprint = "hashed-bag-1"
    dimension = 64

    def embed(self, texts: Sequence[str]) -> Vectors:
        raise ModelUnavailable("The embedding model did not answer.")


class WordCounter:
    """One token a word; a run of characters without spaces counts one for every four."""

    def count(self, text: str) -> int:
        return sum(1 + len(word) // 4 for word in text.split())


FRONT = """\
---
id: {id}
version: 1
title: {title}
dimensions: [{dimensions}]
skills: [{skills}]
situations: [{situations}]
level: beginner
evidence: opinion
claims:
  - text: "A claim."
    sources: [{source}]
counter: "The other side."
jurisdiction: none
reviewed: {{status: needs-clinician, on: 2026-01-31}}
related: [{related}]
---
"""

REFERENCES = """\
Known2020:
  author: "Known"
  year: 2020
  title: "A study"
  journal: null
  doi: null
  type: article-journal
  status: seen
"""


def document_text(
    document_id: str, body: str, *, title: str = "A title", dimensions: str = "empathy", skills: str = "open_question",
    situations: str = "grief", source: str = "Known2020", related: str = "",
) -> str:  # fmt: skip
    front = FRONT.format(
        id=document_id, title=title, dimensions=dimensions, skills=skills, situations=situations, source=source, related=related
    )
    return front + body


def write_corpus(folder: Path, documents: dict[str, str], *, references: str = REFERENCES) -> Path:
    """``documents`` maps file names without suffix to the whole text."""
    (folder / "documents").mkdir(parents=True, exist_ok=True)
    for name, text in documents.items():
        (folder / "documents" / f"{name}.md").write_text(text, encoding="utf-8", newline="")
    (folder / "references.yaml").write_text(references, encoding="utf-8")
    return folder


def a_document(body: str, *, document_id: str = "a-document", **tags: tuple[str, ...]) -> CorpusDocument:
    meta = GuidanceDocument.model_validate(
        {
            "id": document_id, "version": 1, "title": "A title", "dimensions": tags.get("dimensions", ("empathy",)),
            "skills": tags.get("skills", ()), "situations": tags.get("situations", ()), "level": "beginner", "evidence": "opinion",
            "claims": (), "counter": "The other side.", "jurisdiction": "none",
            "reviewed": {"status": "needs-clinician", "on": "2026-01-31"},
        }
    )  # fmt: skip
    return CorpusDocument(meta=meta, body=body, path=Path(f"{document_id}.md"), sha256="0" * 64)


TOPICS = {
    "asking-things": ("## One at a time\n\nAsk one question and wait for what comes.\n\n## Volleys\n\nFive questions leave the client "
                      "choosing which to dodge.\n", {"dimensions": ("empathy",), "skills": ("question_volley",)}),
    "keeping-limits": ("## Phone numbers\n\nDecline to share a private telephone number and say why.\n\n## Gifts\n\nThank the "
                       "client, and speak about what the present means.\n", {"dimensions": ("boundaries",), "skills": ("limit_set",)}),
    "sitting-still": ("## Silence\n\nSilence can be full, and breaking it early costs something.\n\n## Tears\n\nLet tears come "
                      "without a handkerchief of words.\n", {"dimensions": ("empathy", "authenticity"), "situations": ("silence",)}),
}  # fmt: skip


def some_passages() -> tuple[Passage, ...]:
    """Six passages of three documents."""
    return tuple(
        passage
        for document_id, (body, tags) in TOPICS.items()
        for passage in split_document(a_document(body, document_id=document_id, **tags), WordCounter())
    )
