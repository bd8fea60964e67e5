"""Search by meaning: what an index of passage vectors can do, and the exact one that lives in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from language_models.base import Vectors
from retrieval.lexical import ScoredId
from retrieval.passages import Passage

Vector = NDArray[np.float32]


class IndexFailure(Exception):
    """An index could not be built, opened or asked. The caller falls back to another one; a person sees only the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which passages may be returned: those with at least one of ``dimensions``. Empty: all."""

    dimensions: frozenset[str] = frozenset()

    def allows(self, passage: Passage) -> bool:
        """Whether the passage may be returned."""
        return not self.dimensions or not self.dimensions.isdisjoint(passage.dimensions)


EVERYWHERE = Where()


class PassageIndex(Protocol):
    """Nearest passages by cosine. Every implementation gives the same ids in the same order."""

    @property
    def kind(self) -> str:
        """``chroma`` or ``memory``, for the page that says what is in use."""
        ...

    @property
    def manifest(self) -> str:
        """What the index was built from; see ``passages.index_manifest``."""
        ...

    def count(self) -> int:
        """Number of passages held."""
        ...

    def dense(self, vector: Vector, k: int, where: Where = EVERYWHERE) -> tuple[ScoredId, ...]:
        """The ``k`` nearest passages to a unit vector, best first, ties by id; scores are cosines. Raises ``IndexFailure``."""
        ...

    def close(self) -> None:
        """Let go of files and locks. Closing twice is fine."""
        ...


class MemoryIndex:
    """Exact cosine over a matrix: one row per passage, L2-normalised."""

    kind = "memory"

    def __init__(self, passages: Sequence[Passage], vectors: Vectors, *, manifest: str) -> None:
        if vectors.ndim != 2 or len(vectors) != len(passages):
            raise IndexFailure(f"{len(passages)} passages came with vectors of shape {vectors.shape}")
        self._passages = tuple(passages)
        self._ids = [passage.id for passage in passages]
        self._vectors = vectors
        self._manifest = manifest

    @property
    def manifest(self) -> str:
        """What the index was built from."""
        return self._manifest

    def count(self) -> int:
        """Number of passages held."""
        return len(self._ids)

    def dense(self, vector: Vector, k: int, where: Where = EVERYWHERE) -> tuple[ScoredId, ...]:
        """The ``k`` nearest passages, exactly."""
        if not self._ids:
            return ()
        cosines = self._vectors @ vector
        if where.dimensions:
            cosines = np.where([where.allows(passage) for passage in self._passages], cosines, -np.inf)
        # Everything as near as the k-th, so that ties at the edge are ordered by id and not by chance.
        edge = np.partition(cosines, -k)[-k] - 1e-5 if 0 < k < len(cosines) else -np.inf
        near = np.flatnonzero((cosines >= edge) & np.isfinite(cosines))
        return in_order([self._ids[row] for row in near], self._vectors[near], vector, k)

    def close(self) -> None:
        """Nothing to let go of."""


def in_order(ids: Sequence[str], vectors: Vectors, vector: Vector, k: int) -> tuple[ScoredId, ...]:
    """The first ``k`` of ``ids`` by the cosines of their vectors, ties by id.

    Summed in double precision and rounded to six places, so that the last bit of a sum never decides an order.
    """
    cosines = vectors.astype(np.float64) @ vector.astype(np.float64)
    ordered = sorted(((name, round(float(x), 6)) for name, x in zip(ids, cosines, strict=True)), key=lambda item: (-item[1], item[0]))
    return tuple(ScoredId(id=name, score=cosine, rank=rank) for rank, (name, cosine) in enumerate(ordered[:k], start=1))
