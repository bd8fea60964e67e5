"""Retrying: never earlier than asked, never longer than allowed."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ModelMisconfigured, ModelRefused, ModelUnavailable
from language_models.failures import Trouble, from_status, retry_after_seconds, unavailable, without_key
from language_models.patience import Patience

seconds = st.floats(min_value=0, max_value=500, allow_nan=False)


@given(
    asked=st.lists(st.none() | seconds, min_size=1, max_size=8),
    total=st.floats(min_value=0.5, max_value=300),
    retries=st.integers(min_value=0, max_value=5),
    jitter=st.floats(min_value=0, max_value=0.999),
)
def test_waits_are_never_shorter_than_asked_nor_longer_than_allowed(
    asked: list[float | None], total: float, retries: int, jitter: float
) -> None:
    slept: list[float] = []
    attempts = 0

    def attempt(left: float) -> None:
        nonlocal attempts
        assert 0 < left <= total
        attempts += 1
        raise ConnectionError

    def diagnose(_error: Exception) -> Trouble:
        return Trouble(unavailable("x"), retry=True, retry_after=asked[min(attempts - 1, len(asked) - 1)])

    patience = Patience(
        total_seconds=total, max_retries=retries, sleep=slept.append, clock=lambda: sum(slept), jitter=lambda: jitter
    )
    with pytest.raises(ModelUnavailable):
        patience.persist(attempt, diagnose)
    assert attempts <= retries + 1
    assert sum(slept) < total
    for wait, wanted in zip(slept, asked, strict=False):
        assert wait >= (wanted or 0.0)
        assert wanted is None or wanted <= patience.longest_wait


def test_what_cannot_help_is_not_tried_again() -> None:
    calls: list[float] = []

    def attempt(left: float) -> None:
        calls.append(left)
        raise ValueError

    with pytest.raises(ModelMisconfigured):
        Patience(sleep=lambda _s: pytest.fail("waited")).persist(attempt, lambda _e: from_status(401))
    assert len(calls) == 1


def test_the_attempt_is_told_how_much_time_is_left() -> None:
    slept: list[float] = []
    left: list[float] = []

    def attempt(seconds_left: float) -> str:
        left.append(seconds_left)
        if len(left) < 3:
            raise ConnectionError
        return "done"

    patience = Patience(total_seconds=10, sleep=slept.append, clock=lambda: sum(slept), jitter=lambda: 0.0)
    assert patience.persist(attempt, lambda _e: Trouble(unavailable("x"), retry=True)) == "done"
    assert left == [10.0, 9.5, 8.5]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": formatdate(1_000_030, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(999_000, usegmt=True)}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-4"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_seconds(headers, now=1_000_000) == expected


@given(st.text(max_size=40))
def test_any_retry_after_is_read_without_an_error(value: str) -> None:
    found = retry_after_seconds({"retry-after": value}, now=0)
    assert found is None or found >= 0


@given(st.integers(min_value=300, max_value=599))
def test_every_status_has_one_meaning(status: int) -> None:
    trouble = from_status(status)
    assert isinstance(trouble.error, ModelMisconfigured | ModelUnavailable)
    assert not trouble.retry or isinstance(trouble.error, ModelUnavailable)
    assert isinstance(from_status(status, code="content_filter").error, ModelRefused)


def test_a_key_is_blotted_out() -> None:
    assert without_key("bad key sk-1 given", "sk-1") == "bad key [key] given"
    assert without_key("nothing to hide", None) == "nothing to hide"
