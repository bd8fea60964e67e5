"""Asking for a typed answer: a strict schema goes out, what comes back is parsed and validated, and repaired at most once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from core.errors import UnusableReply
from language_models.base import ChatMessage, ChatModel, ChatRequest
from language_models.failures import unusable
from language_models.prompts import PromptTemplate

_PROMPTS = Path(__file__).parent / "prompts"
_LONGEST_ECHO = 4000
_MOST_PROBLEMS = 8

# Strict mode refuses these; what they say is still checked when the answer is validated.
_DROPPED = frozenset({"default", "title", "minLength", "maxLength", "uniqueItems", "examples", "discriminator"})
_MAPS_OF_SCHEMAS = frozenset({"properties", "$defs"})

AnswerT = TypeVar("AnswerT", bound=BaseModel)


def ask(model: ChatModel, request: ChatRequest, answer: type[AnswerT]) -> AnswerT:
    """The model's answer to ``request`` as an ``answer`` value.

    An answer that does not fit is sent back once with the list of problems. Raises ``UnusableReply`` when the second one does
    not fit either, and whatever other ``ModelError`` the call itself raises.
    """
    request = replace(request, json_schema=strict_schema(answer))
    try:
        text = model.complete(request).text
    except UnusableReply as error:  # nothing readable came: there is nothing to show, only to ask again
        text, problems = "", [error.details or "the answer was empty"]
    else:
        value, problems = _read(text, answer)
        if value is not None:
            return value
    second = model.complete(_repair(request, text, problems)) if text else model.complete(request)
    value, problems = _read(second.text, answer)
    if value is None:
        raise unusable(f"{answer.__name__}: " + "; ".join(problems))
    return value


def in_words(request: ChatRequest) -> ChatRequest:
    """``request`` with its schema put into the last message, for servers that do not take schemas."""
    if request.json_schema is None:
        return request
    schema = json.dumps(request.json_schema, ensure_ascii=False, indent=1)
    words = PromptTemplate.load(_PROMPTS / "schema_in_words.md.j2").render(schema=schema)
    *before, last = request.messages or (ChatMessage("user", ""),)
    if last.role == "user":
        messages = (*before, ChatMessage("user", f"{last.content}\n\n{words}".strip()))
    else:
        messages = (*before, last, ChatMessage("user", words))
    return replace(request, messages=messages, json_schema=None)


@lru_cache(maxsize=64)
def strict_schema(answer: type[BaseModel]) -> Mapping[str, Any]:
    """The JSON schema of ``answer`` in the strict form providers accept: every property required, no others allowed.

    Raises ``TypeError`` for types strict mode cannot express (free-key maps, mixed tuples, a root that is no object).
    """
    schema = _strict(answer.model_json_schema(), answer.__name__)
    if schema.get("type") != "object":
        raise TypeError(f"{answer.__name__}: a strict schema needs an object at its root")
    return {"title": answer.__name__, **schema}


def _strict(node: Any, where: str) -> Any:
    if isinstance(node, list):
        return [_strict(item, where) for item in node]
    if not isinstance(node, dict):
        return node
    if "prefixItems" in node or isinstance(node.get("additionalProperties"), dict) or node.get("additionalProperties") is True:
        raise TypeError(f"{where}: a strict schema cannot express {sorted(node)}")
    strict: dict[str, Any] = {}
    for key, value in node.items():
        if key in _MAPS_OF_SCHEMAS:
            strict[key] = {name: _strict(schema, f"{where}.{name}") for name, schema in value.items()}
        elif key not in _DROPPED:
            strict["anyOf" if key == "oneOf" else key] = _strict(value, where)
    if strict.get("type") == "object":
        strict.setdefault("properties", {})
        strict["required"] = list(strict["properties"])
        strict["additionalProperties"] = False
    if "$ref" in strict and len(strict) > 1:  # a reference may not have siblings
        strict = {"anyOf": [{"$ref": strict.pop("$ref")}], **strict}
    return strict


def _read(text: str, answer: type[AnswerT]) -> tuple[AnswerT | None, list[str]]:
    try:
        return answer.model_validate(_json_object(text)), []
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in item['loc']) or 'the answer'}: {item['msg']}"
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        return None, problems[:_MOST_PROBLEMS]
    except (ValueError, RecursionError) as error:
        return None, [f"it is not one JSON object ({error})"]


def _json_object(text: str) -> object:
    """The JSON object in ``text``; models without schema support wrap it in prose or a code fence. Raises ``ValueError``."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    try:
        return decoder.decode(text.strip())
    except ValueError as error:
        start = text.find("{")
        if start < 0:
            raise error
        return decoder.raw_decode(text, start)[0]


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _repair(request: ChatRequest, text: str, problems: list[str]) -> ChatRequest:
    words = PromptTemplate.load(_PROMPTS / "repair.md.j2").render(problems=problems)
    return replace(
        request, messages=(*request.messages, ChatMessage("assistant", text[:_LONGEST_ECHO]), ChatMessage("user", words))
    )
