"""Any server that speaks OpenAI's Chat Completions, through the ``openai`` package. The only file that imports it.

Chat Completions and not the Responses API, because that is what Ollama, llama.cpp, vLLM and the rest speak.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Mapping
from typing import Any

import openai

from core.errors import ModelError
from language_models.base import ChatReply, ChatRequest, Usage
from language_models.failures import (
    Trouble,
    from_status,
    misconfigured,
    refused,
    unavailable,
    unusable,
    without_key,
)
from language_models.patience import Patience
from language_models.profiles import OPENAI_ADDRESS, ModelProfile, host_of, is_openai_itself, is_this_machine, is_well_formed
from language_models.streams import UNREPORTED, StreamEnd, TextStream
from language_models.structured import in_words

_CONNECT_SECONDS = 5.0
_STREAM_FACTOR = 2.0  # a stream may take this many times the time-out from first to last word
_NO_KEY = "no-key-needed"  # local servers ignore it; the library insists on one, and would otherwise send the one for OpenAI


class OpenAICompatibleModel:
    """A ``ChatModel`` over one profile. Thread-safe; the connection is made at the first call.

    ``environ`` is where ``api_key_env`` is looked up. ``patience`` defaults to the profile's time-out and retries.
    """

    def __init__(
        self, profile: ModelProfile, *, patience: Patience | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self._profile = profile
        self._patience = patience or Patience(total_seconds=profile.timeout_seconds, max_retries=profile.max_retries)
        secret = profile.key(os.environ if environ is None else environ)
        self._key = secret.get_secret_value() if secret is not None else None
        self._client: openai.OpenAI | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Profile and model id, for records."""
        return f"{self._profile.name}:{self._profile.model}"

    def complete(self, request: ChatRequest) -> ChatReply:
        """Send and wait for the whole reply, within the profile's time-out including retries."""
        client, fields = self._connect(), self._fields(request)
        create: Any = client.chat.completions.create
        reply: object = self._patience.persist(lambda left: create(**fields, timeout=call_timeout(left)), self._diagnose)
        return self._read(reply)

    def stream(self, request: ChatRequest) -> TextStream:
        """Send and yield text as it arrives. Until the first piece has come, failures are retried; after it they are raised."""
        client, fields = self._connect(), self._fields(request, stream=True)
        create: Any = client.chat.completions.create

        def begin(left: float) -> tuple[str, Generator[str, None, StreamEnd]]:
            pieces = self._pieces(create(**fields, timeout=call_timeout(left)))
            try:
                return next(pieces), pieces
            except StopIteration:
                raise unusable("the stream held no text") from None

        first, rest = self._patience.persist(begin, self._diagnose)
        try:
            yield first
            return (yield from rest)
        except ModelError:
            raise
        except Exception as error:
            raise self._diagnose(error).error from error
        finally:
            rest.close()

    def _connect(self) -> openai.OpenAI:
        with self._lock:
            if self._client is None:
                self._client = self._open()
            return self._client

    def _open(self) -> openai.OpenAI:
        own = is_openai_itself(self._profile)
        if self._key is None and own:
            raise misconfigured(f"no API key for profile {self._profile.name} (api_key or api_key_env)")
        key = self._key or _NO_KEY
        if not is_well_formed(key):
            raise misconfigured(f"the API key of profile {self._profile.name} holds characters no key has")
        address = self._profile.address or OPENAI_ADDRESS
        client = openai.OpenAI(api_key=key, base_url=address, max_retries=0, http_client=transport(self._profile))
        client.admin_api_key = None
        if not own:  # identifiers of an OpenAI account are nobody else's business
            client.organization = client.project = None
        return client

    def _fields(self, request: ChatRequest, *, stream: bool = False) -> dict[str, Any]:
        """The request body: only what the profile says the server understands."""
        profile, supports = self._profile, self._profile.supports
        if not supports.json_schema:
            request = in_words(request)
        own = is_openai_itself(profile)
        fields: dict[str, Any] = {
            "model": profile.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "max_completion_tokens" if own else "max_tokens": request.max_tokens,
        }
        if supports.temperature:
            fields["temperature"] = request.temperature
        if supports.seed and request.seed is not None:
            fields["seed"] = request.seed
        if profile.reasoning_effort is not None:
            fields["reasoning_effort"] = profile.reasoning_effort
        if request.json_schema is not None:
            fields["response_format"] = response_format(request.json_schema)
        if supports.prompt_cache_key:
            fields["prompt_cache_key"] = f"{request.prompt_hash[-32:]}-{(request.session_id or '')[:24]}"
        if own:
            fields["store"] = False  # new accounts keep every completion unless told not to
        if stream:
            fields["stream"] = True
            if supports.stream_usage:
                fields["stream_options"] = {"include_usage": True}
        return fields

    def _read(self, reply: object) -> ChatReply:
        error = getattr(reply, "error", None)
        if isinstance(error, Mapping):  # some gateways report failures with status 200
            raise _inner_trouble(error, self._key).error
        choice = _first_choice(reply)
        message = getattr(choice, "message", None)
        finish = getattr(choice, "finish_reason", None)
        if getattr(message, "refusal", None) or finish == "content_filter":
            raise refused(f"finish_reason {finish}")
        text = getattr(message, "content", None)
        if not isinstance(text, str) or not text.strip():
            raise unusable(f"no text in the reply ({type(reply).__name__}, finish_reason {finish})")
        return ChatReply(text=text, model=self._answered_by(reply), usage=_usage(reply), finish_reason=finish)

    def _pieces(self, chunks: Any) -> Generator[str, None, StreamEnd]:
        """Text pieces of a chunk stream. A stream without a finish reason was cut, however politely the connection was closed."""
        started, finish, usage, model = self._patience.clock(), None, UNREPORTED, self._profile.model
        limit = self._patience.total_seconds * _STREAM_FACTOR
        with chunks:
            try:
                for chunk in chunks:
                    if self._patience.clock() - started > limit:
                        raise unavailable(f"the stream lasted longer than {limit:.0f} s")
                    model = self._answered_by(chunk)
                    usage = _usage(chunk) if getattr(chunk, "usage", None) else usage
                    choice = _first_choice(chunk)
                    delta = getattr(choice, "delta", None)
                    finish = getattr(choice, "finish_reason", None) or finish
                    if getattr(delta, "refusal", None) or finish == "content_filter":
                        raise refused(f"finish_reason {finish}")
                    text = getattr(delta, "content", None)
                    if isinstance(text, str) and text:
                        yield text
            except openai.APIConnectionError:
                if finish is None:  # otherwise all the words are here, only the count of tokens is missing
                    raise
        if finish is None:
            raise unavailable("the stream ended before the reply did")
        return StreamEnd(model=model, usage=usage, finish_reason=finish)

    def _answered_by(self, reply: object) -> str:
        model = getattr(reply, "model", None)
        return model if isinstance(model, str) and model else self._profile.model

    def _diagnose(self, error: Exception) -> Trouble:
        if isinstance(error, ModelError):
            return Trouble(error)
        details = without_key(f"{type(error).__name__}: {error}", self._key)
        if isinstance(error, openai.APIStatusError):
            return from_status(error.status_code, code=error.code or "", details=details, headers=dict(error.response.headers))
        if isinstance(error, openai.APIConnectionError):
            cause = f"{details} ({error.__cause__!r})"
            if "CERTIFICATE_VERIFY_FAILED" in cause:
                return Trouble(misconfigured(f"{cause}; the operating system's certificates decide, see SSL_CERT_FILE"))
            return Trouble(unavailable(cause), retry=True)
        if isinstance(error, openai.APIError):  # an error event inside a stream
            return _inner_trouble(error.body if isinstance(error.body, Mapping) else {"message": details}, self._key)
        if isinstance(error, openai.OpenAIError):
            return Trouble(misconfigured(details))
        return Trouble(unusable(details))


