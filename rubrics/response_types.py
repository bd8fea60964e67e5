"""A rubric compiled into the type a model has to answer in, so that it cannot answer past the rubric."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, create_model, field_validator, model_validator

from rubrics.schema import Rubric

MOST_QUOTES = 4
LONGEST_REASON = 300


class CriterionAnswer(BaseModel):
    """What the model says about one criterion. Quotations and reason stand before the level: first look, then judge."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Literal["scored", "nothing_to_score"]
    quotes: tuple[str, ...]
    reason: str
    anchor: str | None
    level: Literal[1, 2, 3, 4, 5] | None
    uncertainty: Literal["low", "medium", "high"]

    @field_validator("quotes")
    @classmethod
    def _few(cls, quotes: tuple[str, ...]) -> tuple[str, ...]:
        return quotes[:MOST_QUOTES]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> CriterionAnswer:
        if self.status == "scored":
            if self.level is None:
                raise ValueError("a scored criterion needs a level")
            if not self.quotes:
                raise ValueError("a scored criterion needs at least one exact quotation from the reply")
            if self.anchor is not None and not self.anchor.endswith(f".{self.level}"):
                raise ValueError(f"level {self.level} and anchor {self.anchor} are not the same")
        elif self.level is not None:
            raise ValueError("a criterion with nothing to score has no level")
        return self


class RubricAnswer(BaseModel):
    """Base of the compiled types: one ``CriterionAnswer`` per criterion, under the criterion's id."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def answer_about(criterion_id: str, answer: RubricAnswer) -> CriterionAnswer:
    """The part of ``answer`` about one criterion. Raises ``KeyError`` when its rubric had no such criterion."""
    part = getattr(answer, criterion_id, None)
    if not isinstance(part, CriterionAnswer):
        raise KeyError(criterion_id)
    return part


def answer_type(rubric: Rubric) -> type[RubricAnswer]:
    """The type for ``rubric``; the same rubric ids give the same type, so that its schema is made once."""
    return _compiled(tuple(criterion.id for criterion in rubric.criteria))


@lru_cache(maxsize=64)
def _compiled(criterion_ids: tuple[str, ...]) -> type[RubricAnswer]:
    fields: dict[str, Any] = {}
    for criterion_id in criterion_ids:
        anchors: Any = Literal[tuple(f"{criterion_id}.{level}" for level in range(1, 6))]  # only known when the rubric is read
        name = f"{criterion_id.title().replace('_', '')}Answer"
        fields[criterion_id] = (create_model(name, __base__=CriterionAnswer, anchor=(anchors | None, ...)), ...)
    return create_model("RubricAnswer", __base__=RubricAnswer, **fields)
