"""The one retry layer. Every provider library's own retrying is switched off, so that waits never multiply.

A person is waiting at a page: whatever a server asks for, a call with all its attempts and waits stays within ``total_seconds``.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from language_models.failures import Trouble

_FIRST_WAIT = 0.5
_LONGEST_BACK_OFF = 8.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long one call may take, in seconds, and how often it is tried. Tests fix ``sleep``, ``clock`` and ``jitter``.

    ``longest_wait`` is the longest Retry-After that is waited for; a longer one fails at once and says how long to wait.
    ``jitter`` returns a number in [0, 1).
    """

    total_seconds: float = 60.0
    max_retries: int = 2
    longest_wait: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random

    def persist(self, attempt: Callable[[float], T], diagnose: Callable[[Exception], Trouble]) -> T:
        """Call ``attempt(seconds_left)`` until it succeeds; raises the diagnosed ``ModelError`` when it is time to give up."""
        deadline = self.clock() + self.total_seconds
        tried = 0
        while True:
            try:
                return attempt(max(0.001, deadline - self.clock()))
            except Exception as error:
                trouble = diagnose(error)
                wait = self._wait(trouble, tried)
                if wait is None or self.clock() + wait >= deadline:
                    if trouble.error is error:
                        raise
                    raise trouble.error from error
            self.sleep(wait)
            tried += 1

    def _wait(self, trouble: Trouble, tried: int) -> float | None:
        """Seconds before the next attempt, or None to give up."""
        if not trouble.retry or tried >= self.max_retries:
            return None
        asked = trouble.retry_after
        if asked is not None and asked > self.longest_wait:
            return None
        if asked:  # never earlier than asked; a little later, so that many waiting rooms do not come back in the same instant
            return asked + self.jitter() * min(1.0, 0.25 * asked)
        back_off = min(_LONGEST_BACK_OFF, _FIRST_WAIT * 2.0**tried)
        return back_off * (1.0 - 0.5 * self.jitter())
