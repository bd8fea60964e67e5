"""One promise, two adapters: whatever a server does, the same request goes out and the same error comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.errors import ModelError, ModelMisconfigured, ModelRefused, ModelUnavailable, UnusableReply
from language_models.base import ChatMessage, ChatModel, ChatRequest, ModelRole
from language_models.langchain_adapter import LangChainModel
from language_models.openai_compatible import OpenAICompatibleModel
from language_models.patience import Patience
from language_models.profiles import ModelProfile
from language_models.streams import StreamEnd
from tests.fakes.openai_server import (
    Failure,
    FakeOpenAI,
    Refusal,
    always,
    bad_key,
    broken_json,
    content_filter,
    cut_off,
    error,
    held,
    held_after,
    rate_limited,
    says,
    server_error,
    web_page,
)

KEY = "sk-secret-0123456789"
SCHEMA = {
    "title": "Answer",
    "type": "object",
    "properties": {"level": {"type": "integer"}},
    "required": ["level"],
    "additionalProperties": False,
}


class Waits:
    """A clock that moves only when somebody sleeps, and a list of the sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def clock(self) -> float:
        return sum(self.slept)


Make = Callable[..., ChatModel]


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as fake:
        yield fake


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture(params=["openai", "langchain"])
def make(request: pytest.FixtureRequest, server: FakeOpenAI, waits: Waits) -> Make:
    """A model of the adapter under test that talks to the fake server; keywords change its profile or its patience."""

    def build(*, patience: dict[str, Any] | None = None, **profile: Any) -> ChatModel:
        given: dict[str, Any] = {"name": "test", "model": "gpt-4o", "base_url": server.base_url, "api_key": KEY, **profile}
        if request.param == "langchain":
            given |= {"provider": "langchain", "langchain_provider": "openai"}
        checked = ModelProfile.model_validate(given)
        asked = {"sleep": waits.sleep, "clock": waits.clock, "jitter": lambda: 0.0, "max_retries": checked.max_retries, **(patience or {})}
        adapter = LangChainModel if request.param == "langchain" else OpenAICompatibleModel
        return adapter(checked, patience=Patience(**asked), environ={})

    return build


def a_request(words: str = "How are you?", **changes: Any) -> ChatRequest:
    given: dict[str, Any] = {
        "role": ModelRole.CLIENT,
        "messages": (ChatMessage("system", "You play Maya."), ChatMessage("user", words)),
        "prompt_hash": "ab" * 32,
        "max_tokens": 50,
        "temperature": 0.3,
        **changes,
    }
    return ChatRequest(**given)


def read_to_end(pieces: Iterator[str]) -> tuple[list[str], StreamEnd]:
    said = []
    while True:
        try:
            said.append(next(pieces))
        except StopIteration as stop:
            assert isinstance(stop.value, StreamEnd)
            return said, stop.value


def test_a_reply_comes_back_with_its_usage(make: Make, server: FakeOpenAI) -> None:
    server.when(says("How are you?"), "Tired, mostly.")
    reply = make().complete(a_request())
    assert (reply.text, reply.model, reply.finish_reason) == ("Tired, mostly.", "gpt-4o-2026", "stop")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.cached_tokens) == (6, 2, 3)
    assert not reply.usage.estimated
    server.assert_no_unexpected()


def test_what_is_sent_is_what_was_asked(make: Make, server: FakeOpenAI) -> None:
    server.when(always, "Fine.")
    make().complete(a_request(seed=11))
    sent = server.last
    assert sent["model"] == "gpt-4o"
    assert sent["messages"] == [{"role": "system", "content": "You play Maya."}, {"role": "user", "content": "How are you?"}]
    assert (sent["max_tokens"], sent["temperature"], sent["seed"]) == (50, 0.3, 11)
    assert "max_completion_tokens" not in sent and "store" not in sent and "prompt_cache_key" not in sent
    assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    server.assert_no_unexpected()


def test_fields_the_server_does_not_know_are_left_out(make: Make, server: FakeOpenAI) -> None:
    server.when(always, "Fine.")
    supports = {"json_schema": False, "seed": False, "stream_usage": False, "temperature": False}
    model = make(supports=supports)
    list(model.stream(a_request(seed=11)))
    assert not {"seed", "temperature", "stream_options"} & set(server.last)
    model.complete(a_request(json_schema=SCHEMA))
    assert "response_format" not in server.last
    assert '"level"' in server.requests[-1].text and "JSON schema" in server.requests[-1].text
    server.assert_no_unexpected()


def test_no_key_of_the_environment_reaches_another_server(make: Make, server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-for-openai-only")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-private")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("LANGSMITH_GATEWAY", "http://127.0.0.1:9")
    server.when(always, "Fine.")
    make(api_key=None).complete(a_request())
    headers = str(server.requests[-1].headers)
    assert "sk-for-openai-only" not in headers and "org-private" not in headers


