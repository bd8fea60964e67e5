"""What is known when a streamed reply has ended. It travels as the generator's return value, so that wrappers can pass it on."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import cast

from language_models.base import Usage

UNREPORTED = Usage(estimated=True)
"""Usage a provider did not report; ``Recorded`` replaces it by a count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEnd:
    """The model that answered, its token use and why it stopped (``stop``, ``length``, ...)."""

    model: str
    usage: Usage = field(default=UNREPORTED)
    finish_reason: str | None = None


TextStream = Generator[str, None, StreamEnd | None]


def relay(pieces: Iterator[str]) -> TextStream:
    """Yield ``pieces`` and return their ``StreamEnd`` when they carry one. Closing this closes ``pieces``."""
    end = yield from cast("Generator[str, None, object]", pieces)
    return end if isinstance(end, StreamEnd) else None