def transport(profile: ModelProfile) -> openai.DefaultHttpxClient:
    """The HTTP connection for a profile: no redirects, and no proxy towards this machine.

    A redirect would carry a trainee's words to a host that the settings page does not name.
    """
    return openai.DefaultHttpxClient(
        follow_redirects=False, trust_env=not is_this_machine(host_of(profile)), base_url=profile.address or OPENAI_ADDRESS
    )


def response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The ``response_format`` field for a strict schema; its title names it."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in str(schema.get("title") or "answer"))
    return {"type": "json_schema", "json_schema": {"name": name[:64], "strict": True, "schema": dict(schema)}}


def call_timeout(seconds: float) -> openai.Timeout:
    """Limits for one attempt: a few seconds to connect, ``seconds`` for each wait for data."""
    return openai.Timeout(seconds, connect=min(_CONNECT_SECONDS, seconds))


def _first_choice(reply: object) -> object | None:
    choices = getattr(reply, "choices", None)
    return choices[0] if isinstance(choices, list) and choices else None


def _usage(reply: object) -> Usage:
    usage = getattr(reply, "usage", None)
    prompt, completion = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return UNREPORTED
    cached = getattr(getattr(usage, "prompt_tokens_details", None), "cached_tokens", None)
    return Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached if isinstance(cached, int) else 0)


def _inner_trouble(error: Mapping[str, object], key: str | None) -> Trouble:
    """A failure reported inside a reply instead of by its status."""
    code = error.get("code")
    status = int(code) if isinstance(code, int | str) and str(code).isdigit() and 300 <= int(code) <= 599 else 502
    return from_status(status, code=str(code or ""), details=without_key(str(error.get("message")), key))
