"""Reading content files (YAML, and Markdown with YAML front matter) into strict types, reporting every problem at once.

Content is data by people: unknown keys, duplicate keys, aliases and over-large files are refused with file, line and field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import ContentError, Problem

MAX_CONTENT_BYTES = 1_000_000
Location = tuple[str | int, ...]


class ContentModel(BaseModel):
    """Base of every content schema: unknown fields are refused, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


ModelT = TypeVar("ModelT", bound=BaseModel)
ValueT = TypeVar("ValueT")


_FastestSafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same rules in C where the wheel has it: ten times faster


class _ContentLoader(_FastestSafeLoader):  # type: ignore[misc]  # chosen at import
    """SafeLoader without YAML 1.1 surprises: only true/false are booleans, so keys and words such as on, no, yes stay text."""


_ContentLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class Loaded(Generic[ValueT]):
    """A validated value with where it came from. ``sha256`` is over the file's bytes; ``body`` is the Markdown after front matter."""

    value: ValueT
    path: Path
    sha256: str
    body: str = ""
    body_line: int = 1


def load_content(path: Path, model: type[ModelT]) -> Loaded[ModelT]:
    """Read one YAML file as ``model``. Raises ``ContentError`` with every problem found."""
    text, digest = _read(path)
    return Loaded(_validate(text, path, model, first_line=1), path, digest)


def load_front_matter(path: Path, model: type[ModelT]) -> Loaded[ModelT]:
    """Read a Markdown file whose first lines are YAML between ``---`` lines. Raises ``ContentError``."""
    text, digest = _read(path)
    lines = text.splitlines(keepends=True)
    closing = next((i for i, line in enumerate(lines[1:], start=1) if line.rstrip() == "---"), None)
    if not lines or lines[0].rstrip() != "---" or closing is None:
        raise ContentError([Problem(str(path), "front matter between two '---' lines is missing", line=1)])
    value = _validate("".join(lines[1:closing]), path, model, first_line=2)
    return Loaded(value, path, digest, body="".join(lines[closing + 1 :]), body_line=closing + 2)


def load_all(paths: Iterable[Path], model: type[ModelT]) -> list[Loaded[ModelT]]:
    """Read several YAML files; the ``ContentError`` raised covers all of them."""
    loaded: list[Loaded[ModelT]] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            loaded.append(load_content(path, model))
        except ContentError as error:
            problems.extend(error.problems)
    if problems:
        raise ContentError(problems)
    return loaded


def parse_yaml(text: str, path: Path, *, first_line: int = 1) -> tuple[Any, dict[Location, int]]:
    """Parse YAML text; returns the value and the line of every field. Raises ``ContentError`` on syntax problems."""
    try:
        loader = _ContentLoader(text)
        try:
            for event in _events(text):
                if isinstance(event, yaml.events.AliasEvent):
                    raise ContentError(
                        [
                            Problem(
                                str(path),
                                "YAML aliases (*name) are not allowed here",
                                line=event.start_mark.line + first_line if event.start_mark else None,
                            )
                        ]
                    )
            node = loader.get_single_node()
            if node is None:
                raise ContentError([Problem(str(path), "the file is empty", line=first_line)])
            lines: dict[Location, int] = {}
            problems: list[Problem] = []
            _walk(node, (), lines, problems, str(path), first_line)
            if problems:
                raise ContentError(problems)
            return loader.construct_document(node), lines
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + first_line if mark is not None else None
        raise ContentError([Problem(str(path), f"not valid YAML: {error.problem or error.context}", line=line)]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ContentError([Problem(str(path), f"not valid YAML: {error}", line=first_line)]) from error


def _events(text: str) -> Iterable[yaml.events.Event]:
    return yaml.parse(text, Loader=_ContentLoader)


def _read(path: Path) -> tuple[str, str]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ContentError([Problem(str(path), f"cannot be read: {error.strerror or error}")]) from error
    if len(data) > MAX_CONTENT_BYTES:
        raise ContentError([Problem(str(path), f"is {len(data):,} bytes; the limit is {MAX_CONTENT_BYTES:,}")])
    try:
        return data.decode("utf-8"), hashlib.sha256(data).hexdigest()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ContentError([Problem(str(path), "is not UTF-8 text", line=line)]) from error


def _walk(node: yaml.Node, at: Location, lines: dict[Location, int], problems: list[Problem], path: str, first_line: int) -> None:
    lines[at] = node.start_mark.line + first_line
    if isinstance(node, yaml.MappingNode):
        seen: set[Hashable] = set()
        for key_node, value_node in node.value:
            key = str(key_node.value)
            where = key_node.start_mark.line + first_line
            if key in seen:
                problems.append(Problem(path, "this key is given twice", line=where, field=_dotted((*at, key))))
            seen.add(key)
            _walk(value_node, (*at, key), lines, problems, path, first_line)
            lines[(*at, key)] = where
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*at, index), lines, problems, path, first_line)


def _validate(text: str, path: Path, model: type[ModelT], *, first_line: int) -> ModelT:
    raw, lines = parse_yaml(text, path, first_line=first_line)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = []
        for item in error.errors(include_url=False, include_context=False, include_input=False):
            location: Location = tuple(item["loc"])
            problems.append(Problem(str(path), _plain(item["msg"], item["type"]), line=_line(location, lines), field=_dotted(location)))
        raise ContentError(problems) from error


def _line(location: Location, lines: dict[Location, int]) -> int | None:
    """The line of the field, or of its nearest parent that is in the file (a missing field has no line of its own)."""
    while location not in lines and location:
        location = location[:-1]
    return lines.get(location)


def _dotted(location: Location) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _plain(message: str, kind: str) -> str:
    known = {"missing": "this field is required", "extra_forbidden": "this field is not known; check its spelling"}
    return known.get(kind, message.removeprefix("Value error, "))
