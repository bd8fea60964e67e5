"""Every call is recorded, budgeted and limited, streamed ones too."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.errors import BudgetExceeded, ModelError, ModelRefused, ModelUnavailable
from language_models.base import ChatMessage, ChatModel, ChatReply, ChatRequest, ModelCall, ModelRole, Usage
from language_models.failures import refused, unavailable
from language_models.openai_compatible import OpenAICompatibleModel
from language_models.patience import Patience
from language_models.profiles import ModelProfile
from language_models.spending import BudgetLimits, SessionUsage, Tally, cost_of
from language_models.streams import StreamEnd, TextStream
from language_models.wrappers import ABANDONED, Budgeted, Limited, Recorded, Reservations
from tests.fakes.openai_server import FakeOpenAI, always, cut_off, rate_limited, server_error

PROFILE = ModelProfile.model_validate(
    {"name": "house", "model": "some-model", "prices": {"prompt": 2.0, "cached": 0.5, "completion": 8.0}}
)


class Words:
    """Counts a token per word."""

    def count(self, text: str) -> int:
        return len(text.split())


class Kept:
    def __init__(self) -> None:
        self.calls: list[ModelCall] = []

    def record(self, call: ModelCall) -> None:
        self.calls.append(call)


class Fixed:
    """Says the same words always; raises when told to, after so many pieces."""

    name = "house:some-model"

    def __init__(self, words: str = "one two three", *, usage: Usage | None = None, fails: ModelError | None = None, after: int = 0):
        self.words, self.usage, self.fails, self.after = words, usage or Usage(estimated=True), fails, after
        self.calls = 0
        self.closed = 0

    def complete(self, request: ChatRequest) -> ChatReply:
        self.calls += 1
        if self.fails is not None:
            raise self.fails
        return ChatReply(text=self.words, model="some-model-2026", usage=self.usage, finish_reason="stop")

    def stream(self, request: ChatRequest) -> TextStream:
        self.calls += 1
        try:
            for number, word in enumerate(self.words.split()):
                if self.fails is not None and number == self.after:
                    raise self.fails
                yield word + " "
        finally:
            self.closed += 1
        return StreamEnd(model="some-model-2026", usage=self.usage, finish_reason="stop")


class Plain:
    """A model whose stream is a bare iterator without an ending."""

    name = "plain"

    def complete(self, request: ChatRequest) -> ChatReply:
        raise AssertionError

    def stream(self, request: ChatRequest) -> Iterator[str]:
        return iter(["a ", "b "])


def a_request(session: str | None = "s1", **changes: Any) -> ChatRequest:
    given: dict[str, Any] = {
        "role": ModelRole.FEEDBACK, "messages": (ChatMessage("user", "four words of prompt"),), "prompt_hash": "hash",
        "session_id": session, "max_tokens": 10, **changes,
    }  # fmt: skip
    return ChatRequest(**given)


def recorded(inner: ChatModel, kept: Kept) -> Recorded:
    ticks = iter(range(1000))
    return Recorded(inner, PROFILE, kept, Words(), clock=lambda: next(ticks) * 0.25)


def test_a_call_is_recorded_with_what_it_was_and_what_it_cost() -> None:
    kept = Kept()
    reply = recorded(Fixed(usage=Usage(prompt_tokens=1000, completion_tokens=100, cached_tokens=400)), kept).complete(a_request())
    assert reply.text == "one two three"
    (call,) = kept.calls
    assert (call.role, call.profile, call.model, call.prompt_hash) == (ModelRole.FEEDBACK, "house", "some-model-2026", "hash")
    assert (call.outcome, call.milliseconds, call.session_id) == ("ok", 250, "s1")
    assert call.cost == pytest.approx((600 * 2.0 + 400 * 0.5 + 100 * 8.0) / 1e6)
    assert call.at.tzinfo is not None and call.id


def test_unreported_usage_is_counted_and_says_so() -> None:
    kept = Kept()
    reply = recorded(Fixed(), kept).complete(a_request())
    assert reply.usage == kept.calls[0].usage == Usage(prompt_tokens=8, completion_tokens=3, estimated=True)


@pytest.mark.parametrize(("error", "charged"), [(unavailable("x"), 0), (refused("x"), 8)])
def test_a_failed_call_is_recorded_by_its_class(error: ModelError, charged: int) -> None:
    kept = Kept()
    model = recorded(Fixed(fails=error), kept)
    for use in (model.complete, lambda request: list(model.stream(request))):
        with pytest.raises(type(error)):
            use(a_request())
    assert [call.outcome for call in kept.calls] == [type(error).__name__] * 2
    assert [call.usage.prompt_tokens for call in kept.calls] == [charged] * 2


def test_a_stream_is_recorded_at_its_end() -> None:
    kept = Kept()
    pieces = recorded(Fixed(usage=Usage(prompt_tokens=5, completion_tokens=3)), kept).stream(a_request())
    assert next(pieces) == "one "
    assert kept.calls == []
    assert list(pieces) == ["two ", "three "]
    assert (kept.calls[0].outcome, kept.calls[0].usage, kept.calls[0].model) == (
        "ok", Usage(prompt_tokens=5, completion_tokens=3), "some-model-2026",
    )  # fmt: skip


def test_a_stream_cut_in_the_middle_is_recorded_with_what_came() -> None:
    kept = Kept()
    with pytest.raises(ModelUnavailable):
        list(recorded(Fixed(fails=unavailable("cut"), after=2), kept).stream(a_request()))
    assert kept.calls[0].outcome == "ModelUnavailable"
    assert kept.calls[0].usage == Usage(prompt_tokens=8, completion_tokens=2, estimated=True)


def test_a_stream_that_is_left_is_recorded_and_closed() -> None:
    kept, inner = Kept(), Fixed()
    pieces = recorded(inner, kept).stream(a_request())
    next(pieces)
    pieces.close()
    assert (kept.calls[0].outcome, kept.calls[0].usage.completion_tokens, inner.closed) == (ABANDONED, 1, 1)


def test_a_stream_without_an_ending_is_counted() -> None:
    kept = Kept()
    assert list(recorded(Plain(), kept).stream(a_request())) == ["a ", "b "]
    assert (kept.calls[0].outcome, kept.calls[0].usage.completion_tokens, kept.calls[0].model) == ("ok", 2, "some-model")


def test_the_record_never_holds_what_was_said() -> None:
    kept = Kept()
    recorded(Fixed("private words"), kept).complete(a_request())
    assert "private" not in repr(kept.calls) and "prompt of" not in repr(kept.calls)


def test_an_unknown_price_is_unknown() -> None:
    assert cost_of(Usage(prompt_tokens=5), None) is None
    no_cached_price = ModelProfile.model_validate({"name": "n", "model": "m", "prices": {"prompt": 3, "completion": 0}}).prices
    assert cost_of(Usage(prompt_tokens=1_000_000, cached_tokens=500_000), no_cached_price) == 3.0


def budgeted(inner: ChatModel, limits: BudgetLimits, spent: Callable[[str], SessionUsage], held: Reservations | None = None) -> Budgeted:
    return Budgeted(inner, PROFILE, limits, Words(), spent=spent, reservations=held)


@pytest.mark.parametrize(
    ("limits", "spent", "allowed"),
    [
        (BudgetLimits(tokens=118), SessionUsage(prompt_tokens=60, completion_tokens=40), True),
        (BudgetLimits(tokens=117), SessionUsage(prompt_tokens=60, completion_tokens=40), False),
        (BudgetLimits(cost=0.0011), SessionUsage(cost=0.001), True),
        (BudgetLimits(cost=0.00109), SessionUsage(cost=0.001), False),
        (BudgetLimits(), SessionUsage(prompt_tokens=10**9, cost=10**6), True),
    ],
)
def test_the_budget_is_checked_before_the_call(limits: BudgetLimits, spent: SessionUsage, allowed: bool) -> None:
    inner = Fixed()
    model = budgeted(inner, limits, lambda _session: spent)
    if allowed:
        assert model.complete(a_request()).text and list(model.stream(a_request()))
        assert inner.calls == 2
    else:
        with pytest.raises(BudgetExceeded) as raised:
            model.complete(a_request())
        with pytest.raises(BudgetExceeded):
            next(model.stream(a_request()))
        assert inner.calls == 0
        assert "limit" in raised.value.details and "token" not in raised.value.message


def test_requests_outside_a_session_have_no_budget() -> None:
    model = budgeted(Fixed(), BudgetLimits(tokens=1), lambda _session: pytest.fail("asked"))
    assert model.complete(a_request(None)).text


def test_calls_under_way_count_too_and_are_given_back() -> None:
    held = Reservations()
    model = budgeted(Fixed(), BudgetLimits(tokens=30), lambda _session: SessionUsage(), held)
    pieces = model.stream(a_request())
    next(pieces)
    with pytest.raises(BudgetExceeded):
        model.complete(a_request())
    assert model.complete(a_request("another session")).text
    pieces.close()
    assert model.complete(a_request()).text


def test_a_session_spends_down_to_its_limit_and_no_further() -> None:
    kept = Kept()
    tally = Tally(kept, earlier=lambda _session: SessionUsage(prompt_tokens=20))
    inner = Fixed(usage=Usage(prompt_tokens=10, completion_tokens=5))
    model = budgeted(Recorded(inner, PROFILE, tally, Words()), BudgetLimits(tokens=70), tally.usage_of)
    done = 0
    with pytest.raises(BudgetExceeded):
        while True:
            model.complete(a_request())
            done += 1
    assert done == len(kept.calls) == inner.calls == 3
    assert tally.usage_of("s1").tokens == 65 <= 70
    assert tally.usage_of("s2").tokens == 20


def test_only_so_many_calls_run_at_once() -> None:
    release, started = threading.Event(), threading.Semaphore(0)
    running, most, lock = 0, 0, threading.Lock()

    class Slow(Fixed):
        def complete(self, request: ChatRequest) -> ChatReply:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            started.release()
            assert release.wait(10)
            with lock:
                running -= 1
            return super().complete(request)

    inner = Slow()
    model = Limited(inner, threading.BoundedSemaphore(2), longest_wait_seconds=10)
    threads = [threading.Thread(target=model.complete, args=(a_request(),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert started.acquire(timeout=5) and started.acquire(timeout=5)
    release.set()
    for thread in threads:
        thread.join(10)
    assert (most, inner.calls) == (2, 6)


def test_no_free_place_is_unavailable_and_a_closed_stream_gives_its_place_back() -> None:
    model = Limited(Fixed(), threading.BoundedSemaphore(1), longest_wait_seconds=0.01)
    pieces = model.stream(a_request())
    next(pieces)
    with pytest.raises(ModelUnavailable):
        model.complete(a_request())
    pieces.close()
    assert model.complete(a_request()).text
    failing = Limited(Fixed(fails=refused("x")), threading.BoundedSemaphore(1), longest_wait_seconds=0.01)
    for _ in range(3):
        with pytest.raises(ModelRefused):
            failing.complete(a_request())


def test_the_ending_of_a_stream_passes_through_all_wrappers() -> None:
    kept = Kept()
    model = budgeted(Limited(recorded(Fixed(), kept), threading.BoundedSemaphore(1)), BudgetLimits(tokens=99), lambda _s: SessionUsage())
    pieces = model.stream(a_request())
    while True:
        try:
            next(pieces)
        except StopIteration as stop:
            assert stop.value.finish_reason == "stop"
            break
    assert model.name == "house:some-model"


@pytest.mark.parametrize(
    ("failures", "outcome", "completion_tokens"),
    [([cut_off(2)], "ModelUnavailable", 2), ([rate_limited("99")], "ModelUnavailable", 0), ([server_error()], "ok", 4)],
)
def test_streams_of_a_real_connection_are_recorded(failures: list[Any], outcome: str, completion_tokens: int) -> None:
    kept = Kept()
    with FakeOpenAI() as server:
        server.when(always, "one two three four")
        server.fail_next(*failures)
        profile = PROFILE.model_copy(update={"base_url": server.base_url})
        provider = OpenAICompatibleModel(profile, patience=Patience(sleep=lambda _s: None), environ={})
        model = Recorded(provider, profile, kept, Words())
        try:
            list(model.stream(a_request()))
        except ModelError as error:
            assert type(error).__name__ == outcome
        sent = json.dumps([dict(request.body or {}) for request in server.requests])
    assert "four words of prompt" in sent
    (call,) = kept.calls
    assert (call.outcome, call.usage.completion_tokens) == (outcome, completion_tokens)
