"""Guards for every test: no network beyond loopback, no real settings, no key."""

import os
import socket
from pathlib import Path

import pytest

_REAL_CONNECT = socket.socket.connect
_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


class NetworkForbidden(RuntimeError):
    """A test tried to leave this machine."""


def _guarded_connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(_LOOPBACK):
        raise NetworkForbidden(f"a test tried to connect to {address}; only loopback is allowed")
    return _REAL_CONNECT(self, address)


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch):
    """Any accidental call to the outside fails by name."""
    monkeypatch.setattr(socket.socket, "connect", _guarded_connect)


@pytest.fixture(autouse=True)
def own_settings(monkeypatch, tmp_path):
    """Settings of the person who runs the tests never leak in; each test has its own data folder."""
    for name in list(os.environ):
        if name.upper().startswith("PRACTICE_ROOM_") or name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "TIKTOKEN_CACHE_DIR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PRACTICE_ROOM_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory) -> Path:
    """A folder for caches that are slow to build and never change: the tokenizer's tables, cue vectors, the guidance index."""
    return tmp_path_factory.mktemp("cache")
