"""The collection that ships with the app, with the embedding model that installs with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.skills import skill_catalogue
from language_models.embeddings import load_embedding_model
from language_models.tokens import OfflineTokenCounter
from retrieval.citations import cite, verify_citation
from retrieval.documents import load_corpus
from retrieval.evaluation import GoldQuery, evaluate, load_gold
from retrieval.opening import Guidance, open_guidance
from retrieval.query import Query, compose_query
from retrieval.retriever import Channel

FOLDER = Path(__file__).resolve().parents[2] / "corpus"
MODEL = load_embedding_model()
needs_model = pytest.mark.skipif(MODEL.model is None, reason=f"the embedding model is not installed: {MODEL.reason}")


@pytest.fixture(scope="module")
def guidance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guidance]:
    place = tmp_path_factory.mktemp("guidance")
    opened = open_guidance(FOLDER, tokens=OfflineTokenCounter(place / "tokens"), embedding=MODEL.model, index_folder=place / "index")
    yield opened
    opened.retriever.close()


@pytest.fixture(scope="module")
def gold(guidance: Guidance) -> dict[str, GoldQuery]:
    return {item.id: item for item in load_gold(FOLDER / "gold_queries.yaml", guidance.corpus)}


def test_it_is_valid_and_every_passage_can_be_searched_and_quoted(guidance: Guidance) -> None:
    assert len(guidance.corpus.documents) >= 15
    for passage in guidance.retriever.passages.values():
        assert 60 <= passage.tokens <= 350, passage.id
        assert guidance.corpus.document(passage.document).body[passage.start : passage.end] == passage.text
        citation = cite(passage, passage.heading)
        assert citation is not None, passage.id
        assert verify_citation(citation, guidance.retriever.passages)
        assert "you may read" not in citation.quote.lower()


def test_loading_twice_gives_the_same_manifest() -> None:
    assert load_corpus(FOLDER).manifest_sha256 == load_corpus(FOLDER).manifest_sha256


@needs_model
@pytest.mark.parametrize("query_id", ["q01", "q02", "q04", "q12", "q16", "q17", "q18", "q19", "q20", "q23", "q25", "q29", "q31", "q34"])
def test_a_trainees_words_bring_up_the_document_that_answers(guidance: Guidance, gold: dict[str, GoldQuery], query_id: str) -> None:
    item = gold[query_id]
    result = guidance.retriever.search(Query(item.query))
    answers = {document for document, grade in item.relevant.items() if grade == 3}
    assert not result.abstained
    assert result.channels == (Channel.DENSE, Channel.LEXICAL)
    assert answers & {hit.passage.document for hit in result.hits[:3]}, [hit.passage.id for hit in result.hits]


@needs_model
def test_questions_about_other_things_get_no_answer(guidance: Guidance) -> None:
    for text in ("Which gearbox fits a tractor from 1974?", "pizza", "Steps of the EMDR protocol for processing a traumatic memory"):
        result = guidance.retriever.search(Query(text))
        assert (result.abstained, result.hits) == (True, ()), text


@needs_model
def test_the_limits_were_set_with_the_model_that_ships(guidance: Guidance) -> None:
    assert guidance.retriever.notes == ("The guidance index was built: there was none yet.",)
    assert guidance.retriever.index_kind == "chroma"


@needs_model
def test_memory_and_chroma_give_the_same_results_for_every_gold_query(
    guidance: Guidance, gold: dict[str, GoldQuery], tmp_path: Path
) -> None:
    memory = open_guidance(FOLDER, tokens=OfflineTokenCounter(tmp_path), embedding=MODEL.model, index_folder=None)
    assert memory.retriever.index_kind == "memory"
    for item in gold.values():
        query = Query(item.query, dimensions=("empathy",))
        assert memory.retriever.search(query, 10) == guidance.retriever.search(query, 10)


@needs_model
@pytest.mark.parametrize("code", ["question_volley", "false_reassurance", "advice_without_permission", "secrecy_promise", "risk_avoided"])
def test_a_scored_reply_brings_up_guidance_about_what_it_did(guidance: Guidance, code: str) -> None:
    example = skill_catalogue().get(code).examples[0]
    query = compose_query(skills=(code,), criterion="empathy", client_text="It has been hard lately.", reply_quote=example)
    hits = guidance.retriever.search(query).hits
    assert code in hits[0].passage.skills
    assert Channel.METADATA in hits[0].ranks


@needs_model
def test_together_is_better_than_by_words_alone(guidance: Guidance, gold: dict[str, GoldQuery]) -> None:
    measured = evaluate(guidance.retriever, list(gold.values()))
    assert measured.ranking["together"].ndcg_at_10 > measured.ranking["lexical"].ndcg_at_10
    assert measured.ranking["together"].ndcg_at_10 >= 0.7
    assert measured.abstention.false_abstention <= 0.1
