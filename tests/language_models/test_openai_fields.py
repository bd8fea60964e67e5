"""Fields that differ between OpenAI's own service and everybody else's, and options of a profile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from language_models import langchain_adapter, openai_compatible
from language_models.base import ChatMessage, ChatModel, ChatRequest, ModelRole
from language_models.profiles import ModelProfile, is_openai_itself
from tests.fakes.openai_server import FakeOpenAI, always

REQUEST = ChatRequest(
    role=ModelRole.CLIENT,
    messages=(ChatMessage("user", "Hello"),),
    prompt_hash="0123456789abcdef" * 4,
    max_tokens=70,
    session_id="session-one",
)


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as fake:
        fake.when(always, "Hi.")
        yield fake


def a_profile(server: FakeOpenAI, **changes: Any) -> ModelProfile:
    return ModelProfile.model_validate({"name": "t", "model": "gpt-4o", "base_url": server.base_url, "api_key": "k", **changes})


@pytest.mark.parametrize("kind", ["openai", "langchain"])
def test_openai_itself_is_told_not_to_store_and_counts_completion_tokens(
    server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for module in (openai_compatible, langchain_adapter):
        monkeypatch.setattr(module, "is_openai_itself", lambda _profile: True)
    model: ChatModel = (
        openai_compatible.OpenAICompatibleModel(a_profile(server), environ={})
        if kind == "openai"
        else langchain_adapter.LangChainModel(a_profile(server, provider="langchain", langchain_provider="openai"), environ={})
    )
    model.complete(REQUEST)
    assert (server.last["max_completion_tokens"], server.last["store"]) == (70, False)
    server.assert_no_unexpected()


def test_whose_service_it_is_goes_by_the_host(server: FakeOpenAI) -> None:
    assert is_openai_itself(a_profile(server, base_url=None))
    assert is_openai_itself(a_profile(server, base_url="https://eu.api.openai.com/v1"))
    assert not is_openai_itself(a_profile(server, base_url="https://api.openai.com.evil.example/v1"))
    assert not is_openai_itself(a_profile(server))


def test_a_cache_key_and_an_effort_are_sent_when_the_profile_has_them(server: FakeOpenAI) -> None:
    profile = a_profile(server, supports={"prompt_cache_key": True}, reasoning_effort="low")
    openai_compatible.OpenAICompatibleModel(profile, environ={}).complete(REQUEST)
    key = server.last["prompt_cache_key"]
    assert server.last["reasoning_effort"] == "low" and len(key) <= 64 and key.endswith("session-one")
    server.assert_no_unexpected()
