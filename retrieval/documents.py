"""The guidance collection: its documents and references, read and checked as a whole, with every problem reported at once."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from pydantic import Field, RootModel, field_validator

from core.content import ContentModel, Loaded, load_content, load_front_matter, parse_yaml
from core.errors import ContentError, Problem
from core.skills import skill_catalogue
from retrieval.markdown import Section, links, sections

_EXTERNAL = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
FieldPath = tuple[str | int, ...]


class Dimension(StrEnum):
    """What a document speaks to: the four graded dimensions and the risk and legal gate."""

    EMPATHY = "empathy"
    AUTHENTICITY = "authenticity"
    SELF_DISCLOSURE = "self_disclosure"
    BOUNDARIES = "boundaries"
    RISK = "risk"


class Level(StrEnum):
    """Whom a document is written for."""

    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class EvidenceGrade(StrEnum):
    """The strongest kind of support behind a document, strongest first."""

    META_ANALYSIS = "meta-analysis"
    TRIAL = "trial"
    OBSERVATIONAL = "observational"
    CONSENSUS = "consensus"
    OPINION = "opinion"


class Claim(ContentModel):
    """One statement with the keys of the references it rests on, its size where there is one, and what limits it."""

    text: str = Field(min_length=1)
    sources: tuple[str, ...]
    effect: str | None = None
    caveat: str | None = None

    @field_validator("sources")
    @classmethod
    def _has_a_source(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        if not sources:
            raise ValueError("a claim needs at least one source; give the key of a reference, or take the claim out")
        return sources


class Review(ContentModel):
    """Who has looked at a document last, and when."""

    status: str = Field(min_length=1)
    on: date


class GuidanceDocument(ContentModel):
    """The front matter of one guidance document."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    version: int = Field(ge=1)
    title: str = Field(min_length=1)
    dimensions: tuple[Dimension, ...] = Field(min_length=1)
    skills: tuple[str, ...] = ()
    situations: tuple[str, ...] = ()
    level: Level
    evidence: EvidenceGrade
    claims: tuple[Claim, ...] = ()
    counter: str = Field(min_length=1)
    jurisdiction: str = Field(min_length=1)
    reviewed: Review
    related: tuple[str, ...] = ()


class Reference(ContentModel):
    """One source as it is shown under a claim; what is not known is None, never guessed.

    ``status`` says how far the entry itself was checked: ``seen`` or ``memory``.
    """

    author: str | None
    year: int | None
    title: str = Field(min_length=1)
    journal: str | None = None
    doi: str | None = None
    type: str = Field(min_length=1)
    status: str = Field(min_length=1)


