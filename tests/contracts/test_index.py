"""What every passage index must do, run over each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from language_models.base import Vectors
from retrieval.chroma import ChromaIndex
from retrieval.index import IndexFailure, MemoryIndex, PassageIndex, Where
from retrieval.passages import Passage, split_document
from tests.retrieval.guidance_fakes import HashedBagEmbedding, WordCounter, a_document, some_passages

EMBEDDING = HashedBagEmbedding(dimension=256)


def many_passages() -> tuple[Passage, ...]:
    """Enough for an approximate index to go wrong, with ties: every fiftieth text is the same."""
    rng = np.random.default_rng(7)
    vocabulary = [f"word{number}" for number in range(300)]
    result = []
    for number in range(400):
        text = "Same words everywhere." if number % 50 == 0 else " ".join(rng.choice(vocabulary, size=30)) + "."
        dimension = ("empathy", "boundaries", "risk")[number % 3]
        document = a_document(f"## Same\n\n{text}\n", document_id=f"d-{number:03d}", dimensions=(dimension,))
        result.extend(split_document(document, WordCounter()))
    return tuple(result)


@pytest.fixture(params=["memory", "chroma", "chroma-reopened"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def built(kind: str, tmp_path: Path) -> Iterator[tuple[PassageIndex, tuple[Passage, ...], Vectors]]:
    passages = many_passages()
    vectors = EMBEDDING.embed([passage.index_text for passage in passages])
    index = make(kind, tmp_path, passages, vectors)
    yield index, passages, vectors
    index.close()


def make(kind: str, folder: Path, passages: tuple[Passage, ...], vectors: Vectors) -> PassageIndex:
    if kind == "memory":
        return MemoryIndex(passages, vectors, manifest="m")
    index = ChromaIndex.build(folder / "index", passages, vectors, manifest="m")
    if kind == "chroma-reopened":
        index.close()
        return ChromaIndex.open(folder / "index", manifest="m", count=len(passages))
    return index


def exact(passages: tuple[Passage, ...], vectors: Vectors, vector: Vectors, k: int, where: Where) -> list[str]:
    scored = [
        (-round(float(row @ vector.astype(np.float64)), 6), passage.id)
        for passage, row in zip(passages, vectors.astype(np.float64), strict=True)
        if where.allows(passage)
    ]
    return [name for _, name in sorted(scored)[:k]]


@pytest.mark.parametrize("where", [Where(), Where(dimensions=frozenset({"risk"})), Where(dimensions=frozenset({"risk", "empathy"}))])
@pytest.mark.parametrize("k", [1, 5, 50])
def test_it_finds_exactly_the_nearest_in_a_fixed_order(
    built: tuple[PassageIndex, tuple[Passage, ...], Vectors], k: int, where: Where
) -> None:
    index, passages, vectors = built
    for text in ("word1 word2 word3", "word40 nothing known", "word7", "A title. Same.\nword11 word12"):
        vector = EMBEDDING.embed([text])[0]
        found = index.dense(vector, k, where)
        assert [item.rank for item in found] == list(range(1, k + 1))
        assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)
        assert all(-1.0001 <= item.score <= 1.0001 for item in found)
        assert [item.id for item in found] == exact(passages, vectors, vector, k, where)
        assert found == index.dense(vector, k, where)


def test_it_says_what_it_holds(built: tuple[PassageIndex, tuple[Passage, ...], Vectors], kind: str) -> None:
    index, passages, _ = built
    assert (index.count(), index.manifest, index.kind) == (len(passages), "m", kind.split("-")[0])


def test_asking_for_more_than_there_is_gives_all(kind: str, tmp_path: Path) -> None:
    passages = some_passages()
    index = make(kind, tmp_path, passages, EMBEDDING.embed([passage.index_text for passage in passages]))
    found = index.dense(EMBEDDING.embed(["silence and tears"])[0], 100)
    assert {item.id for item in found} == {passage.id for passage in passages}
    only = index.dense(EMBEDDING.embed(["silence"])[0], 100, Where(dimensions=frozenset({"boundaries"})))
    assert {item.id for item in only} == {passage.id for passage in passages if "boundaries" in passage.dimensions}
    assert index.dense(EMBEDDING.embed(["silence"])[0], 5, Where(dimensions=frozenset({"risk"}))) == ()
    index.close()
    index.close()


@pytest.mark.parametrize("size", [0, 1])
def test_nothing_and_a_single_passage_work(kind: str, tmp_path: Path, size: int) -> None:
    passages = some_passages()[:size]
    vectors = EMBEDDING.embed([passage.index_text for passage in passages])
    index = make(kind, tmp_path, passages, vectors)
    assert [item.id for item in index.dense(EMBEDDING.embed(["anything"])[0], 5)] == [passage.id for passage in passages]
    index.close()


def test_chroma_refuses_a_collection_made_from_other_things(tmp_path: Path) -> None:
    passages = some_passages()
    ChromaIndex.build(tmp_path / "i", passages, EMBEDDING.embed([p.index_text for p in passages]), manifest="m").close()
    for manifest, count in (("other", len(passages)), ("m", len(passages) + 1)):
        with pytest.raises(IndexFailure):
            ChromaIndex.open(tmp_path / "i", manifest=manifest, count=count)


def test_a_closed_chroma_index_says_so(tmp_path: Path) -> None:
    passages = some_passages()
    index = ChromaIndex.build(tmp_path / "i", passages, EMBEDDING.embed([p.index_text for p in passages]), manifest="m")
    index.close()
    with pytest.raises(IndexFailure):
        index.dense(EMBEDDING.embed(["x"])[0], 1)


def test_vectors_that_do_not_fit_are_refused() -> None:
    with pytest.raises(IndexFailure):
        MemoryIndex(some_passages(), EMBEDDING.embed(["one"]), manifest="m")
