"""The Chroma index: our vectors in a local collection. The only file that knows chromadb, which is imported when first needed.

Facts this rests on, tried with 1.5.9: two processes on one path silently give stale results, so the caller holds a lock;
a damaged HNSW file can end the whole process or give wrong neighbours without an error, so the caller checks digests first;
the default HNSW settings miss neighbours even among a few hundred, so ours search wider and the answer is scored again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from language_models.base import Vectors
from retrieval.index import EVERYWHERE, IndexFailure, Vector, Where, in_order
from retrieval.lexical import ScoredId
from retrieval.passages import Passage

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.api.models.Collection import Collection

COLLECTION = "passages"
DATABASE_FILE = "chroma.sqlite3"
"""The one file of a collection that Chroma writes to even when it only reads."""

# Written to disk with every batch: else part of a small index stays in the database's log and its files change when read.
_HNSW: CreateCollectionConfiguration = {
    "hnsw": {
        "space": "cosine", "ef_construction": 400, "ef_search": 400, "max_neighbors": 32, "batch_size": 2, "sync_threshold": 2,
    }
}  # fmt: skip
_SPARE = 16  # asked for beyond k, so that exact scores and ties by id are settled by us



class ChromaIndex:
    """A local Chroma collection, opened by one process at a time."""

    kind = "chroma"

    def __init__(self, client: Client, collection: Collection, *, manifest: str, count: int) -> None:
        self._client: Client | None = client
        self._collection = collection
        self._manifest = manifest
        self._count = count

    @classmethod
    def build(cls, folder: Path, passages: Sequence[Passage], vectors: Vectors, *, manifest: str) -> ChromaIndex:
        """Make a new collection in an empty ``folder``. Raises ``IndexFailure``."""
        with _failures("built"):
            client = _client(folder)
            try:
                collection = client.create_collection(
                    COLLECTION, embedding_function=None, configuration=_HNSW, metadata={"manifest": manifest}
                )  # fmt: skip
                step = min(1000, client.get_max_batch_size())
                for first in range(0, len(passages), step):
                    part = passages[first : first + step]
                    collection.add(
                        ids=[passage.id for passage in part],
                        embeddings=vectors[first : first + step],
                        metadatas=[_metadata(passage) for passage in part],
                    )
            except BaseException:
                client.close()
                raise
            return cls(client, collection, manifest=manifest, count=len(passages))

    @classmethod
    def open(cls, folder: Path, *, manifest: str, count: int) -> ChromaIndex:
        """Open a collection made by ``build``. Raises ``IndexFailure`` when it is not the one expected."""
        with _failures("opened"):
            client = _client(folder)
            try:
                collection = client.get_collection(COLLECTION, embedding_function=None)
                held, stored = collection.count(), (collection.metadata or {}).get("manifest")
                if stored != manifest or held != count:
                    raise IndexFailure(f"it holds {held} passages of manifest {stored}; expected {count} of {manifest}")
            except BaseException:
                client.close()
                raise
            return cls(client, collection, manifest=manifest, count=count)

    @property
    def manifest(self) -> str:
        """What the index was built from."""
        return self._manifest

    def count(self) -> int:
        """Number of passages held."""
        return self._count

    def dense(self, vector: Vector, k: int, where: Where = EVERYWHERE) -> tuple[ScoredId, ...]:
        """The ``k`` nearest passages; Chroma finds them, the order is by their exact cosines."""
        if self._client is None:
            raise IndexFailure("the index is closed")
        if not self._count:
            return ()
        with _failures("asked"):
            answer = self._collection.query(
                query_embeddings=vector[np.newaxis, :], n_results=min(self._count, k + _SPARE),
                where=_where(where), include=["embeddings"],
            )  # fmt: skip
            ids = answer["ids"][0]
            if not ids or answer["embeddings"] is None:
                return ()
            vectors = np.asarray(answer["embeddings"][0], dtype=np.float32)
        return in_order(ids, vectors, vector, k)

    def close(self) -> None:
        """Close the client, which releases its database file."""
        if self._client is not None:
            client, self._client = self._client, None
            client.close()


def _client(folder: Path) -> Client:
    import chromadb
    from chromadb.config import Settings

    logging.getLogger("chromadb").setLevel(logging.ERROR)
    client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
    return cast("Client", client)  # its declared type lacks close()


@contextmanager
def _failures(what: str) -> Iterator[None]:
    """Whatever goes wrong inside Chroma becomes ``IndexFailure``; a panic of its Rust part is not an ``Exception``."""
    try:
        yield
    except IndexFailure:
        raise
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise IndexFailure(f"the Chroma index could not be {what}: {type(error).__name__}: {error}") from error
        raise


def _metadata(passage: Passage) -> dict[str, str | bool]:
    return {"document": passage.document, **{f"dimension_{name}": True for name in passage.dimensions}}


def _where(where: Where) -> dict[str, Any] | None:
    clauses: list[dict[str, Any]] = [{f"dimension_{name}": True} for name in sorted(where.dimensions)]
    if not clauses:
        return None
    return clauses[0] if len(clauses) == 1 else {"$or": clauses}
