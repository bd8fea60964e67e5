"""The index on disk: a cache of the collection, built aside, checked, then made current by replacing one small file.

    <folder>/lock                         held by the one process that opens Chroma
    <folder>/current.json                 names the current generation and the one before
    <folder>/<manifest>-<n>/              one generation: manifest.json (digests), vectors.npy, chroma/
    <folder>/building-<pid>/              a generation being built; swept away by the next process that gets the lock

Everything that can go wrong here ends in an exact index in memory with a reason, never in a failed start.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from pydantic import BaseModel, ValidationError

from language_models.base import EmbeddingModel, Vectors
from retrieval.chroma import DATABASE_FILE, ChromaIndex
from retrieval.index import EVERYWHERE, IndexFailure, MemoryIndex, PassageIndex, Vector, Where
from retrieval.lexical import ScoredId
from retrieval.passages import Passage

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with (passages embedded so far, passages in all)."""

_GENERATION = re.compile(r"[0-9a-f]{16}-\d+")
_BATCH = 64  # texts a call; how many of them are run at once is the model's affair
_PROBES = 8


class Generation(BaseModel):
    """``manifest.json`` of one generation. ``files`` maps each file to its SHA-256, but for the one Chroma keeps writing to."""

    manifest: str
    count: int
    files: dict[str, str]


class Current(BaseModel):
    """``current.json``."""

    current: str
    previous: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedIndex:
    """An index ready to be asked. ``notes`` say, in plain words, what was built and why memory is used where it is."""

    index: PassageIndex
    built: bool
    notes: tuple[str, ...] = ()


def open_index(
    folder: Path | None, passages: Sequence[Passage], embedding: EmbeddingModel, *,
    manifest: str, rebuild: bool = False, progress: Progress | None = None,
) -> OpenedIndex:  # fmt: skip
    """Open the index of ``passages`` in ``folder``, building it first when it is missing, outdated or damaged.

    ``folder`` None keeps everything in memory. Only errors of the embedding model are raised.
    """
    if folder is None:
        return OpenedIndex(index=MemoryIndex(passages, _embed(passages, embedding, progress), manifest=manifest), built=True)
    lock, reason = _lock(folder)
    if lock is None:
        vectors = _stored_vectors(folder, passages, manifest)
        built = vectors is None
        vectors = _embed(passages, embedding, progress) if vectors is None else vectors
        log.warning("guidance index kept in memory: %s", reason)
        return OpenedIndex(index=MemoryIndex(passages, vectors, manifest=manifest), built=built, notes=(reason,))
    notes: list[str] = []
    if not rebuild:
        try:
            spare = _current_vectors(folder, passages, manifest)
            chroma = _open_current(folder, passages, spare, manifest)
            return OpenedIndex(index=_GuardedIndex(chroma, MemoryIndex(passages, spare, manifest=manifest), lock), built=False)
        except (IndexFailure, OSError, ValueError) as error:
            notes.append(f"The guidance index was built: {error}.")
            log.info("guidance index is built: %s", error)
    vectors = _embed(passages, embedding, progress)
    spare_index = MemoryIndex(passages, vectors, manifest=manifest)
    try:
        _build(folder, passages, vectors, manifest)
        chroma = _open_current(folder, passages, vectors, manifest)
    except (IndexFailure, OSError, ValueError) as error:
        lock.close()
        log.warning("guidance index kept in memory: %s", error)
        notes.append(f"The guidance index is kept in memory because it could not be stored: {error}.")
        return OpenedIndex(index=spare_index, built=True, notes=tuple(notes))
    return OpenedIndex(index=_GuardedIndex(chroma, spare_index, lock), built=True, notes=tuple(notes))


class _GuardedIndex:
    """Chroma in front, the exact index behind it: the first failure is logged and from then on memory answers, the same."""

    def __init__(self, front: PassageIndex, spare: PassageIndex, lock: IO[str]) -> None:
        self._front, self._spare, self._lock = front, spare, lock
        self._failed = False

    @property
    def kind(self) -> str:
        return self._spare.kind if self._failed else self._front.kind

    @property
    def manifest(self) -> str:
        return self._front.manifest

    def count(self) -> int:
        return self._front.count()

    def dense(self, vector: Vector, k: int, where: Where = EVERYWHERE) -> tuple[ScoredId, ...]:
        if not self._failed:
            try:
                return self._front.dense(vector, k, where)
            except IndexFailure as failure:
                self._failed = True
                log.warning("guidance index failed while in use; memory takes over: %s", failure)
        return self._spare.dense(vector, k, where)

    def close(self) -> None:
        self._front.close()
        self._lock.close()


def _embed(passages: Sequence[Passage], embedding: EmbeddingModel, progress: Progress | None) -> Vectors:
    """One row per passage. Similar lengths go together, so that little is spent on padding."""
    vectors = np.zeros((len(passages), embedding.dimension), dtype=np.float32)
    by_length = sorted(range(len(passages)), key=lambda row: (len(passages[row].index_text), row))
    for first in range(0, len(by_length), _BATCH):
        rows = by_length[first : first + _BATCH]
        vectors[rows] = embedding.embed([passages[row].index_text for row in rows])
        if progress is not None:
            progress(first + len(rows), len(passages))
    return vectors


