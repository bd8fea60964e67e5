"""Typed answers: strict out, validated in, one repair."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from core.errors import ModelError, ModelUnavailable, UnusableReply
from language_models.base import ChatMessage, ChatReply, ChatRequest, ModelRole, Usage
from language_models.failures import unavailable, unusable
from language_models.openai_compatible import OpenAICompatibleModel
from language_models.profiles import ModelProfile
from language_models.structured import ask, in_words, strict_schema
from tests.fakes.openai_server import FakeOpenAI, always, says


class Quote(BaseModel):
    words: str = Field(min_length=1)
    note: str | None = None


class Judgement(BaseModel):
    reason: str
    level: int = Field(ge=1, le=5)
    kind: Literal["scored", "unscored"] = "scored"
    evidence: list[Quote] = []


GOOD = {"reason": "because", "level": 3, "kind": "scored", "evidence": [{"words": "I hear you", "note": None}]}


@dataclass
class Scripted:
    """Answers from a list, and remembers what it was asked. Runs out loudly."""

    answers: list[str | ModelError]
    asked: list[ChatRequest] = field(default_factory=list)
    name: str = "scripted"

    def complete(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, ModelError):
            raise answer
        return ChatReply(text=answer, model="scripted", usage=Usage())

    def stream(self, request: ChatRequest) -> Iterator[str]:
        raise AssertionError("a structured answer is not streamed")


def a_request(words: str = "Judge this.") -> ChatRequest:
    return ChatRequest(role=ModelRole.GRADER, messages=(ChatMessage("user", words),), prompt_hash="p")


def test_a_good_answer_needs_one_call() -> None:
    model = Scripted([json.dumps(GOOD)])
    assert ask(model, a_request(), Judgement).level == 3
    assert model.asked[0].json_schema == strict_schema(Judgement)
    assert len(model.asked) == 1


@pytest.mark.parametrize("wrapped", ["```json\n{}\n```", "Here you are: {} I hope it helps {{x}}", "  {}\n"])
def test_an_answer_wrapped_in_prose_is_found(wrapped: str) -> None:
    model = Scripted([wrapped.replace("{}", json.dumps(GOOD), 1)])
    assert ask(model, a_request(), Judgement).reason == "because"


def test_a_wrong_answer_is_repaired_once_and_is_told_what_was_wrong() -> None:
    model = Scripted([json.dumps({**GOOD, "level": 9}), json.dumps(GOOD)])
    assert ask(model, a_request(), Judgement).level == 3
    *_, answer, complaint = model.asked[1].messages
    assert answer.role == "assistant" and '"level": 9' in answer.content
    assert complaint.role == "user" and "level: Input should be less than or equal to 5" in complaint.content
    assert model.asked[1].json_schema == strict_schema(Judgement)


@pytest.mark.parametrize("bad", ["I would say 3.", '{"reason": "b", "level": NaN}', "{", "[1]", '{"level": 3}', "{" * 5000])
def test_two_bad_answers_are_unusable_and_no_third_is_asked(bad: str) -> None:
    model = Scripted([bad, bad])
    with pytest.raises(UnusableReply) as raised:
        ask(model, a_request(), Judgement)
    assert len(model.asked) == 2 and "Judgement" in raised.value.details


def test_nothing_readable_is_asked_again_once() -> None:
    model = Scripted([unusable("empty"), json.dumps(GOOD)])
    assert ask(model, a_request(), Judgement).level == 3
    assert model.asked[0] == model.asked[1]
    with pytest.raises(UnusableReply):
        ask(Scripted([unusable("empty"), unusable("empty")]), a_request(), Judgement)


def test_other_failures_are_not_repaired() -> None:
    model = Scripted([unavailable("busy")])
    with pytest.raises(ModelUnavailable):
        ask(model, a_request(), Judgement)


def test_the_schema_is_strict_all_the_way_down() -> None:
    schema = strict_schema(Judgement)
    assert schema["required"] == ["reason", "level", "kind", "evidence"]
    assert schema["additionalProperties"] is False
    quote = schema["$defs"]["Quote"]
    assert quote["required"] == ["words", "note"] and quote["additionalProperties"] is False
    assert "minLength" not in json.dumps(schema) and "default" not in json.dumps(schema)


def test_a_property_may_be_called_like_a_keyword() -> None:
    class Named(BaseModel):
        title: str
        default: int

    assert strict_schema(Named)["required"] == ["title", "default"]


def test_what_strict_mode_cannot_say_is_refused_early() -> None:
    class Free(BaseModel):
        scores: dict[str, int]

    class Mixed(BaseModel):
        pair: tuple[int, str]

    for kind in (Free, Mixed):
        with pytest.raises(TypeError, match=kind.__name__):
            strict_schema(kind)


def test_schema_in_words_keeps_roles_alternating() -> None:
    request = ChatRequest(
        role=ModelRole.GRADER,
        messages=(ChatMessage("system", "S"), ChatMessage("user", "U")),
        prompt_hash="p",
        json_schema=strict_schema(Judgement),
    )
    worded = in_words(request)
    assert [m.role for m in worded.messages] == ["system", "user"] and worded.json_schema is None
    assert worded.messages[1].content.startswith("U\n") and '"evidence"' in worded.messages[1].content
    assert in_words(worded) is worded


@given(st.text(max_size=200))
def test_no_answer_whatever_breaks_the_reader(text: str) -> None:
    model = Scripted([text, json.dumps(GOOD)])
    assert ask(model, a_request(), Judgement).level == 3


@pytest.mark.parametrize("supported", [True, False])
def test_the_whole_way_against_a_server(supported: bool) -> None:
    with FakeOpenAI() as server:
        server.when(says("could not be used"), GOOD)
        server.when(always, {**GOOD, "level": 0})
        given: dict[str, Any] = {"name": "t", "model": "m", "base_url": server.base_url, "supports": {"json_schema": supported}}
        model = OpenAICompatibleModel(ModelProfile.model_validate(given), environ={})
        assert ask(model, a_request(), Judgement).evidence[0].words == "I hear you"
        assert len(server.requests) == 2
        assert ("response_format" in server.last) is supported
        server.assert_no_unexpected()
