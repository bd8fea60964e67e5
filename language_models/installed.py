"""Data files that come inside installed packages, found without importing those packages and trusted only by their hash."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

_CHUNK = 1 << 20


def installed_file(package: str, inside: str) -> Path:
    """The path of a file of an installed distribution; ``inside`` is its path as the package lists it.

    Raises ``FileNotFoundError`` with the reason when the package or the file is not there.
    """
    try:
        listed = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        raise FileNotFoundError(f"the package {package} is not installed") from None
    for entry in listed:
        if entry.as_posix() == inside:
            path = Path(str(entry.locate()))
            if path.is_file():
                return path
    raise FileNotFoundError(f"the package {package} holds no file {inside}")


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes. Raises ``OSError`` when it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
