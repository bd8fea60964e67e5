"""What every call goes through, whatever the provider: a record, a budget, a limit on how many run at once.

Each is a ``ChatModel`` around a ``ChatModel``. From the outside in: ``Budgeted(Limited(Recorded(provider)))``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.clock import new_id, now
from core.errors import BudgetExceeded, ModelRefused, UnusableReply
from language_models.base import CallRecorder, ChatModel, ChatReply, ChatRequest, ModelCall, TokenCounter, Usage
from language_models.failures import unavailable
from language_models.profiles import ModelProfile
from language_models.spending import BudgetLimits, SessionUsage, cost_of
from language_models.streams import UNREPORTED, StreamEnd, TextStream, relay

ABANDONED = "Abandoned"
"""Outcome of a stream whose reader went away before its end (a closed page, a stopped run)."""

# Outcomes without words that a provider charges for all the same: it read the prompt.
_USED_ANYWAY = frozenset({"ok", ABANDONED, ModelRefused.__name__, UnusableReply.__name__})

# What chat formats add around each message: role names and separators. Measured providers add 3 to 4.
_TOKENS_PER_MESSAGE = 4


def tokens_of(request: ChatRequest, counter: TokenCounter) -> int:
    """The tokens ``request`` sends, near enough for a budget."""
    return sum(counter.count(message.content) + _TOKENS_PER_MESSAGE for message in request.messages)


class Recorded:
    """Writes down every call and how it ended, also a stream that was cut or left. Never keeps what was said."""

    def __init__(
        self,
        inner: ChatModel,
        profile: ModelProfile,
        recorder: CallRecorder,
        counter: TokenCounter,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._inner = inner
        self._profile = profile
        self._recorder = recorder
        self._counter = counter
        self._clock = clock

    @property
    def name(self) -> str:
        """The inner model's name."""
        return self._inner.name

    def complete(self, request: ChatRequest) -> ChatReply:
        """Complete, and record the call."""
        started = self._clock()
        try:
            reply = self._inner.complete(request)
        except BaseException as error:
            outcome = type(error).__name__
            used = self._counted(request, UNREPORTED, "") if outcome in _USED_ANYWAY else Usage()
            self._record(request, started, outcome=outcome, usage=used)
            raise
        usage = self._counted(request, reply.usage, reply.text)
        self._record(request, started, outcome="ok", usage=usage, model=reply.model)
        return ChatReply(text=reply.text, model=reply.model, usage=usage, finish_reason=reply.finish_reason)

    def stream(self, request: ChatRequest) -> TextStream:
        """Stream, and record the call when it ends, however it ends."""
        started = self._clock()
        said: list[str] = []
        outcome, usage, model = ABANDONED, None, None
        pieces = relay(self._inner.stream(request))
        try:
            while True:
                try:
                    piece = next(pieces)
                except StopIteration as stop:
                    end: StreamEnd | None = stop.value
                    outcome = "ok"
                    usage, model = (end.usage, end.model) if end is not None else (None, None)
                    return end
                said.append(piece)
                yield piece
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            pieces.close()
            used = said or outcome in _USED_ANYWAY
            counted = self._counted(request, usage or UNREPORTED, "".join(said)) if used else Usage()
            self._record(request, started, outcome=outcome, usage=counted, model=model)

    def _counted(self, request: ChatRequest, usage: Usage, text: str) -> Usage:
        """``usage`` as reported, or counted here when it was not."""
        if not usage.estimated:
            return usage
        return Usage(
            prompt_tokens=tokens_of(request, self._counter), completion_tokens=self._counter.count(text), estimated=True
        )

    def _record(self, request: ChatRequest, started: float, *, outcome: str, usage: Usage, model: str | None = None) -> None:
        self._recorder.record(
            ModelCall(
                id=new_id(),
                at=now(),
                role=request.role,
                profile=self._profile.name,
                model=model or self._profile.model,
                prompt_hash=request.prompt_hash,
                outcome=outcome,
                milliseconds=round((self._clock() - started) * 1000),
                usage=usage,
                cost=cost_of(usage, self._profile.prices),
                session_id=request.session_id,
            )
        )


