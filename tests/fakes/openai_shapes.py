"""The shapes of Chat Completions as the fake server speaks them: what a real server would refuse, and what it would answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Request = Mapping[str, Any]

_KNOWN_FIELDS = {
    "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "stop", "n", "stream",
    "stream_options", "response_format", "prompt_cache_key", "store", "reasoning_effort", "user", "parallel_tool_calls",
}  # fmt: skip


@dataclass(frozen=True)
class Refusal:
    """A reply in which the model declines."""

    words: str = "I can't help with that."


Words = str | Mapping[str, Any] | Refusal


def json_object(raw: bytes) -> Mapping[str, Any] | None:
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def words_of(request: Request) -> str:
    return "\n".join(str(message.get("content")) for message in request.get("messages", []) if isinstance(message, dict))


def problem_of(body: Request) -> str | None:
    """Why a real server would refuse the request, or None."""
    unknown = sorted(set(body) - _KNOWN_FIELDS)
    messages = body.get("messages")
    if unknown:
        return f"unknown fields {unknown}"
    if not isinstance(body.get("model"), str) or not isinstance(messages, list) or not messages:
        return "model or messages missing"
    if any(m.get("role") not in ("system", "user", "assistant", "developer") or not isinstance(m.get("content"), str) for m in messages):
        return "a message without a known role or without text"
    if "max_tokens" in body and "max_completion_tokens" in body:
        return "both max_tokens and max_completion_tokens"
    if "stream_options" in body and not body.get("stream"):
        return "stream_options without stream"
    given = body.get("response_format")
    if given is not None:
        if given.get("type") != "json_schema" or given.get("json_schema", {}).get("strict") is not True:
            return "response_format is not a strict json_schema"
        problems = list(_not_strict(given["json_schema"]["schema"], "schema"))
        return "; ".join(problems) or None
    return None


def _not_strict(node: Any, where: str) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _not_strict(item, where)
    elif isinstance(node, dict):
        if node.get("type") == "object":
            if node.get("additionalProperties") is not False:
                yield f"{where}: additionalProperties must be false"
            if sorted(node.get("required", [])) != sorted(node.get("properties", {})):
                yield f"{where}: every property must be required"
        if "$ref" in node and len(node) > 1:
            yield f"{where}: $ref has siblings"
        for key in ("default", "oneOf", "minLength", "maxLength"):
            if key in node and not where.endswith("properties"):
                yield f"{where}: {key} is not allowed"
        for key, value in node.items():
            yield from _not_strict(value, f"{where}.{key}")


def limited(body: Request, answer: Words) -> tuple[list[str], str]:
    """The answer in pieces of a word each, cut at the asked number of tokens (a word counts as one), and why it ends."""
    text = answer.words if isinstance(answer, Refusal) else answer if isinstance(answer, str) else json.dumps(answer)
    pieces = re.findall(r"\S+\s*|\s+", text)
    limit = body.get("max_tokens") or body.get("max_completion_tokens") or len(pieces)
    return (pieces[:limit], "length") if len(pieces) > limit else (pieces, "stop")


def usage(body: Request, pieces: Sequence[str]) -> dict[str, Any]:
    prompt = len(words_of(body).split())
    return {
        "prompt_tokens": prompt,
        "completion_tokens": len(pieces),
        "total_tokens": prompt + len(pieces),
        "prompt_tokens_details": {"cached_tokens": prompt // 2},
    }


def completion(body: Request, answer: Words, *, finish: str | None = None) -> dict[str, Any]:
    pieces, ended = limited(body, answer)
    text = "".join(pieces)
    declined = isinstance(answer, Refusal)
    message = {"role": "assistant", "content": None if declined else text, "refusal": text if declined else None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": f"{body['model']}-2026",
        "choices": [{"index": 0, "message": message, "finish_reason": finish or ended}],
        "usage": usage(body, pieces),
    }


def chunk(body: Request, delta: Mapping[str, Any], *, finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": f"{body['model']}-2026",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
