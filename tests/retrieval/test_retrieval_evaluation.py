from __future__ import annotations

import math
from pathlib import Path

import pytest

from core.errors import ContentError
from retrieval.documents import load_corpus
from retrieval.evaluation import GoldQuery, abstention_quality, evaluate, load_gold, ranking_quality
from retrieval.opening import open_guidance
from tests.retrieval.guidance_fakes import SKILLS, HashedBagEmbedding, WordCounter, document_text, write_corpus


def gold(identifier: str, **relevant: int) -> GoldQuery:
    return GoldQuery(id=identifier, query="words", relevant=relevant, kind="answerable" if relevant else "no_answer")


def test_ranking_figures_by_hand() -> None:
    queries = [gold("q1", a=3, b=1), gold("q2", c=2), gold("none")]
    order = {"q1": ["x", "a", "a", "y", "z", "b"], "q2": ["c"]}
    quality = ranking_quality(queries, lambda item, k: order[item.id][:k])
    assert quality.queries == 2
    assert quality.shown_recall == pytest.approx((1 / 2 + 1) / 2)  # b stands on the sixth passage
    assert quality.recall_at_5 == pytest.approx(1.0)  # and in the fifth place among documents
    assert quality.mrr == pytest.approx((1 / 2 + 1) / 2)
    ideal = 7 / math.log2(2) + 1 / math.log2(3)
    assert quality.ndcg_at_10 == pytest.approx(((7 / math.log2(3) + 1 / math.log2(6)) / ideal + 1) / 2)


def test_abstention_figures_by_hand() -> None:
    queries = [gold("q1", a=3), gold("q2", a=3), gold("n1"), gold("n2"), gold("n3")]
    quality = abstention_quality(queries, lambda item: item.id in {"q2", "n1", "n3"})
    assert (quality.no_answer_queries, quality.answerable_queries) == (3, 2)
    assert quality.caught == pytest.approx(2 / 3)
    assert quality.precision == pytest.approx(2 / 3)
    assert quality.false_abstention == pytest.approx(1 / 2)
    assert abstention_quality(queries, lambda item: False).precision is None


def test_every_channel_is_measured_alone_and_together(tmp_path: Path) -> None:
    bodies = {"silence-here": "## Silence\n\nSilence can be full.\n", "phone-there": "## Phone\n\nDecline to share a telephone number.\n"}
    write_corpus(tmp_path, {name: document_text(name, body) for name, body in bodies.items()})
    guidance = open_guidance(tmp_path, tokens=WordCounter(), embedding=HashedBagEmbedding(), index_folder=None, skills=SKILLS)
    queries = [
        GoldQuery(id="q1", query="a telephone number", relevant={"phone-there": 3}, kind="answerable"),
        GoldQuery(id="q2", query="full silence", relevant={"silence-here": 3}, kind="answerable"),
        GoldQuery(id="q3", query="zygote quark isotope", relevant={}, kind="no_answer"),
    ]
    result = evaluate(guidance.retriever, queries)
    assert list(result.ranking) == ["dense", "lexical", "together"]
    assert all(quality.mrr == 1.0 for quality in result.ranking.values())
    assert result.abstention.caught == 1.0
    assert "| together | 2 | 1.000 |" in result.table()
    words_only = open_guidance(tmp_path, tokens=WordCounter(), embedding=None, index_folder=None, skills=SKILLS)
    assert list(evaluate(words_only.retriever, queries).ranking) == ["lexical", "together"]


def test_a_gold_file_with_mistakes_is_refused_with_all_of_them(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"a-one": document_text("a-one", "## First\n\nWords.\n")})
    corpus = load_corpus(tmp_path, skills=SKILLS)
    path = tmp_path / "gold_queries.yaml"
    path.write_text(
        "- {id: q1, query: x, relevant: {nowhere: 3}, kind: answerable}\n"
        "- {id: q1, query: x, relevant: {a-one: 4}, kind: answerable}\n"
        "- {id: q3, query: x, relevant: {}, kind: answerable}\n"
        "- {id: q4, query: x, relevant: {a-one: 1}, kind: no_answer}\n"
    )
    with pytest.raises(ContentError) as caught:
        load_gold(path, corpus)
    text = str(caught.value)
    assert len(caught.value.problems) == 5
    assert "'nowhere'" in text
    assert "grade 4" in text
    assert "used twice" in text
    path.write_text("- {id: q1, query: x, relevant: {a-one: 3}, kind: answerable}\n")
    assert load_gold(path, corpus)[0].relevant == {"a-one": 3}
