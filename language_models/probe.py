"""The one-click connection test: does the model answer, does it stream, does it keep a schema, and how quickly."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from core.errors import ModelError
from language_models.base import ChatMessage, ChatModel, ChatRequest, ModelRole
from language_models.profiles import ModelProfile, describe_destination
from language_models.prompts import PromptTemplate
from language_models.structured import ask

_PROMPT = Path(__file__).parent / "prompts" / "probe.md.j2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What the test found. Times in milliseconds; None when that part did not work. ``problems`` are for an administrator."""

    profile: str
    destination: str
    reachable: bool
    streams: bool
    keeps_schema: bool
    first_word_ms: int | None
    reply_ms: int | None
    problems: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether the model can play every role."""
        return self.reachable and self.streams and self.keeps_schema


class _Week(BaseModel):
    days: int
    one_day: str


def probe(profile: ModelProfile, model: ChatModel, *, clock: Callable[[], float] = time.perf_counter) -> ProbeResult:
    """Ask ``model`` two harmless questions. Never raises a ``ModelError``: what failed is in the result."""
    prompt = PromptTemplate.load(_PROMPT)

    def request(*, structured: bool) -> ChatRequest:
        words = prompt.render(structured=structured)
        message = ChatMessage("user", words)
        return ChatRequest(role=ModelRole.CLIENT, messages=(message,), prompt_hash=prompt.sha256, max_tokens=200, temperature=0.0)

    problems: list[str] = []
    pieces, first, whole = 0, None, None
    started = clock()
    try:
        for _piece in model.stream(request(structured=False)):
            pieces += 1
            first = first if first is not None else clock() - started
        whole = clock() - started
    except ModelError as error:
        problems.append(f"streaming: {type(error).__name__}: {error.details or error.message}")
    keeps_schema = False
    try:
        ask(model, request(structured=True), _Week)
        keeps_schema = True
    except ModelError as error:
        problems.append(f"structured answer: {type(error).__name__}: {error.details or error.message}")
    return ProbeResult(
        profile=profile.name,
        destination=describe_destination(profile),
        reachable=pieces > 0 or keeps_schema,
        streams=whole is not None,
        keeps_schema=keeps_schema,
        first_word_ms=None if first is None else round(first * 1000),
        reply_ms=None if whole is None else round(whole * 1000),
        problems=tuple(problems),
    )
