"""What went wrong with a model call, in the project's own terms. One place decides for every provider."""

from __future__ import annotations

import email.utils
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import ModelError, ModelMisconfigured, ModelRefused, ModelUnavailable, UnusableReply

_LONGEST_DETAILS = 600

_TRY_LATER = frozenset({408, 409, 425, 429})
_SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_FILTERED = frozenset({"content_filter", "content_policy_violation", "responsible_ai_policy_violation"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """A failed attempt: the error to raise, whether another attempt can help, and the wait in seconds the server asked for."""

    error: ModelError
    retry: bool = False
    retry_after: float | None = None


def misconfigured(details: str) -> ModelMisconfigured:
    """The installation must be changed by whoever runs it."""
    return ModelMisconfigured(
        "The language model is not set up correctly, so it cannot answer. "
        "What you wrote is saved; please tell the person who runs this installation.",
        details=_short(details),
    )


def unavailable(details: str, *, wait: float | None = None) -> ModelUnavailable:
    """The model did not answer in time; ``wait`` is how many seconds the server asked for, when it said so."""
    when = "in a moment" if wait is None or wait <= 5 else f"in about {math.ceil(wait)} seconds"
    return ModelUnavailable(
        f"The language model is busy or did not answer in time. What you wrote is saved; please try again {when}.",
        details=_short(details),
    )


def refused(details: str) -> ModelRefused:
    """The model or its provider declined."""
    return ModelRefused(
        "The language model declined to answer this. What you wrote is saved; you can put it differently and try again.",
        details=_short(details),
    )


def unusable(details: str) -> UnusableReply:
    """An answer came and cannot be read as what was asked for."""
    return UnusableReply(
        "The language model's answer could not be used. What you wrote is saved; please try again.", details=_short(details)
    )


def from_status(status: int, *, code: str = "", details: str = "", headers: Mapping[str, str] | None = None) -> Trouble:
    """The trouble behind an HTTP status. ``code`` is the provider's own error code when it gave one."""
    said = f"HTTP {status} {code}: {details}"
    if code in _FILTERED:
        return Trouble(refused(said))
    if code in _SPENT:  # a 429 in form, yet no waiting helps
        return Trouble(misconfigured(said))
    if status in _TRY_LATER or status >= 500:
        wait = retry_after_seconds(headers or {})
        return Trouble(unavailable(said, wait=wait), retry=status != 501, retry_after=wait)
    return Trouble(misconfigured(said))


def retry_after_seconds(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """The wait a server asked for, in seconds (``retry-after-ms``, ``retry-after`` as a number or a date); None when it did not.

    ``now`` is seconds since the epoch, needed for the date form only.
    """
    given = {name.lower(): value for name, value in headers.items()}
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(given[name]) * unit
        except (KeyError, ValueError):
            continue
        return max(0.0, seconds) if not math.isnan(seconds) else None
    parsed = email.utils.parsedate_tz(given.get("retry-after", ""))
    if parsed is None:
        return None
    try:
        return max(0.0, email.utils.mktime_tz(parsed) - (time.time() if now is None else now))
    except (ValueError, OverflowError):
        return None


def without_key(text: str, key: str | None) -> str:
    """``text`` with the API key blotted out: some servers echo the key they reject."""
    return text.replace(key, "[key]") if key else text


def _short(details: str) -> str:
    return details if len(details) <= _LONGEST_DETAILS else details[:_LONGEST_DETAILS] + " [...]"
