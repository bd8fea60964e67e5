"""Documents cut into passages: whole sections where they fit, parts of sections where they do not, always with exact offsets.

A passage is what is searched, shown and quoted from. Its id is stable as long as the document keeps the heading.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from language_models.base import TokenCounter
from retrieval.documents import Corpus, CorpusDocument
from retrieval.markdown import free_slug, sections, trimmed

CHUNKER_VERSION = "1"
"""Raise it whenever the same document could be cut differently or be indexed under other words; every index is then rebuilt."""

MAX_TOKENS = 300
"""A section up to this size stays whole. The embedding model reads 256 word pieces: more would be searched by words only."""

PART_TOKENS = 240
"""Size aimed at when a longer section is cut."""

MIN_TOKENS = 60
"""A last part smaller than this is joined to the one before, if the two fit in ``MAX_TOKENS``."""

# Where a long section may be cut, best first: between paragraphs, before a list item, after a sentence, at a space, anywhere.
_SEPARATORS = [r"\n\s*\n", r"\n(?=\s*(?:[-*+]|\d+[.)])\s)", r"(?<=[.!?])\s+", r"\s+", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What one search hit is. ``body[start:end] == text`` in the document's body; ``id`` is ``<document>#<heading-slug>``."""

    id: str
    document: str
    title: str
    heading: str
    start: int
    end: int
    text: str
    sha256: str
    tokens: int
    dimensions: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    situations: tuple[str, ...] = ()

    @property
    def index_text(self) -> str:
        """What stands for the passage in a search: its own words, led by where they stand."""
        return f"{self.title}. {self.heading}.\n{self.text}"


def text_sha256(text: str) -> str:
    """The digest a citation is held to."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def split_corpus(corpus: Corpus, tokens: TokenCounter) -> tuple[Passage, ...]:
    """All passages, in order of document id and place."""
    return tuple(passage for document in corpus.documents for passage in split_document(document, tokens))


def split_document(document: CorpusDocument, tokens: TokenCounter) -> tuple[Passage, ...]:
    """The passages of one document, in order."""
    found = [section for section in sections(document.body) if section.start < section.end]
    taken = {section.slug for section in sections(document.body)}
    result: list[Passage] = []
    for section in found:
        for number, (start, end) in enumerate(split_span(document.body, section.start, section.end, tokens)):
            slug = section.slug if number == 0 else free_slug(section.slug, taken)
            result.append(_passage(document, section.heading or document.meta.title, slug, start, end, tokens))
    return tuple(result)


def split_span(body: str, start: int, end: int, tokens: TokenCounter) -> tuple[tuple[int, int], ...]:
    """Cut ``body[start:end]`` into spans of at most about ``MAX_TOKENS``; every character that is not white space is in one."""
    text = body[start:end]
    if tokens.count(text) <= MAX_TOKENS:
        return ((start, end),)
    parts = list(_parts(text, tokens))
    if len(parts) > 1 and tokens.count(text[slice(*parts[-1])]) < MIN_TOKENS:
        joined = (parts[-2][0], parts[-1][1])
        if tokens.count(text[slice(*joined)]) <= MAX_TOKENS:
            parts[-2:] = [joined]
    return tuple((start + first, start + last) for first, last in parts)


def _parts(text: str, tokens: TokenCounter) -> Iterator[tuple[int, int]]:
    # Imported here because it costs a quarter of a second and few collections have a section long enough to need it.
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        separators=_SEPARATORS, is_separator_regex=True, keep_separator="end", chunk_size=PART_TOKENS, chunk_overlap=0,
        length_function=tokens.count, add_start_index=True,
    )  # fmt: skip
    covered = 0
    for part in splitter.create_documents([text]):
        first = int(part.metadata["start_index"])
        last = first + len(part.page_content)
        if text[first:last] != part.page_content or first < covered or text[covered:first].strip():
            raise ValueError(f"the splitter returned a part that does not stand at its offset {first}")
        covered = last
        first, last = trimmed(text, first, last)
        if first < last:
            yield first, last


def _passage(document: CorpusDocument, heading: str, slug: str, start: int, end: int, tokens: TokenCounter) -> Passage:
    meta, text = document.meta, document.body[start:end]
    return Passage(
        id=f"{meta.id}#{slug}", document=meta.id, title=meta.title, heading=heading, start=start, end=end, text=text,
        sha256=text_sha256(text), tokens=tokens.count(text), dimensions=tuple(d.value for d in meta.dimensions),
        skills=meta.skills, situations=meta.situations,
    )  # fmt: skip


def index_manifest(passages: Iterable[Passage], *, corpus: str, embedding: str) -> str:
    """What an index was built from: the collection, every passage's place and words, the embedding model, the way of cutting."""
    digest = hashlib.sha256(f"chunker {CHUNKER_VERSION}\nembedding {embedding}\ncorpus {corpus}\n".encode())
    for passage in passages:
        digest.update(f"{passage.id} {passage.start} {text_sha256(passage.index_text)} {','.join(passage.dimensions)}\n".encode())
    return digest.hexdigest()
