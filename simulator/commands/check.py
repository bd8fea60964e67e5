"""``check``: validate personas, rubrics, corpus, prompts, settings and database, and list every problem at once."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from core.content import load_content
from core.errors import ContentError, InvalidInput, Problem, StorageError
from core.skills import skill_catalogue
from language_models.prompts import PromptTemplate
from personas.checks import check_reply
from personas.library import SHIPPED as SHIPPED_PERSONAS
from personas.library import PersonaLibrary, persona_files
from personas.lint import lint_persona
from personas.rules import client_rules
from personas.schema import Persona
from retrieval.documents import load_corpus
from rubrics.appraiser import CueAppraiser
from rubrics.library import SHIPPED as SHIPPED_RUBRICS
from rubrics.library import RubricLibrary
from rubrics.schema import Rubric
from simulator.cli import DONE, WRONG_USE, say
from simulator.services import read_models_file
from simulator.settings import Settings, read_settings
from simulator.wording import wording
from storage.upgrade import ready_database

_ROOT = Path(__file__).resolve().parent.parent.parent


def run(options: argparse.Namespace) -> int:
    """Everything, or only the given files and folders. Exit code 2 when anything is wrong."""
    problems = list(check_paths(options.paths) if options.paths else check_everything(read_settings()))
    for problem in problems:
        say(str(problem))
    say("Everything is in order." if not problems else f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'} found.")
    return WRONG_USE if problems else DONE


def check_everything(settings: Settings) -> Iterator[Problem]:
    """All shipped and configured content, the prompts, the model profiles and the database."""
    for load in (skill_catalogue, client_rules, wording, CueAppraiser):
        yield from _problems_of(load)
    yield from _problems_of(lambda: check_reply("", _any_persona(), locked=(), longest=1))
    for path in persona_files((SHIPPED_PERSONAS, *settings.persona_folders)):
        yield from _check_persona(path)
    yield from _problems_of(lambda: PersonaLibrary((SHIPPED_PERSONAS, *settings.persona_folders)))
    yield from _problems_of(lambda: RubricLibrary((SHIPPED_RUBRICS, *settings.rubric_folders)))
    yield from _problems_of(lambda: load_corpus(settings.corpus_folder))
    for path in sorted(_ROOT.glob("*/prompts/*.j2")):
        yield from _problems_of(partial(PromptTemplate.load, path))
    yield from _problems_of(lambda: read_models_file(settings))
    try:
        ready_database(settings.url).close()
    except StorageError as error:
        yield Problem(settings.url, error.message)


def check_paths(paths: list[Path]) -> Iterator[Problem]:
    """Given files and folders: what each is, is told by its folder and ending."""
    for path in paths:
        if path.is_dir() and (path / "documents").is_dir():
            yield from _problems_of(partial(load_corpus, path))
        elif path.is_dir():
            found = sorted([*path.glob("*.yaml"), *path.glob("*.j2")])
            if not found:
                yield Problem(str(path), "holds no persona, rubric or prompt files")
            yield from check_paths(found)
        elif path.suffix == ".j2":
            yield from _problems_of(partial(PromptTemplate.load, path))
        elif path.suffix in (".yaml", ".yml"):
            yield from _check_yaml(path)
        elif not path.exists():
            raise InvalidInput(f"There is no file or folder {path}.")
        else:
            yield Problem(str(path), "is neither a YAML file, a prompt (.j2) nor a corpus folder")


def _check_yaml(path: Path) -> Iterator[Problem]:
    try:
        is_rubric = "criteria:" in path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        is_rubric = False  # load_content says what is wrong
    yield from (_problems_of(lambda: load_content(path, Rubric)) if is_rubric else _check_persona(path))


def _check_persona(path: Path) -> Iterator[Problem]:
    try:
        persona = load_content(path, Persona).value
    except ContentError as error:
        yield from error.problems
        return
    for lint in lint_persona(persona):
        if lint.fatal:
            yield Problem(str(path), lint.message, field=lint.field)
        else:
            say(f"note: {path}: {lint.field}: {lint.message}")


def _any_persona() -> Persona:
    return PersonaLibrary().all()[0]


def _problems_of(load: Callable[[], object]) -> Iterator[Problem]:
    try:
        load()
    except ContentError as error:
        yield from error.problems
