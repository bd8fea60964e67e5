"""What the rest of the project knows about models: three protocols and the plain data that goes in and out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class ModelRole(StrEnum):
    """What a model is asked to do. Settings decide which profile plays which role."""

    CLIENT = "client"
    APPRAISER = "appraiser"
    GRADER = "grader"
    FEEDBACK = "feedback"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message: role is ``system``, ``user`` or ``assistant``."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """Everything one call sends. ``json_schema`` asks for strict structured output; ``session_id`` ties cost to a session."""

    role: ModelRole
    messages: tuple[ChatMessage, ...]
    prompt_hash: str
    max_tokens: int = 400
    temperature: float = 0.7
    seed: int | None = None
    json_schema: Mapping[str, Any] | None = None
    session_id: str | None = None

    def text(self) -> str:
        """All outgoing words, for leak checks and token counts."""
        return "\n".join(message.content for message in self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call. ``estimated`` when the provider did not report them and we counted."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReply:
    """What came back."""

    text: str
    model: str
    usage: Usage
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """The record of one call, good or bad. ``outcome`` is ``ok`` or the error's class name. Never holds message text."""

    id: str
    at: datetime
    role: ModelRole
    profile: str
    model: str
    prompt_hash: str
    outcome: str
    milliseconds: int
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    session_id: str | None = None


class ChatModel(Protocol):
    """A chat model. Raises only ``core.errors.ModelError`` subclasses."""

    @property
    def name(self) -> str:
        """Profile and model id, for records; never shown to trainees."""
        ...

    def complete(self, request: ChatRequest) -> ChatReply:
        """Send the request and wait for the whole reply."""
        ...

    def stream(self, request: ChatRequest) -> Iterator[str]:
        """Send the request and yield text as it arrives. A failure mid-way raises after the pieces already yielded."""
        ...


Vectors = NDArray[np.float32]


class EmbeddingModel(Protocol):
    """Turns texts into unit vectors."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same text could get another vector."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row per text, L2-normalised, float32."""
        ...


class TokenCounter(Protocol):
    """Counts tokens without a network."""

    def count(self, text: str) -> int:
        """Number of tokens of ``text`` for the configured encoding."""
        ...


class CallRecorder(Protocol):
    """Where model calls are written down."""

    def record(self, call: ModelCall) -> None:
        """Keep one call's record."""
        ...
