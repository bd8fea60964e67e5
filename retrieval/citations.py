"""A citation is one sentence of a passage, with the place where it stands. It is checked when made and whenever it is shown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from language_models.base import EmbeddingModel
from retrieval.lexical import content_words, words
from retrieval.markdown import trimmed
from retrieval.passages import Passage, text_sha256
from retrieval.settings import CitationSettings, RetrievalSettings, retrieval_settings

_BLOCK_END = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*+]\s|\d+[.)]\s|#{1,6}\s|>))")
_MARKER = re.compile(r"\s*(?:[-*+]\s+|\d+[.)]\s+|>\s*)+")
_HEADING = re.compile(r"\s*#{1,6}\s")
_MARKUP = re.compile(r"\]\(|[*`|<>]|^\s*#")
_STOP = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)\]]*(?=\s|$)")
_OPENS, _CLOSES = "\u201c(", "\u201d)"
_QUOTED = re.compile(r"[\"\u201c][^\"\u201c\u201d]*[\"\u201d]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """``passage text[start:end] == quote``; ``passage_sha256`` is the digest of that text when the citation was made."""

    passage: str
    document: str
    title: str
    heading: str
    quote: str
    start: int
    end: int
    passage_sha256: str


def cite(
    passage: Passage, about: str, *, embedding: EmbeddingModel | None = None, settings: RetrievalSettings | None = None
) -> Citation | None:
    """Quote the sentence of ``passage`` that best supports ``about``; None when it has no sentence fit to stand alone.

    Best is: most shared content words for its length (and nearest in meaning, with ``embedding``), earlier on a tie. Example
    replies, which stand mostly in quotation marks, are passed over while there is another sentence.
    """
    return best_citation([passage], about, embedding=embedding, settings=settings)


def best_citation(
    passages: Sequence[Passage], about: str, *, embedding: EmbeddingModel | None = None, settings: RetrievalSettings | None = None
) -> Citation | None:
    """The one sentence of all ``passages`` that best supports ``about``, chosen as in ``cite``; earlier passages win ties."""
    settings = retrieval_settings() if settings is None else settings
    found = [made for passage in passages if (made := _best_of(passage, about, embedding, settings)) is not None]
    ranked = [(round(score - settings.citations.later_penalty * place, 6), -place, made) for place, (score, made) in enumerate(found)]
    return max(ranked, key=lambda item: item[:2])[2] if ranked else None


def _best_of(
    passage: Passage, about: str, embedding: EmbeddingModel | None, settings: RetrievalSettings
) -> tuple[float, Citation] | None:
    spans = list(quotable_sentences(passage.text, settings.citations))
    least = settings.citations.min_words
    own_voice = [span for span in spans if len(words(_QUOTED.sub(" ", passage.text[slice(*span)]))) >= least]
    spans = own_voice or spans
    if not spans:
        return None
    sentences = [passage.text[start:end] for start, end in spans]
    scores = [_overlap(sentence, about, settings) for sentence in sentences]
    if embedding is not None and about.strip():
        vectors = embedding.embed([about, *sentences])
        scores = [score + float(row @ vectors[0]) for score, row in zip(scores, vectors[1:], strict=True)]
    best = max(range(len(spans)), key=lambda row: (round(scores[row], 6), -row))
    start, end = spans[best]
    made = Citation(
        passage=passage.id, document=passage.document, title=passage.title, heading=passage.heading,
        quote=passage.text[start:end], start=start, end=end, passage_sha256=passage.sha256,
    )  # fmt: skip
    return (scores[best], made) if verify_citation(made, {passage.id: passage}) else None


def verify_citation(citation: Citation, passages: Mapping[str, Passage]) -> bool:
    """Whether the passage is still there, word for word as it was, and the quotation stands where the citation says."""
    passage = passages.get(citation.passage)
    return (
        passage is not None
        and passage.document == citation.document
        and text_sha256(passage.text) == citation.passage_sha256
        and 0 <= citation.start < citation.end <= len(passage.text)
        and passage.text[citation.start : citation.end] == citation.quote
    )


def quotable_sentences(text: str, settings: CitationSettings) -> Iterator[tuple[int, int]]:
    """Spans of full sentences of a fitting length, without list markers, headings or markup, in order."""
    for start, end in _sentences(text, settings.abbreviations):
        sentence = text[start:end]
        if not settings.min_words <= len(words(sentence)) <= settings.max_words or _MARKUP.search(sentence):
            continue
        if " ".join(words(sentence)).startswith(settings.reported_openers):
            continue
        first = sentence.lstrip("\"'\u201c\u2018(")[:1]
        whole = first.isupper() or first.isdigit()
        if whole and _STOP.search(sentence[-4:]) and sentence.count('"') % 2 == 0 and _balanced(sentence):
            yield start, end


def _sentences(text: str, abbreviations: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Sentence spans block by block; a full stop inside a quotation or brackets, or after an abbreviation, ends nothing."""
    for first, last in _blocks(text):
        block = text[first:last]
        plain_quotes = block.count('"') % 2 == 0  # an odd one out cannot be paired
        begin = 0
        for stop in _STOP.finditer(block):
            so_far = block[begin : stop.end()]
            inside = (plain_quotes and so_far.count('"') % 2 == 1) or not _balanced(so_far)
            following = block[stop.end() :].lstrip()[:1]
            last_word = re.search(r"[\w.]+$", block[begin : stop.start()])
            abbreviated = last_word is not None and last_word[0].casefold().rstrip(".") in abbreviations
            if inside or following.islower() or (abbreviated and following):
                continue
            yield _shifted(block, begin, stop.end(), first)
            begin = stop.end()


def _shifted(block: str, begin: int, end: int, offset: int) -> tuple[int, int]:
    begin, end = trimmed(block, begin, end)
    return offset + begin, offset + end


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Paragraphs and list items without their markers; headings are left out."""
    position = 0
    ends = [found.start() for found in _BLOCK_END.finditer(text)] + [len(text)]
    for end in ends:
        if not _HEADING.match(text, position, end):
            marker = _MARKER.match(text, position, end)
            start, stop = trimmed(text, marker.end() if marker else position, end)
            if start < stop:
                yield start, stop
        position = end


def _balanced(sentence: str) -> bool:
    return all(sentence.count(opening) == sentence.count(closing) for opening, closing in zip(_OPENS, _CLOSES, strict=True))


def _overlap(sentence: str, about: str, settings: RetrievalSettings) -> float:
    """Shared content words by the square root of the sentence's own, less a little when it leans on the one before."""
    own = set(content_words(sentence, settings.lexical.stop_words))
    asked = set(content_words(about, settings.lexical.stop_words))
    leaning = words(sentence)[0] in settings.citations.leaning_openers
    share = len(own & asked) / math.sqrt(len(own)) if own else 0.0
    return share - (settings.citations.leaning_penalty if leaning else 0.0)
