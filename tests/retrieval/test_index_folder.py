"""The index on disk: built once, reused, rebuilt when outdated or damaged, and never the reason why the app does not start."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import retrieval.index_folder as index_folder
from retrieval.chroma import ChromaIndex
from retrieval.index import IndexFailure
from retrieval.index_folder import OpenedIndex, open_index
from retrieval.passages import Passage, index_manifest
from tests.retrieval.guidance_fakes import HashedBagEmbedding, some_passages

ROOT = Path(__file__).resolve().parents[2]
QUERY = "a private telephone number"


def opened(folder: Path, *, embedding: HashedBagEmbedding | None = None, corpus: str = "c", rebuild: bool = False) -> OpenedIndex:
    embedding = embedding or HashedBagEmbedding()
    passages = some_passages()
    manifest = index_manifest(passages, corpus=corpus, embedding=embedding.fingerprint)
    return open_index(folder, passages, embedding, manifest=manifest, rebuild=rebuild)


def nearest(index: OpenedIndex) -> list[tuple[str, float]]:
    return [(item.id, item.score) for item in index.index.dense(HashedBagEmbedding().embed([QUERY])[0], 3)]


def expected() -> list[tuple[str, float]]:
    memory = opened_in_memory()
    return nearest(memory)


def opened_in_memory() -> OpenedIndex:
    return open_index(None, some_passages(), HashedBagEmbedding(), manifest="m")


def generations(folder: Path) -> list[str]:
    return sorted(place.name for place in folder.iterdir() if place.is_dir())


def current(folder: Path) -> Path:
    return folder / json.loads((folder / "current.json").read_text())["current"]


def close(*indexes: OpenedIndex) -> None:
    for index in indexes:
        index.index.close()


def test_the_first_start_builds_and_the_next_ones_embed_nothing(tmp_path: Path) -> None:
    first = opened(tmp_path / "index")
    assert (first.built, first.index.kind, first.index.count()) == (True, "chroma", 6)
    assert nearest(first) == expected()
    close(first)
    for _ in range(3):
        embedding = HashedBagEmbedding()
        again = opened(tmp_path / "index", embedding=embedding)
        assert (again.built, again.index.kind, embedding.sent, again.notes) == (False, "chroma", [], ())
        assert nearest(again) == expected()
        close(again)
    assert len(generations(tmp_path / "index")) == 1


def test_progress_is_told_up_to_the_last_passage(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    passages: tuple[Passage, ...] = some_passages() * 12
    open_index(None, passages, HashedBagEmbedding(), manifest="m", progress=lambda done, of: told.append((done, of)))
    assert told == [(64, 72), (72, 72)]


@pytest.mark.parametrize("change", [{"corpus": "changed"}, {"embedding": HashedBagEmbedding(fingerprint="other")}])
def test_another_collection_or_model_builds_anew_and_keeps_the_one_before(tmp_path: Path, change: dict[str, object]) -> None:
    close(opened(tmp_path))
    before = current(tmp_path).name
    changed = opened(tmp_path, **change)  # type: ignore[arg-type]
    assert (changed.built, changed.index.kind) == (True, "chroma")
    assert "has changed" in changed.notes[0]
    close(changed)
    assert generations(tmp_path) == sorted([before, current(tmp_path).name])
    close(opened(tmp_path, corpus="third"))
    assert before not in generations(tmp_path)
    assert len(generations(tmp_path)) == 2


def test_a_rebuild_can_be_asked_for_and_other_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    close(opened(tmp_path), opened(tmp_path / "x"))
    for _ in range(3):
        again = opened(tmp_path, rebuild=True)
        assert again.built
        assert nearest(again) == expected()
        close(again)
    assert (tmp_path / "mine").is_dir()
    assert (tmp_path / "x" / "current.json").is_file()


FILES = [
    "manifest.json", "vectors.npy", "chroma/chroma.sqlite3", "chroma/*/data_level0.bin", "chroma/*/header.bin", "chroma/*/length.bin",
    "chroma/*/link_lists.bin", "chroma/*/index_metadata.pickle",
]  # fmt: skip


@pytest.mark.parametrize("damage", ["emptied", "cut in half", "deleted", "overwritten"])
@pytest.mark.parametrize("pattern", FILES)
def test_a_damaged_file_is_noticed_and_the_index_built_again(tmp_path: Path, pattern: str, damage: str) -> None:
    close(opened(tmp_path))
    (path,) = current(tmp_path).glob(pattern)
    size = path.stat().st_size
    if damage == "deleted":
        path.unlink()
    else:
        kept = {"emptied": 0, "cut in half": size // 2, "overwritten": size}[damage]
        path.write_bytes(np.random.default_rng(1).bytes(size) if damage == "overwritten" else path.read_bytes()[:kept])
    healed = opened(tmp_path)
    assert (healed.built, healed.index.kind) == (True, "chroma")
    assert "was built" in healed.notes[0]
    assert nearest(healed) == expected()
    close(healed)
    again = opened(tmp_path)
    assert (again.built, again.index.kind) == (False, "chroma")
    close(again)


@pytest.mark.parametrize("content", [b"", b"not json", b'{"current": "../../outside"}', b'{"current": "gone-1"}', b"\xff\xfe"])
def test_a_pointer_that_leads_nowhere_is_replaced(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "index"
    close(opened(folder))
    (folder / "current.json").write_bytes(content)
    healed = opened(folder)
    assert (healed.built, healed.index.kind) == (True, "chroma")
    assert nearest(healed) == expected()
    close(healed)


def run_child(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = "from pathlib import Path\nimport os, signal, sys\n" + textwrap.dedent(code)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60, check=False
    )


def test_a_second_process_searches_a_copy_in_memory_and_says_so(tmp_path: Path) -> None:
    first = opened(tmp_path)
    second = run_child(
        """
        from tests.retrieval.guidance_fakes import HashedBagEmbedding, some_passages
        from tests.retrieval.test_index_folder import nearest, opened
        embedding = HashedBagEmbedding()
        index = opened(Path(sys.argv[1]), embedding=embedding)
        print(index.index.kind, index.built, len(embedding.sent), nearest(index), "Another process" in index.notes[0])
        print("chromadb" in sys.modules)
        """,
        str(tmp_path),
    )
    assert second.returncode == 0, second.stderr
    assert second.stdout.splitlines() == [f"memory False 0 {expected()} True", "False"]
    assert nearest(first) == expected()
    close(first)
    after = opened(tmp_path)
    assert after.index.kind == "chroma"
    close(after)


def test_the_same_process_does_not_open_it_twice_either(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    assert (first.index.kind, second.index.kind) == ("chroma", "memory")
    assert nearest(first) == nearest(second)
    close(first, second)


def test_a_process_killed_while_building_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    child = run_child(
        """
        import retrieval.index_folder as index_folder
        from tests.retrieval.test_index_folder import opened
        def killed(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
        index_folder._make_current = killed
        index_folder.Generation.model_dump_json = killed
        opened(Path(sys.argv[1]))
        """,
        str(tmp_path),
    )
    assert child.returncode == -signal.SIGKILL
    assert [name.split("-")[0] for name in generations(tmp_path)] == ["building"]
    healed = opened(tmp_path)
    assert (healed.built, healed.index.kind) == (True, "chroma")
    assert len(generations(tmp_path)) == 1
    close(healed)


def test_a_folder_that_cannot_be_made_means_memory_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    index = opened(tmp_path / "file" / "index")
    assert (index.built, index.index.kind) == (True, "memory")
    assert "cannot be written" in index.notes[0]
    assert nearest(index) == expected()


def test_a_folder_that_turned_read_only_still_gives_its_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    close(opened(tmp_path))
    real_open = Path.open

    def refuse(path: Path, mode: str = "r", *args: object, **kwargs: object) -> object:
        if "a" in mode or "w" in mode:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real_open(path, mode, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)  # permission bits do not stop a test that runs as root
    embedding = HashedBagEmbedding()
    index = opened(tmp_path, embedding=embedding)
    assert (index.built, index.index.kind, embedding.sent) == (False, "memory", [])
    assert "cannot be written" in index.notes[0]
    assert nearest(index) == expected()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), IndexFailure("chroma said no")])
def test_when_building_fails_memory_answers_and_the_lock_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(ChromaIndex, "build", fail)
        index = opened(tmp_path)
        assert (index.built, index.index.kind) == (True, "memory")
        assert any("could not be stored" in note for note in index.notes)
        assert nearest(index) == expected()
        assert generations(tmp_path) == []
    later = opened(tmp_path)
    assert later.index.kind == "chroma"
    close(later)


def test_an_index_that_finds_the_wrong_passages_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = ChromaIndex.build

    def mixed_up(folder: Path, passages: object, vectors: np.ndarray, *, manifest: str) -> ChromaIndex:  # type: ignore[type-arg]
        return real(folder, passages, -vectors, manifest=manifest)  # type: ignore[arg-type]

    close(opened(tmp_path))
    before = (tmp_path / "current.json").read_bytes()
    monkeypatch.setattr(ChromaIndex, "build", mixed_up)
    index = opened(tmp_path, rebuild=True)
    assert index.index.kind == "memory"
    assert any("probe" in note for note in index.notes)
    assert (tmp_path / "current.json").read_bytes() == before
    assert len(generations(tmp_path)) == 1


def test_a_failure_while_in_use_is_taken_over_by_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = opened(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise IndexFailure("gone")

    monkeypatch.setattr(ChromaIndex, "dense", fail)
    assert index.index.kind == "chroma"
    assert nearest(index) == expected()
    assert index.index.kind == "memory"
    close(index)


def test_many_threads_get_the_same_answers(tmp_path: Path) -> None:
    index = opened(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: nearest(index), range(64)))
    assert answers == [expected()] * 64
    assert index.index.kind == "chroma"
    close(index)


def test_without_a_folder_nothing_is_written_and_chroma_is_not_needed() -> None:
    child = run_child(
        """
        from tests.retrieval.test_index_folder import opened_in_memory
        print(opened_in_memory().index.kind, "chromadb" in sys.modules)
        """
    )
    assert child.stdout.split() == ["memory", "False"], child.stderr


def test_the_module_says_nothing_on_standard_output(tmp_path: Path) -> None:
    child = run_child(
        """
        from tests.retrieval.test_index_folder import opened
        index = opened(Path(sys.argv[1]))
        index.index.close()
        """,
        str(tmp_path),
    )
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")
    assert index_folder.log.name == "retrieval.index_folder"
