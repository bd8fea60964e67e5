"""What model calls cost, and how much of it a session may use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from language_models.base import CallRecorder, ModelCall, Usage
from language_models.profiles import Prices

_SESSIONS_KEPT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLimits:
    """The most one session may use: tokens (prompt and completion together) and cost. None means no limit.

    A cost limit works only for profiles that name their prices; ``SessionUsage.unpriced`` says how many calls escaped it.
    """

    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUsage:
    """What a session has used. ``cost`` adds up the calls whose price is known; ``unpriced`` counts the others."""

    calls: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost: float = 0.0
    unpriced: int = 0

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens

    def plus(self, call: ModelCall) -> SessionUsage:
        """This usage with one more call."""
        return SessionUsage(
            calls=self.calls + 1,
            failed=self.failed + (call.outcome != "ok"),
            prompt_tokens=self.prompt_tokens + call.usage.prompt_tokens,
            completion_tokens=self.completion_tokens + call.usage.completion_tokens,
            cached_tokens=self.cached_tokens + call.usage.cached_tokens,
            cost=self.cost + (call.cost or 0.0),
            unpriced=self.unpriced + (call.cost is None),
        )


def cost_of(usage: Usage, prices: Prices | None) -> float | None:
    """The price of one call; None when the profile names no prices. Cached tokens are part of the prompt tokens."""
    if prices is None:
        return None
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    cached_price = prices.prompt if prices.cached is None else prices.cached
    paid = (usage.prompt_tokens - cached) * prices.prompt + cached * cached_price + usage.completion_tokens * prices.completion
    return paid / 1_000_000


def _nothing(_session_id: str) -> SessionUsage:
    return SessionUsage()


class Tally:
    """A ``CallRecorder`` that passes every call on and keeps a running total per session.

    ``earlier`` says what a session had used before this process first met it, usually from the database. Sessions that have not
    been seen for long are forgotten and asked for again. Thread-safe.
    """

    def __init__(self, onward: CallRecorder, *, earlier: Callable[[str], SessionUsage] = _nothing) -> None:
        self._onward = onward
        self._earlier = earlier
        self._totals: OrderedDict[str, SessionUsage] = OrderedDict()
        self._lock = threading.Lock()

    def record(self, call: ModelCall) -> None:
        """Add ``call`` to its session's total, then pass it on."""
        if call.session_id is not None:
            self.usage_of(call.session_id)  # before the call is stored, so that ``earlier`` does not count it too
            with self._lock:
                self._totals[call.session_id] = self._totals.get(call.session_id, SessionUsage()).plus(call)
        self._onward.record(call)

    def usage_of(self, session_id: str) -> SessionUsage:
        """What the session has used so far."""
        with self._lock:
            known = self._totals.get(session_id)
            if known is not None:
                self._totals.move_to_end(session_id)
                return known
        earlier = self._earlier(session_id)
        with self._lock:
            total = self._totals.setdefault(session_id, earlier)
            while len(self._totals) > _SESSIONS_KEPT:
                self._totals.popitem(last=False)
            return total
