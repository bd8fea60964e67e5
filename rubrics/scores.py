"""What a scorer says about one reply. A level always stands on the trainee's own words; there is no default number."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, cast

from core.evidence import Evidence

Status = Literal["scored", "not_applicable", "unscored"]
Confidence = Literal["low", "medium", "high"]

LOWEST, HIGHEST = 1, 5
QUOTE_NOT_FOUND = "the quotation was not found in the reply"

_STATUSES = ("scored", "not_applicable", "unscored")
_CONFIDENCES = (None, "low", "medium", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionScore:
    """One criterion for one reply.

    ``level`` (1-5) and ``value`` (the estimate behind it, 1.0-5.0) exist only with status ``scored``, and then ``evidence`` is not
    empty. ``facets`` are 0-2 each. ``anchor`` names the anchor that was met, as ``empathy.3``. ``reason`` is one sentence fit for a
    trainee. Raises ``ValueError`` when the parts contradict one another.
    """

    criterion: str
    status: Status
    level: int | None = None
    value: float | None = None
    facets: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    evidence: tuple[Evidence, ...] = ()
    anchor: str | None = None
    reason: str = ""
    confidence: Confidence | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "facets", MappingProxyType(dict(self.facets)))
        object.__setattr__(self, "evidence", tuple(self.evidence))
        if self.status not in _STATUSES:
            raise ValueError(f"{self.criterion}: unknown status {self.status!r}")
        if self.confidence not in _CONFIDENCES:
            raise ValueError(f"{self.criterion}: unknown confidence {self.confidence!r}")
        if any(isinstance(f, bool) or f not in (0, 1, 2) for f in self.facets.values()):
            raise ValueError(f"{self.criterion}: a facet is 0, 1 or 2")
        if self.status == "scored":
            self._check_scored()
        elif self.level is not None or self.value is not None:
            raise ValueError(f"{self.criterion}: {self.status} carries no level and no value")
        elif not self.reason.strip():
            raise ValueError(f"{self.criterion}: {self.status} needs a reason")

    def _check_scored(self) -> None:
        if not isinstance(self.level, int) or isinstance(self.level, bool) or not LOWEST <= self.level <= HIGHEST:
            raise ValueError(f"{self.criterion}: a scored criterion needs a level from 1 to 5, not {self.level!r}")
        if self.value is not None and not (math.isfinite(self.value) and LOWEST <= self.value <= HIGHEST):
            raise ValueError(f"{self.criterion}: value {self.value!r} is not between 1 and 5")
        if not self.evidence:
            raise ValueError(f"{self.criterion}: a level needs the trainee's words as evidence")

    def unscored(self, reason: str) -> CriterionScore:
        """The same criterion without a level, and why."""
        return CriterionScore(criterion=self.criterion, status="unscored", reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmFlag:
    """Something in the reply that may do damage, reported before anything else. ``criterion`` is the one it caps."""

    id: str
    label: str
    criterion: str
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """All criteria of one rubric for one reply, in the rubric's order. ``scorer`` is the fingerprint of what computed it."""

    rubric: str
    rubric_version: int
    scorer: str
    criteria: tuple[CriterionScore, ...]
    flags: tuple[HarmFlag, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "criteria", tuple(self.criteria))
        object.__setattr__(self, "flags", tuple(self.flags))
        ids = [score.criterion for score in self.criteria]
        if len(set(ids)) != len(ids):
            raise ValueError(f"{self.rubric}: a criterion is scored twice in {ids}")

    def get(self, criterion: str) -> CriterionScore:
        """The score of one criterion. Raises ``KeyError`` when the rubric has none of that id."""
        for score in self.criteria:
            if score.criterion == criterion:
                return score
        raise KeyError(criterion)

    def to_json(self) -> str:
        """The report as one JSON object; ``from_json`` gives back an equal report."""
        return json.dumps(
            {
                "rubric": self.rubric,
                "rubric_version": self.rubric_version,
                "scorer": self.scorer,
                "criteria": [_criterion_to_data(score) for score in self.criteria],
                "flags": [
                    {"id": f.id, "label": f.label, "criterion": f.criterion, "evidence": _evidence_to_data(f.evidence)} for f in self.flags
                ],
            },
            ensure_ascii=False,
        )

    @staticmethod
    def from_json(text: str) -> ScoreReport:
        """Read what ``to_json`` wrote. Raises ``ValueError`` when it is something else or contradicts itself."""
        try:
            data = json.loads(text)
            return ScoreReport(
                rubric=str(data["rubric"]),
                rubric_version=int(data["rubric_version"]),
                scorer=str(data["scorer"]),
                criteria=tuple(_criterion_from_data(item) for item in data["criteria"]),
                flags=tuple(
                    HarmFlag(id=f["id"], label=f["label"], criterion=f["criterion"], evidence=_evidence_from_data(f["evidence"]))
                    for f in data["flags"]
                ),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a score report: {error!r}") from error


def verified(report: ScoreReport, reply: str) -> ScoreReport:
    """``report`` with every quotation checked again against ``reply``.

    A quotation that does not stand at its offsets is dropped; a level left without any becomes unscored. A flag that quoted words
    which are not there goes; one that never had a quotation (something was left unsaid) stays.
    """
    criteria = []
    for score in report.criteria:
        kept = tuple(e for e in score.evidence if e.holds_in(reply))
        if score.status == "scored" and not kept:
            criteria.append(score.unscored(QUOTE_NOT_FOUND))
        else:
            criteria.append(score if kept == score.evidence else replace(score, evidence=kept))
    flags = tuple(flag for flag in report.flags if flag.evidence is None or flag.evidence.holds_in(reply))
    return replace(report, criteria=tuple(criteria), flags=flags)


def _evidence_to_data(evidence: Evidence | None) -> dict[str, str | int] | None:
    return None if evidence is None else {"quote": evidence.quote, "start": evidence.start, "end": evidence.end}


def _evidence_from_data(data: Mapping[str, object] | None) -> Evidence | None:
    if data is None:
        return None
    quote, start, end = data["quote"], data["start"], data["end"]
    if not isinstance(quote, str) or not isinstance(start, int) or not isinstance(end, int):
        raise TypeError("a quotation needs words and two offsets")
    return Evidence(quote=quote, start=start, end=end)


def _criterion_to_data(score: CriterionScore) -> dict[str, object]:
    return {
        "criterion": score.criterion,
        "status": score.status,
        "level": score.level,
        "value": score.value,
        "facets": dict(score.facets),
        "evidence": [_evidence_to_data(e) for e in score.evidence],
        "anchor": score.anchor,
        "reason": score.reason,
        "confidence": score.confidence,
    }


def _criterion_from_data(data: Mapping[str, object]) -> CriterionScore:
    evidence = cast("list[Mapping[str, object]]", data["evidence"])
    found = tuple(e for item in evidence if (e := _evidence_from_data(item)) is not None)
    return CriterionScore(
        criterion=str(data["criterion"]),
        status=cast("Status", data["status"]),
        level=cast("int | None", data["level"]),
        value=cast("float | None", data["value"]),
        facets=cast("Mapping[str, int]", data["facets"]),
        evidence=found,
        anchor=cast("str | None", data["anchor"]),
        reason=str(data["reason"]),
        confidence=cast("Confidence | None", data["confidence"]),
    )
