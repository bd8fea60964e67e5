"""How good the search is, measured on queries with known answers. Plain figures, no model as judge.

Answers are graded by document. A passage stands for its document; a document's place is that of its first passage.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, RootModel

from core.content import ContentModel, load_content
from core.errors import ContentError, Problem
from retrieval.documents import Corpus
from retrieval.query import Query
from retrieval.retriever import ALL_CHANNELS, Channel, Ranking, Retriever

NO_ANSWER = "no_answer"


class GoldQuery(ContentModel):
    """One query with the grade of every document that helps: 3 answers it, 2 helps, 1 touches it. Empty: nothing answers it."""

    id: str = Field(min_length=1)
    query: str = Field(min_length=1)
    relevant: dict[str, int]
    kind: str = Field(min_length=1)


class _GoldFile(RootModel[tuple[GoldQuery, ...]]):
    """The whole file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingQuality:
    """Means over the answerable queries, all in [0, 1].

    ``shown_recall``: share of the relevant documents among those of the first five passages, which is what a person is shown.
    ``recall_at_5``: the same over the first five distinct documents. ``ndcg_at_10``: over the first ten distinct documents, gain
    ``2**grade - 1``. ``mrr``: of the first relevant document there.
    """

    queries: int
    shown_recall: float
    recall_at_5: float
    ndcg_at_10: float
    mrr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstentionQuality:
    """How well the search knows when to say nothing.

    ``caught``: share of the queries without an answer that got none. ``precision``: share of all abstentions that were right,
    None without any. ``false_abstention``: share of the answerable queries that got no answer.
    """

    no_answer_queries: int
    answerable_queries: int
    caught: float
    precision: float | None
    false_abstention: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Ranking per channel alone and together, and abstention as the search is set."""

    ranking: dict[str, RankingQuality]
    abstention: AbstentionQuality

    def table(self) -> str:
        """The figures as a Markdown table."""
        rows = ["| channel | queries | recall in 5 passages | recall@5 documents | nDCG@10 | MRR |", "|---|---|---|---|---|---|"]
        for name, q in self.ranking.items():
            rows.append(f"| {name} | {q.queries} | {q.shown_recall:.3f} | {q.recall_at_5:.3f} | {q.ndcg_at_10:.3f} | {q.mrr:.3f} |")
        held = self.abstention
        precision = "none made" if held.precision is None else f"{held.precision:.0%}"
        rows.append("")
        rows.append(
            f"Abstention: {held.caught:.0%} of {held.no_answer_queries} queries without an answer caught, precision {precision}, "
            f"false abstention {held.false_abstention:.0%} of {held.answerable_queries}."
        )
        return "\n".join(rows)


def load_gold(path: Path, corpus: Corpus) -> tuple[GoldQuery, ...]:
    """The gold queries; ``ContentError`` for unknown documents, grades outside 1 to 3, doubled ids, or kinds that do not fit."""
    gold = load_content(path, _GoldFile).value.root
    known = {document.meta.id for document in corpus.documents}
    problems: list[Problem] = []
    seen: set[str] = set()
    for number, item in enumerate(gold):
        field = f"[{number}].relevant ({item.id})"
        for document, grade in item.relevant.items():
            if document not in known:
                problems.append(Problem(str(path), f"there is no document {document!r}", field=field))
            if not 1 <= grade <= 3:
                problems.append(Problem(str(path), f"the grade {grade} is not 1, 2 or 3", field=field))
        if item.id in seen:
            problems.append(Problem(str(path), f"the id {item.id!r} is used twice", field=f"[{number}].id"))
        if (item.kind == NO_ANSWER) != (not item.relevant):
            message = "a query is of the kind no_answer exactly when no document is relevant"
            problems.append(Problem(str(path), message, field=f"[{number}].kind ({item.id})"))
        seen.add(item.id)
    if problems:
        raise ContentError(problems)
    return gold


def evaluate(retriever: Retriever, gold: Sequence[GoldQuery]) -> Evaluation:
    """Run every query by each channel alone and by all, and compare with the grades."""
    available = retriever.rank(Query(gold[0].query)).channels
    sets: dict[str, frozenset[Channel]] = {str(channel): frozenset({channel}) for channel in available}
    sets["together"] = ALL_CHANNELS
    return Evaluation(
        ranking={name: ranking_quality(gold, _ranked_by(retriever, channels)) for name, channels in sets.items()},
        abstention=abstention_quality(gold, lambda item: retriever.search(Query(item.query)).abstained),
    )


def ranking_quality(gold: Sequence[GoldQuery], ranked: Callable[[GoldQuery, int], Sequence[str]]) -> RankingQuality:
    """``ranked(query, k)`` gives the documents of the first ``k`` passages, best first."""
    answerable = [item for item in gold if item.relevant]
    seen, recalls, gains, firsts = [], [], [], []
    for item in answerable:
        most = min(5, len(item.relevant))
        order = list(dict.fromkeys(ranked(item, 60)))[:10]
        seen.append(len(set(ranked(item, 5)) & item.relevant.keys()) / most)
        recalls.append(len(set(order[:5]) & item.relevant.keys()) / most)
        ideal = _dcg(sorted(item.relevant.values(), reverse=True)[:10])
        gains.append(_dcg([item.relevant.get(name, 0) for name in order]) / ideal)
        firsts.append(next((1 / rank for rank, name in enumerate(order, start=1) if name in item.relevant), 0.0))
    return RankingQuality(
        queries=len(answerable), shown_recall=_mean(seen), recall_at_5=_mean(recalls), ndcg_at_10=_mean(gains), mrr=_mean(firsts)
    )


def abstention_quality(gold: Sequence[GoldQuery], abstains: Callable[[GoldQuery], bool]) -> AbstentionQuality:
    """``abstains(query)`` says whether the search gave no answer."""
    answerable = [abstains(item) for item in gold if item.relevant]
    unanswerable = [abstains(item) for item in gold if not item.relevant]
    made = sum(answerable) + sum(unanswerable)
    return AbstentionQuality(
        no_answer_queries=len(unanswerable), answerable_queries=len(answerable), caught=_mean([float(x) for x in unanswerable]),
        precision=sum(unanswerable) / made if made else None, false_abstention=_mean([float(x) for x in answerable]),
    )  # fmt: skip


def support_figures(retriever: Retriever, gold: Sequence[GoldQuery]) -> list[tuple[GoldQuery, Ranking]]:
    """Every query with its ranking before abstention: what the limits are set on."""
    return [(item, retriever.rank(Query(item.query))) for item in gold]


def _ranked_by(retriever: Retriever, channels: frozenset[Channel]) -> Callable[[GoldQuery, int], Sequence[str]]:
    def ranked(item: GoldQuery, k: int) -> Sequence[str]:
        return [hit.passage.document for hit in retriever.rank(Query(item.query), k, channels=channels).hits]

    return ranked


def _dcg(grades: Sequence[int]) -> float:
    return math.fsum((2**grade - 1) / math.log2(place + 1) for place, grade in enumerate(grades, start=1))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