class Budgeted:
    """Refuses a call before it is made when it could take its session over the limits.

    What counts is what the session has used (``spent``), what its other calls now under way may still use, and the most this call
    can use. Requests without a session have no budget. Share one ``Reservations`` between the models of an installation.
    """

    def __init__(
        self,
        inner: ChatModel,
        profile: ModelProfile,
        limits: BudgetLimits,
        counter: TokenCounter,
        *,
        spent: Callable[[str], SessionUsage],
        reservations: Reservations | None = None,
    ) -> None:
        self._inner = inner
        self._profile = profile
        self._limits = limits
        self._counter = counter
        self._spent = spent
        self._reservations = reservations or Reservations()

    @property
    def name(self) -> str:
        """The inner model's name."""
        return self._inner.name

    def complete(self, request: ChatRequest) -> ChatReply:
        """Complete, if the budget allows. Raises ``BudgetExceeded`` otherwise, before anything is sent."""
        with self._allowance(request):
            return self._inner.complete(request)

    def stream(self, request: ChatRequest) -> TextStream:
        """Stream, if the budget allows. Raises ``BudgetExceeded`` otherwise, before anything is sent."""
        with self._allowance(request):
            return (yield from relay(self._inner.stream(request)))

    @contextmanager
    def _allowance(self, request: ChatRequest) -> Iterator[None]:
        if request.session_id is None or self._limits == BudgetLimits():
            yield
            return
        most = Usage(prompt_tokens=tokens_of(request, self._counter), completion_tokens=request.max_tokens)
        tokens, cost = most.prompt_tokens + most.completion_tokens, cost_of(most, self._profile.prices) or 0.0
        with self._reservations.hold(request.session_id, tokens, cost, limits=self._limits, spent=self._spent):
            yield


class Reservations:
    """What calls now under way may still use, per session, so that parallel calls cannot overrun a limit together."""

    def __init__(self) -> None:
        self._held: dict[str, list[tuple[int, float]]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def hold(
        self, session_id: str, tokens: int, cost: float, *, limits: BudgetLimits, spent: Callable[[str], SessionUsage]
    ) -> Iterator[None]:
        """Reserve ``tokens`` and ``cost`` for the time of the block. Raises ``BudgetExceeded`` when they do not fit."""
        share = (tokens, cost)
        with self._lock:
            used = spent(session_id)
            held = self._held.get(session_id, [])
            all_tokens = used.tokens + sum(t for t, _ in held) + tokens
            all_cost = used.cost + sum(c for _, c in held) + cost
            for what, total, limit in (("tokens", all_tokens, limits.tokens), ("cost", all_cost, limits.cost)):
                if limit is not None and total > limit:
                    raise BudgetExceeded(
                        "This session has used up its share of the language model. What you wrote is saved; "
                        "you can end the session and read your report, or ask the person who runs this installation for more.",
                        details=f"{what}: {total:g} would be over the limit of {limit:g}",
                    )
            self._held.setdefault(session_id, []).append(share)
        try:
            yield
        finally:
            with self._lock:
                self._held[session_id].remove(share)
                if not self._held[session_id]:
                    del self._held[session_id]


class Limited:
    """Lets only so many calls run at once in this process; the others wait for a place, and not for ever.

    A stream keeps its place until its last piece was read or it was closed.
    """

    def __init__(self, inner: ChatModel, places: threading.Semaphore, *, longest_wait_seconds: float = 30.0) -> None:
        self._inner = inner
        self._places = places
        self._longest_wait = longest_wait_seconds

    @property
    def name(self) -> str:
        """The inner model's name."""
        return self._inner.name

    def complete(self, request: ChatRequest) -> ChatReply:
        """Complete when there is a place. Raises ``ModelUnavailable`` when none becomes free in time."""
        with self._place():
            return self._inner.complete(request)

    def stream(self, request: ChatRequest) -> TextStream:
        """Stream when there is a place. Raises ``ModelUnavailable`` when none becomes free in time."""
        with self._place():
            return (yield from relay(self._inner.stream(request)))

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=self._longest_wait):
            raise unavailable(f"no free place for a model call within {self._longest_wait:g} s")
        try:
            yield
        finally:
            self._places.release()
