"""The two things read from Markdown: where its sections are, and where its links go. Offsets are exact, nothing is rendered."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_LINK = re.compile(r"\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?[^)\n]*\)")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")

OPENING_SLUG = "opening"
"""Slug of the words that stand before the first heading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One heading with the words under it: ``body[start:end]``, trimmed of white space; ``start == end`` when there are none.

    ``line`` is the heading's line in the body, from 0. ``slug`` is unique in its document.
    """

    heading: str
    level: int
    slug: str
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a Markdown link points, and its line in the body, from 0."""

    target: str
    line: int


def slug_of(heading: str) -> str:
    """Lower-case ASCII letters and digits joined by hyphens; ``section`` when nothing is left."""
    plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode("ascii").lower().replace("'", "")
    return _NOT_SLUG.sub("-", plain).strip("-") or "section"


def free_slug(wanted: str, taken: set[str]) -> str:
    """``wanted``, or ``wanted-2``, ``wanted-3``, ... whichever is not taken yet; the answer is added to ``taken``."""
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    taken.add(slug)
    return slug


def sections(body: str) -> tuple[Section, ...]:
    """All sections in order. Words before the first heading are a section without heading (level 0), when there are any."""
    marks: list[tuple[str, int, int, int, int]] = [("", 0, 0, 0, 0)]  # heading, level, line, start of its line, start of its text
    position, fence = 0, ""
    for number, line in enumerate(body.split("\n")):
        bare = line.rstrip("\r")
        opening = _FENCE.match(bare)
        if opening:
            fence = "" if fence == opening[1] else fence or opening[1]
        elif not fence and (found := _HEADING.match(bare)):
            marks.append((found[2].strip(), len(found[1]), number, position, position + len(line) + 1))
        position += len(line) + 1
    taken: set[str] = set()
    result: list[Section] = []
    for index, (heading, level, number, _, text_start) in enumerate(marks):
        text_end = marks[index + 1][3] if index + 1 < len(marks) else len(body)
        start, end = trimmed(body, min(text_start, len(body)), text_end)
        if level == 0 and start == end:
            continue
        slug = free_slug(slug_of(heading) if level else OPENING_SLUG, taken)
        result.append(Section(heading=heading, level=level, slug=slug, line=number, start=start, end=end))
    return tuple(result)


def links(body: str) -> tuple[Link, ...]:
    """All inline links, in order."""
    return tuple(Link(target=found[1], line=body.count("\n", 0, found.start())) for found in _LINK.finditer(body))


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space at its ends; an empty span when there is nothing else."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else (start, start)
