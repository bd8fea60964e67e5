"""Roles to models, and the connection test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.errors import BudgetExceeded, InvalidInput, ModelMisconfigured, NotFound
from language_models.base import ChatMessage, ChatRequest, ModelCall, ModelRole
from language_models.langchain_adapter import LangChainModel
from language_models.openai_compatible import OpenAICompatibleModel
from language_models.profiles import ModelProfile
from language_models.registry import ModelRegistry, build_model
from language_models.spending import BudgetLimits
from tests.fakes.openai_server import FakeOpenAI, always, bad_key, says


class Kept:
    def __init__(self) -> None:
        self.calls: list[ModelCall] = []

    def record(self, call: ModelCall) -> None:
        self.calls.append(call)


class Words:
    def count(self, text: str) -> int:
        return len(text.split())


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as fake:
        yield fake


def a_profile(server: FakeOpenAI, name: str = "house", **changes: Any) -> ModelProfile:
    return ModelProfile.model_validate({"name": name, "model": "m", "base_url": server.base_url, "max_retries": 0, **changes})


def a_registry(profiles: list[ModelProfile], roles: dict[ModelRole, str], **changes: Any) -> ModelRegistry:
    return ModelRegistry(profiles, roles=roles, counter=Words(), **{"recorder": Kept(), **changes})


def a_request(session: str | None = "s1") -> ChatRequest:
    return ChatRequest(role=ModelRole.CLIENT, messages=(ChatMessage("user", "Hello"),), prompt_hash="p", session_id=session)


def test_roles_get_their_models_and_share_them(server: FakeOpenAI) -> None:
    kept = Kept()
    roles = {ModelRole.CLIENT: "house", ModelRole.FEEDBACK: "house", ModelRole.GRADER: "embedded"}
    registry = a_registry([a_profile(server)], roles, recorder=kept)
    client = registry.for_role(ModelRole.CLIENT)
    assert client is not None and client is registry.for_role(ModelRole.FEEDBACK)
    assert registry.for_role(ModelRole.GRADER) is None and registry.for_role(ModelRole.APPRAISER) is None
    server.when(says("Hello"), "Hi.")
    assert client.complete(a_request()).text == "Hi."
    assert [(call.profile, call.outcome, call.session_id) for call in kept.calls] == [("house", "ok", "s1")]
    assert registry.usage_of("s1").calls == 1


def test_the_budget_of_a_session_is_shared_by_its_roles(server: FakeOpenAI) -> None:
    server.when(always, "Hi.")
    profiles = [a_profile(server, "a"), a_profile(server, "b")]
    roles = {ModelRole.CLIENT: "a", ModelRole.FEEDBACK: "b"}
    registry = a_registry(profiles, roles, limits=BudgetLimits(tokens=405))
    client, feedback = registry.for_role(ModelRole.CLIENT), registry.for_role(ModelRole.FEEDBACK)
    assert client is not None and feedback is not None
    client.complete(a_request())
    with pytest.raises(BudgetExceeded):
        feedback.complete(a_request())
    assert feedback.complete(a_request("s2")).text == "Hi."
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("names", "roles"),
    [(["house"], {ModelRole.CLIENT: "hose"}), (["house", "house"], {}), (["embedded"], {})],
)
def test_settings_that_cannot_be_meant_are_refused(server: FakeOpenAI, names: list[str], roles: dict[ModelRole, str]) -> None:
    with pytest.raises(InvalidInput):
        a_registry([a_profile(server, name) for name in names], roles)


def test_an_unknown_profile_is_not_found(server: FakeOpenAI) -> None:
    with pytest.raises(NotFound, match="Known: house"):
        a_registry([a_profile(server)], {}).probe("nobody")


def test_the_provider_chooses_the_adapter(server: FakeOpenAI) -> None:
    assert isinstance(build_model(a_profile(server)), OpenAICompatibleModel)
    assert isinstance(build_model(a_profile(server, provider="langchain", langchain_provider="openai")), LangChainModel)


def test_an_uninstalled_provider_is_misconfigured(server: FakeOpenAI) -> None:
    model = build_model(a_profile(server, provider="langchain", langchain_provider="no_such_provider"))
    with pytest.raises(ModelMisconfigured):
        model.complete(a_request())


def test_a_probe_of_a_good_server_finds_everything(server: FakeOpenAI) -> None:
    kept = Kept()
    server.when(lambda request: "response_format" in request, {"days": 7, "one_day": "Monday"})
    server.when(says("good morning"), "Good morning to you.")
    result = a_registry([a_profile(server)], {}, recorder=kept).probe("house")
    assert result.usable and result.problems == ()
    assert result.destination.startswith("this machine (127.0.0.1:")
    assert result.first_word_ms is not None and result.reply_ms is not None and 0 <= result.first_word_ms <= result.reply_ms
    assert [call.outcome for call in kept.calls] == ["ok", "ok"] and all(call.session_id is None for call in kept.calls)
    server.assert_no_unexpected()


def test_a_probe_says_what_does_not_work(server: FakeOpenAI) -> None:
    server.when(always, "Seven, I think.")
    result = a_registry([a_profile(server)], {}).probe("house")
    assert (result.reachable, result.streams, result.keeps_schema, result.usable) == (True, True, False, False)
    assert "structured answer: UnusableReply" in result.problems[0]
    server.fail_next(bad_key(), bad_key())
    result = a_registry([a_profile(server)], {}).probe("house")
    assert not result.reachable and len(result.problems) == 2 and "ModelMisconfigured" in result.problems[0]
    assert result.reply_ms is None
