"""``score``: replies in, scores out, one JSON object a line each way. Nothing is scored while a line of the input is wrong."""

from __future__ import annotations

import argparse
import dataclasses
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from core.appraisal import SkillAppraisal
from core.errors import ContentError, Problem, StorageError
from core.transcript import Speaker, Transcript, Utterance
from rubrics.embedded_scorer import EmbeddedScorer
from rubrics.model_scorer import ModelScorer
from rubrics.schema import Rubric
from rubrics.scores import CriterionScore, ScoreReport
from simulator.cli import DONE, say
from simulator.coach import leading_skill
from simulator.services import Services, open_services
from simulator.settings import read_settings

Scorer = EmbeddedScorer | ModelScorer


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    speaker: str
    text: str


class ReplyLine(BaseModel):
    """One line of the input. Further keys are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)
    id: str | int
    context: list[_Said]
    reply: str


def run(options: argparse.Namespace) -> int:
    """Score every line, in order."""
    lines = read_lines(options.input)
    with open_services(read_settings()) as services:
        rubric = services.rubrics.get(options.rubric)
        scorer = _scorer(services, rubric, options.model)
        support = _cached_citations(services, rubric)
        try:
            with options.output.open("w", encoding="utf-8") as out:
                for number, (line, context) in enumerate(lines, start=1):
                    appraisal = services.appraiser.appraise(context, line.reply)
                    report = scorer.score(context, line.reply, appraisal)
                    out.write(json.dumps(_record(line, appraisal, report, support), ensure_ascii=False) + "\n")
                    if number % 100 == 0:
                        say(f"{number}/{len(lines)}")
        except OSError as error:
            raise StorageError(f"{options.output} could not be written: {error.strerror}.") from error
        say(f"{len(lines)} replies scored with {scorer.fingerprint}.")
    return DONE


def _scorer(services: Services, rubric: Rubric, model: str) -> Scorer:
    if services.engine_name(model if model != "auto" else "embedded") == "embedded":
        return EmbeddedScorer(rubric, services.appraiser)
    return ModelScorer(rubric, services.models.model(model), services.appraiser, secrets.token_bytes)


def read_lines(path: Path) -> list[tuple[ReplyLine, tuple[Utterance, ...]]]:
    """All lines, checked; ``ContentError`` names every line and field that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ContentError([Problem(str(path), f"cannot be read: {reason}")]) from error
    problems: list[Problem] = []
    lines = []
    for number, raw in enumerate(text.split("\n"), start=1):
        if not raw.strip():
            continue
        try:
            line = ReplyLine.model_validate(json.loads(raw))
            lines.append((line, Transcript.of([(_speaker(said.speaker), said.text) for said in line.context]).utterances))
        except json.JSONDecodeError as error:
            problems.append(Problem(str(path), f"is not JSON: {error.msg}", line=number))
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False, include_context=False):
                problems.append(Problem(str(path), item["msg"], line=number, field=".".join(str(part) for part in item["loc"])))
        except (ValueError, RecursionError) as error:
            problems.append(Problem(str(path), str(error), line=number))
    if problems or not lines:
        raise ContentError(problems or [Problem(str(path), "holds no lines")])
    return lines


def _speaker(name: str) -> Speaker:
    try:
        return Speaker(name)
    except ValueError:
        raise ValueError(f"the speaker is 'client' or 'therapist', not {name!r}") from None


Support = Callable[[str, str], list[dict[str, str]]]


def _cached_citations(services: Services, rubric: Rubric) -> Support:
    """Citations by what the reply did and the criterion: the same finding is supported by the same passage, looked up once."""
    known: dict[tuple[str, str], list[dict[str, str]]] = {}

    def support(criterion: str, skill: str) -> list[dict[str, str]]:
        if (criterion, skill) not in known:
            citation, _ = services.coach.find_citation((skill,), criterion, "", "")
            known[(criterion, skill)] = [{"passage": citation.passage, "quote": citation.quote}] if citation else []
        return known[(criterion, skill)]

    return support


def _record(line: ReplyLine, appraisal: SkillAppraisal, report: ScoreReport, support: Support) -> dict[str, Any]:
    criteria = {score.criterion: _criterion(score, appraisal, support) for score in report.criteria}
    return {
        "id": line.id,
        "appraisal": [{"skill": r.skill, "strength": r.strength, **dataclasses.asdict(r.evidence)} for r in appraisal.ratings],
        "signals": {key: round(value, 4) for key, value in sorted(appraisal.signals.items())},
        "criteria": criteria,
        "flags": [
            {"id": f.id, "label": f.label, "criterion": f.criterion, "evidence": dataclasses.asdict(f.evidence) if f.evidence else None}
            for f in report.flags
        ],
        "scorer": report.scorer,
    }


def _criterion(score: CriterionScore, appraisal: SkillAppraisal, support: Support) -> dict[str, Any]:
    skill = leading_skill(score, appraisal)
    citations = support(score.criterion, skill) if score.status == "scored" and skill else []
    return {
        "status": score.status,
        "level": score.level,
        "value": score.value,
        "facets": dict(score.facets),
        "evidence": [dataclasses.asdict(e) for e in score.evidence],
        "anchor": score.anchor,
        "reason": score.reason,
        "citations": citations,
        "confidence": score.confidence,
    }
