"""Prompts are files with declared inputs, rendered strictly. What people wrote goes in as a value between marked lines.

A prompt file is Markdown with YAML front matter (``name``, ``version``, ``inputs``) and a Jinja body. The body uses exactly the
declared inputs. Text typed by people is never a template: ``{{`` in it is two characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field, StringConstraints

from core.content import ContentModel, load_front_matter
from core.errors import ContentError, Problem
from core.replies import clean_text

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


class PromptHeader(ContentModel):
    """Front matter of a prompt file. ``version`` counts up with every change of meaning; ``inputs`` are the variables it uses."""

    name: Name
    version: Annotated[int, Field(ge=1)]
    inputs: tuple[Name, ...] = ()
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A checked prompt. ``sha256`` is over the file's bytes and goes into every call's record."""

    header: PromptHeader
    path: Path
    sha256: str
    _template: Template

    @staticmethod
    def load(path: Path) -> PromptTemplate:
        """Read and check a prompt file; unchanged files are read once. Raises ``ContentError`` naming file, line and field."""
        try:
            changed = path.stat().st_mtime_ns
        except OSError as error:
            raise ContentError([Problem(str(path), f"cannot be read: {error.strerror or error}")]) from error
        return _load(path, changed)

    @property
    def inputs(self) -> frozenset[str]:
        """The names ``render`` needs, all of them and no others."""
        return frozenset(self.header.inputs)

    def render(self, **values: object) -> str:
        """Fill in the declared inputs. Raises ``ContentError`` when one is missing, unknown, or lacks a field the prompt uses."""
        problems = [f"the input “{name}” was not given" for name in sorted(self.inputs - values.keys())]
        problems += [f"“{name}” was given but is not declared in inputs" for name in sorted(values.keys() - self.inputs)]
        if problems:
            raise ContentError([Problem(str(self.path), problem, field="inputs") for problem in problems])
        try:
            return self._template.render(values).strip()
        except TemplateError as error:
            raise ContentError([Problem(str(self.path), f"cannot be filled in: {error.message}")]) from error


@lru_cache(maxsize=128)
def _load(path: Path, _changed: int) -> PromptTemplate:
    loaded = load_front_matter(path, PromptHeader)
    offset = loaded.body_line - 1
    environment = _environment()
    try:
        tree = environment.parse(loaded.body)
        problems = [
            Problem(str(path), "a prompt cannot include or import other files", line=node.lineno + offset)
            for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends))
        ]
        used = meta.find_undeclared_variables(tree)
        template = environment.from_string(loaded.body)
    except TemplateSyntaxError as error:
        raise ContentError([Problem(str(path), f"not a valid template: {error.message}", line=error.lineno + offset)]) from error
    except TemplateError as error:
        raise ContentError([Problem(str(path), f"not a valid template: {error.message}")]) from error
    declared = set(loaded.value.inputs)
    problems += [
        Problem(str(path), f"the text uses “{name}”, which is not declared", line=_line_of(tree, name, offset), field="inputs")
        for name in sorted(used - declared)
    ]
    problems += [Problem(str(path), f"“{name}” is declared and never used", field="inputs") for name in sorted(declared - used)]
    if len(declared) != len(loaded.value.inputs):
        problems.append(Problem(str(path), "an input is listed twice", field="inputs"))
    if problems:
        raise ContentError(problems)
    return PromptTemplate(loaded.value, path, loaded.sha256, template)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # prompts are plain text for a model, never HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.clear()  # no range(), no lipsum(): a prompt uses its declared inputs and nothing else
    return environment


def _line_of(tree: nodes.Template, name: str, offset: int) -> int | None:
    found: Iterable[nodes.Name] = (node for node in tree.find_all(nodes.Name) if node.name == name)
    first = next(iter(found), None)
    return first.lineno + offset if first is not None else None


# Words that chat templates of local models read as turn boundaries, wherever they stand. Broken by a space inside fenced text.
_TURN_MARKS = re.compile(r"<(?=\|)|\|(?=>)|\[(?=/?INST\])|<(?=<SYS>>|</SYS>>|/?s>|(?:start|end)_of_turn>)", re.IGNORECASE)


def new_marker(random_bytes: Callable[[int], bytes]) -> str:
    """A line nobody can guess. ``random_bytes`` is ``secrets.token_bytes``, or ``random.Random(seed).randbytes`` for replays."""
    return f"=====TEXT-{random_bytes(9).hex()}====="


def fence(text: str, marker: str) -> str:
    """``text`` as data between two ``marker`` lines.

    Invisible and control characters are dropped, every occurrence of the marker inside is removed, and chat-template turn marks
    are broken, so that the text can neither end its fence nor open a turn of its own.
    """
    if not marker.strip():
        raise ValueError("a fence needs a marker")
    inside = _TURN_MARKS.sub(lambda found: found.group() + " ", clean_text(text).text)
    pattern = re.compile(re.escape(marker), re.IGNORECASE)
    removed = 1
    while removed:  # taking one out can bring the halves of another together
        inside, removed = pattern.subn("", inside)
    return f"{marker}\n{inside.strip()}\n{marker}"