def _lock(folder: Path) -> tuple[IO[str] | None, str]:
    """The lock of the folder, or None and why not. The operating system lets go of it when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:
        return None, "This system has no file locks that the guidance index could use."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / "lock").open("a", encoding="utf-8")
    except OSError as error:
        return None, f"The index folder {folder} cannot be written ({error.strerror or error})."
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None, "Another process of the app has the guidance index open; this one searches a copy in memory."
    except OSError as error:
        handle.close()
        return None, f"The index folder {folder} cannot be locked ({error.strerror or error})."
    return handle, ""


def _current(folder: Path) -> Current:
    try:
        return Current.model_validate_json((folder / "current.json").read_bytes())
    except FileNotFoundError as error:
        raise IndexFailure("there was none yet") from error
    except (OSError, ValidationError) as error:
        raise IndexFailure("the file that names the current one cannot be read") from error


def _checked_generation(folder: Path, manifest: str) -> Path:
    """The current generation, if it was built from the same things and every file is as it was written."""
    place = folder / Path(_current(folder).current).name
    try:
        generation = Generation.model_validate_json((place / "manifest.json").read_bytes())
        if generation.manifest != manifest:
            raise IndexFailure("the guidance, the embedding model or the way of cutting has changed")
        for name, digest in generation.files.items():
            if _file_sha256(place / name) != digest:
                raise IndexFailure(f"the file {name} is damaged")
    except (OSError, ValidationError) as error:
        raise IndexFailure(f"a file of it is missing or unreadable ({type(error).__name__})") from error
    return place


def _current_vectors(folder: Path, passages: Sequence[Passage], manifest: str) -> Vectors:
    vectors: Vectors = np.load(_checked_generation(folder, manifest) / "vectors.npy", allow_pickle=False)
    if vectors.ndim != 2 or len(vectors) != len(passages) or vectors.dtype != np.float32:
        raise IndexFailure("its vectors do not fit the guidance")
    return vectors


def _stored_vectors(folder: Path, passages: Sequence[Passage], manifest: str) -> Vectors | None:
    """The vectors another process stored, for a process that may not open Chroma; None when they cannot be used."""
    try:
        return _current_vectors(folder, passages, manifest)
    except (IndexFailure, OSError, ValueError) as error:
        log.info("stored vectors are not used: %s", error)
        return None


def _open_current(folder: Path, passages: Sequence[Passage], vectors: Vectors, manifest: str) -> ChromaIndex:
    place = folder / Path(_current(folder).current).name
    if not (place / "chroma" / DATABASE_FILE).is_file():  # Chroma would make a new, empty one
        raise IndexFailure(f"the file {DATABASE_FILE} is missing")
    index = ChromaIndex.open(place / "chroma", manifest=manifest, count=len(passages))
    try:
        _probe(index, passages, vectors)
    except BaseException:
        index.close()
        raise
    return index


def _probe(index: PassageIndex, passages: Sequence[Passage], vectors: Vectors) -> None:
    """Ask for a few passages by their own vectors: each must be its own nearest. Raises ``IndexFailure``."""
    step = max(1, len(passages) // _PROBES)
    for row in range(0, len(passages), step):
        nearest = index.dense(vectors[row], 1)
        own = float(vectors[row] @ vectors[row])
        if not nearest or nearest[0].score < own - 1e-3:
            raise IndexFailure("a probe query did not find what it should")


def _build(folder: Path, passages: Sequence[Passage], vectors: Vectors, manifest: str) -> None:
    for leftover in folder.glob("building-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    building = folder / f"building-{os.getpid()}"
    try:
        (building / "chroma").mkdir(parents=True)
        np.save(building / "vectors.npy", vectors, allow_pickle=False)
        index = ChromaIndex.build(building / "chroma", passages, vectors, manifest=manifest)
        try:
            _probe(index, passages, vectors)
        finally:
            index.close()
        files = {
            str(path.relative_to(building)): _file_sha256(path)
            for path in sorted(building.rglob("*"))
            if path.is_file() and path.name != DATABASE_FILE
        }
        generation = Generation(manifest=manifest, count=len(passages), files=files)
        (building / "manifest.json").write_text(generation.model_dump_json(indent=1), encoding="utf-8")
        number = 1
        while (folder / f"{manifest[:16]}-{number}").exists():
            number += 1
        name = f"{manifest[:16]}-{number}"
        building.rename(folder / name)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    _make_current(folder, name)


def _make_current(folder: Path, name: str) -> None:
    """Point to the new generation in one step, keep the one before, remove older ones."""
    try:
        previous: str | None = _current(folder).current
    except IndexFailure:
        previous = None
    pointer = folder / "current.json.new"
    pointer.write_text(Current(current=name, previous=previous).model_dump_json(), encoding="utf-8")
    os.replace(pointer, folder / "current.json")
    for place in folder.iterdir():
        if _GENERATION.fullmatch(place.name) and place.name not in (name, previous):
            shutil.rmtree(place, ignore_errors=True)


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
