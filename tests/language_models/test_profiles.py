"""Profiles are strict data, and say truthfully where words go."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from language_models.profiles import ModelProfile, describe_destination


def a_profile(**changes: Any) -> ModelProfile:
    return ModelProfile.model_validate({"name": "test", "model": "some-model", **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "api.openai.com"),
        ({"base_url": "http://127.0.0.1:8080/v1"}, "this machine (127.0.0.1:8080)"),
        ({"base_url": "http://localhost:11434/v1"}, "this machine (localhost:11434)"),
        ({"base_url": "http://[::1]:8080/v1"}, "this machine ([::1]:8080)"),
        ({"base_url": "http://127.0.0.1.evil.example/v1"}, "127.0.0.1.evil.example"),
        ({"base_url": "https://models.school.example:8443/v1"}, "models.school.example:8443"),
        ({"provider": "langchain", "langchain_provider": "anthropic"}, "api.anthropic.com"),
        ({"provider": "langchain", "langchain_provider": "ollama"}, "this machine (127.0.0.1:11434)"),
        ({"provider": "langchain", "langchain_provider": "cohere"}, "the service of the provider “cohere”"),
    ],
)
def test_the_destination_is_said_plainly(changes: dict[str, Any], expected: str) -> None:
    assert describe_destination(a_profile(**changes)) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"surprise": 1},
        {"provider": "langchain"},
        {"langchain_provider": "anthropic"},
        {"base_url": "127.0.0.1:8080"},
        {"base_url": "ftp://host/v1"},
        {"base_url": "http://name:password@host/v1"},
        {"timeout_seconds": 0},
        {"max_retries": -1},
        {"supports": {"telepathy": True}},
        {"prices": {"prompt": -1, "completion": 1}},
        {"model": ""},
    ],
)
def test_a_wrong_profile_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        a_profile(**changes)


def test_the_key_is_taken_from_the_profile_then_from_the_named_variable() -> None:
    environ = {"MY_KEY": " from-environment ", "OPENAI_API_KEY": "not-asked-for"}
    assert a_profile().key(environ) is None
    named = a_profile(api_key_env="MY_KEY").key(environ)
    assert named is not None and named.get_secret_value() == "from-environment"
    given = a_profile(api_key="given", api_key_env="MY_KEY").key(environ)
    assert given is not None and given.get_secret_value() == "given"
    assert a_profile(api_key="  ").key({}) is None


def test_a_printed_profile_does_not_show_its_key() -> None:
    profile = a_profile(api_key="sk-very-secret")
    assert "very-secret" not in repr(profile) and "very-secret" not in profile.model_dump_json()