def test_a_proxy_is_not_used_towards_this_machine(make: Make, server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.when(always, "Fine.")
    assert make().complete(a_request()).text == "Fine."


def test_a_stream_comes_in_pieces_and_ends_with_its_usage(make: Make, server: FakeOpenAI) -> None:
    server.when(always, "I just stopped answering the phone.")
    said, end = read_to_end(make().stream(a_request()))
    assert len(said) == 6 and "".join(said) == "I just stopped answering the phone."
    assert (end.finish_reason, end.model, end.usage.completion_tokens) == ("stop", "gpt-4o-2026", 6)
    assert server.last["stream_options"] == {"include_usage": True}
    server.assert_no_unexpected()


def test_a_stream_that_is_left_is_closed(make: Make, server: FakeOpenAI) -> None:
    server.when(always, "one two three four")
    server.fail_next(held_after(2, threading.Event()))
    pieces: Any = make().stream(a_request())
    assert next(pieces) == "one "
    pieces.close()
    assert server.client_left.wait(5)


def test_a_schema_is_sent_strictly(make: Make, server: FakeOpenAI) -> None:
    server.when(lambda request: "response_format" in request, {"level": 3})
    reply = make().complete(a_request(json_schema=SCHEMA))
    assert reply.text == '{"level": 3}'
    sent = server.last["response_format"]["json_schema"]
    assert (sent["name"], sent["strict"], sent["schema"]["required"]) == ("Answer", True, ["level"])
    server.assert_no_unexpected()


def test_a_long_reply_says_that_it_was_cut(make: Make, server: FakeOpenAI) -> None:
    server.when(always, "one two three four")
    assert make().complete(a_request(max_tokens=2)).finish_reason == "length"
    assert read_to_end(make().stream(a_request(max_tokens=2)))[1].finish_reason == "length"


FAILURES = [
    pytest.param(bad_key(), ModelMisconfigured, 1, id="401"),
    pytest.param(error(403), ModelMisconfigured, 1, id="403"),
    pytest.param(error(404, "no such model"), ModelMisconfigured, 1, id="404"),
    pytest.param(error(400, "unknown field"), ModelMisconfigured, 1, id="400"),
    pytest.param(error(307, headers={"location": "http://127.0.0.1:9/v1/chat/completions"}), ModelMisconfigured, 1, id="redirect"),
    pytest.param(error(429, "quota", code="insufficient_quota"), ModelMisconfigured, 1, id="out of credit"),
    pytest.param(rate_limited(), ModelUnavailable, 3, id="429"),
    pytest.param(server_error(), ModelUnavailable, 3, id="500"),
    pytest.param(error(503), ModelUnavailable, 3, id="503"),
    pytest.param(cut_off(0), ModelUnavailable, 3, id="connection dropped"),
    pytest.param(error(400, "flagged", code="content_filter"), ModelRefused, 1, id="prompt filtered"),
]


@pytest.mark.parametrize("streamed", [False, True], ids=["complete", "stream"])
@pytest.mark.parametrize(("failure", "expected", "attempts"), FAILURES)
def test_each_failure_has_its_error(
    make: Make, server: FakeOpenAI, failure: Failure, expected: type[ModelError], attempts: int, streamed: bool
) -> None:
    server.fail_next(*[failure] * attempts)
    model = make()
    with pytest.raises(ModelError) as raised:
        list(model.stream(a_request())) if streamed else model.complete(a_request())
    assert type(raised.value) is expected
    assert len(server.requests) == attempts
    assert_fit_for_a_trainee(raised.value)


def assert_fit_for_a_trainee(error: ModelError) -> None:
    for word in ("gpt", "openai", "langchain", "HTTP", "Error", KEY, "127.0.0.1"):
        assert word.lower() not in error.message.lower()
    assert "saved" in error.message
    assert error.details and KEY not in error.details


@pytest.mark.parametrize(
    ("failure", "expected"), [(broken_json(), UnusableReply), (web_page(), UnusableReply), (content_filter(), ModelRefused)]
)
def test_replies_that_are_no_replies(make: Make, server: FakeOpenAI, failure: Failure, expected: type[ModelError]) -> None:
    server.when(always, "Fine.")
    server.fail_next(failure)
    with pytest.raises(expected):
        make().complete(a_request())
    assert len(server.requests) == 1


@pytest.mark.parametrize("words", ["", "   "])
def test_an_empty_reply_is_an_error_and_never_an_empty_text(make: Make, server: FakeOpenAI, words: str) -> None:
    server.when(always, words)
    with pytest.raises(UnusableReply):
        make().complete(a_request())


def test_an_empty_stream_is_an_error(make: Make, server: FakeOpenAI) -> None:
    server.when(always, "")
    with pytest.raises(UnusableReply):
        list(make().stream(a_request()))


def test_a_refusal_is_told_apart(make: Make, server: FakeOpenAI) -> None:
    server.when(always, Refusal())
    with pytest.raises(ModelRefused):
        make().complete(a_request(json_schema=SCHEMA))


def test_a_filtered_stream_raises_after_what_was_said(make: Make, server: FakeOpenAI) -> None:
    server.when(always, "one two three")
    server.fail_next(content_filter())
    said = []
    with pytest.raises(ModelRefused):
        said.extend(make().stream(a_request()))
    pieces = make().stream(a_request())
    server.fail_next(content_filter())
    assert next(pieces) == "one "


def test_a_stream_cut_in_the_middle_keeps_what_came_and_is_not_repeated(make: Make, server: FakeOpenAI) -> None:
    server.when(always, "one two three four")
    server.fail_next(cut_off(2))
    said: list[str] = []
    with pytest.raises(ModelUnavailable):
        for piece in make().stream(a_request()):
            said.append(piece)
    assert said == ["one ", "two "]
    assert len(server.requests) == 1


def test_retry_after_is_waited_for_and_the_call_then_succeeds(make: Make, server: FakeOpenAI, waits: Waits) -> None:
    server.when(always, "Fine.")
    server.fail_next(rate_limited(retry_after="7"), server_error())
    assert make().complete(a_request()).text == "Fine."
    assert waits.slept == [7.0, 1.0]
    assert len(server.requests) == 3


def test_a_long_retry_after_fails_at_once_and_says_how_long(make: Make, server: FakeOpenAI, waits: Waits) -> None:
    server.fail_next(rate_limited(retry_after="90"))
    with pytest.raises(ModelUnavailable, match="90 seconds"):
        make().complete(a_request())
    assert (waits.slept, len(server.requests)) == ([], 1)


def test_waits_never_pass_the_total(make: Make, server: FakeOpenAI, waits: Waits) -> None:
    server.fail_next(*[rate_limited(retry_after="15")] * 5)
    with pytest.raises(ModelUnavailable):
        make(patience={"total_seconds": 40.0, "max_retries": 5}).complete(a_request())
    assert waits.slept == [15.0, 15.0]


def test_a_stream_is_retried_until_its_first_words(make: Make, server: FakeOpenAI, waits: Waits) -> None:
    server.when(always, "one two")
    server.fail_next(server_error(), cut_off(0))
    assert "".join(make().stream(a_request())) == "one two"
    assert waits.slept == [0.5, 1.0]


def test_a_silent_server_is_a_time_out(make: Make, server: FakeOpenAI) -> None:
    release = threading.Event()
    server.fail_next(held(release))
    try:
        with pytest.raises(ModelUnavailable):
            make(patience={"total_seconds": 0.3}).complete(a_request())
    finally:
        release.set()


def test_nobody_listening_is_unavailable(make: Make) -> None:
    with pytest.raises(ModelUnavailable):
        make(base_url="http://127.0.0.1:9/v1").complete(a_request())


@pytest.mark.parametrize("key", ["sk-clé", "sk with space", "sk-\nline"])
def test_a_malformed_key_is_told_before_anything_is_sent(make: Make, server: FakeOpenAI, key: str) -> None:
    with pytest.raises(ModelMisconfigured):
        make(api_key=key).complete(a_request())
    assert server.requests == []


def test_a_missing_key_for_the_hosted_service_is_misconfigured(make: Make) -> None:
    with pytest.raises(ModelMisconfigured):
        make(api_key=None, base_url=None, patience={"max_retries": 0}).complete(a_request())


def test_one_model_serves_many_threads(make: Make, server: FakeOpenAI) -> None:
    server.when(always, lambda request: f"You said {request['messages'][-1]['content']}.")
    model, replies, lock = make(), {}, threading.Lock()

    def run(number: int) -> None:
        text = model.complete(a_request(f"number {number}")).text
        with lock:
            replies[number] = text

    threads = [threading.Thread(target=run, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert replies == {number: f"You said number {number}." for number in range(12)}
    server.assert_no_unexpected()


def test_traces_are_never_sent(make: Make, server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeOpenAI() as collector:
        monkeypatch.setenv("LANGSMITH_TRACING", "true")
        monkeypatch.setenv("LANGSMITH_API_KEY", "test")
        monkeypatch.setenv("LANGSMITH_ENDPOINT", collector.base_url)
        from langchain_core.tracers.langchain import wait_for_all_tracers
        from langsmith import utils

        utils.get_env_var.cache_clear()
        server.when(always, "Fine then.")
        make().complete(a_request())
        list(make().stream(a_request()))
        make().complete(a_request(json_schema=SCHEMA))
        wait_for_all_tracers()
        assert collector.requests == []
    utils.get_env_var.cache_clear()