class References(RootModel[dict[str, Reference]]):
    """All references by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusDocument:
    """One document as read. ``sha256`` is over the file's bytes; ``body_line`` is the file line on which ``body`` begins."""

    meta: GuidanceDocument
    body: str
    path: Path
    sha256: str
    body_line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A checked collection, documents in order of id. ``manifest_sha256`` changes with any byte of any file."""

    documents: tuple[CorpusDocument, ...]
    references: Mapping[str, Reference]
    manifest_sha256: str

    def document(self, document_id: str) -> CorpusDocument:
        """The document with this id; ``KeyError`` when unknown."""
        for document in self.documents:
            if document.meta.id == document_id:
                return document
        raise KeyError(document_id)


def load_corpus(folder: Path, *, skills: frozenset[str] | None = None) -> Corpus:
    """Read ``documents/*.md`` and ``references.yaml`` below ``folder``; ``ContentError`` lists every problem found.

    ``skills`` are the known skill codes, by default those of the shipped catalogue.
    """
    problems: list[Problem] = []
    loaded: list[Loaded[GuidanceDocument]] = []
    paths = sorted((folder / "documents").glob("*.md"))
    if not paths:
        problems.append(Problem(str(folder / "documents"), "there is no guidance document (*.md) in this folder"))
    for path in paths:
        try:
            loaded.append(load_front_matter(path, GuidanceDocument))
        except ContentError as error:
            problems.extend(error.problems)
    references: Loaded[References] | None = None
    try:
        references = load_content(folder / "references.yaml", References)
    except ContentError as error:
        problems.extend(error.problems)
    readable = {path.stem for path in paths}  # a link to a document that has problems of its own is not dead
    problems.extend(_cross_problems(loaded, readable, references, skill_catalogue().codes if skills is None else skills))
    if problems or references is None:
        raise ContentError(problems)
    documents = tuple(
        CorpusDocument(meta=item.value, body=item.body, path=item.path, sha256=item.sha256, body_line=item.body_line)
        for item in sorted(loaded, key=lambda item: item.value.id)
    )
    return Corpus(documents=documents, references=references.value.root, manifest_sha256=_manifest(documents, references.sha256))


def _manifest(documents: Iterable[CorpusDocument], references_sha256: str) -> str:
    digest = hashlib.sha256(f"references {references_sha256}\n".encode())
    for document in documents:
        digest.update(f"{document.meta.id} {document.sha256}\n".encode())
    return digest.hexdigest()


def _cross_problems(
    loaded: list[Loaded[GuidanceDocument]], readable: set[str], references: Loaded[References] | None, skills: frozenset[str]
) -> Iterator[Problem]:
    by_id: defaultdict[str, list[Loaded[GuidanceDocument]]] = defaultdict(list)
    for item in loaded:
        by_id[item.value.id].append(item)
    known = readable | set(by_id)
    headings = {item.value.id: sections(item.body) for item in loaded}
    for item in loaded:
        found: list[tuple[FieldPath, str]] = []
        if item.value.id != item.path.stem:
            found.append((("id",), f"the id is {item.value.id!r} but the file is called {item.path.name!r}"))
        if len(by_id[item.value.id]) > 1:
            others = ", ".join(other.path.name for other in by_id[item.value.id] if other is not item)
            found.append((("id",), f"the id {item.value.id!r} is also used by {others}"))
        keys = references.value.root.keys() if references is not None else None
        found.extend(_field_problems(item.value, known, keys, skills))
        if found:
            lines = _field_lines(item.path)
            for field, message in found:
                yield Problem(str(item.path), message, line=_line(field, lines), field=_dotted(field))
        yield from _body_problems(item, known, headings)


def _field_problems(
    meta: GuidanceDocument, known: set[str], keys: Iterable[str] | None, skills: frozenset[str]
) -> Iterator[tuple[FieldPath, str]]:
    known_keys = None if keys is None else set(keys)
    for number, claim in enumerate(meta.claims):
        for place, key in enumerate(claim.sources):
            if known_keys is not None and key not in known_keys:
                yield ("claims", number, "sources", place), f"the source key {key!r} is not in references.yaml"
    for number, code in enumerate(meta.skills):
        if code not in skills:
            yield ("skills", number), f"the skill code {code!r} is not in the skill catalogue"
    for number, related in enumerate(meta.related):
        if related == meta.id:
            yield ("related", number), "a document cannot be related to itself"
        elif related not in known:
            yield ("related", number), f"there is no document with the id {related!r}"


def _body_problems(
    item: Loaded[GuidanceDocument], known: set[str], headings: Mapping[str, tuple[Section, ...]]
) -> Iterator[Problem]:
    own = headings[item.value.id]
    if not own:
        yield Problem(str(item.path), "the document has no text below its front matter", line=item.body_line)
    for number, section in enumerate(own):
        deeper = number + 1 < len(own) and own[number + 1].level > section.level
        if section.start == section.end and not deeper:
            message = f"the section {section.heading!r} is empty"
            yield Problem(str(item.path), message, line=item.body_line + section.line)
    for link in links(item.body):
        if not _EXTERNAL.match(link.target) and not _leads_somewhere(link.target, item.value.id, known, headings):
            message = f"the link {link.target!r} leads nowhere: there is no such document or heading"
            yield Problem(str(item.path), message, line=item.body_line + link.line)


def _leads_somewhere(target: str, own_id: str, known: set[str], headings: Mapping[str, tuple[Section, ...]]) -> bool:
    name, _, anchor = target.partition("#")
    document = name.removeprefix("./").removesuffix(".md") or own_id
    if document not in known:
        return False
    return not anchor or document not in headings or any(section.slug == anchor for section in headings[document])


def _field_lines(path: Path) -> Mapping[FieldPath, int]:
    """The file line of every front-matter field. Only read again when there is a problem to point at."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    closing = next(index for index, line in enumerate(lines[1:], start=1) if line.rstrip() == "---")
    return parse_yaml("".join(lines[1:closing]), path, first_line=2)[1]


def _line(field: FieldPath, lines: Mapping[FieldPath, int]) -> int | None:
    while field and field not in lines:
        field = field[:-1]
    return lines.get(field)


def _dotted(field: FieldPath) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in field).lstrip(".")
