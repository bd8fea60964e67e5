"""Any chat model LangChain knows, behind ``ChatModel``: Anthropic, Google, Azure, Ollama and others with their own packages.

LangChain is imported at the first call, so that installations without such a profile do not pay for it.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import ModelError
from language_models.base import ChatReply, ChatRequest, Usage
from language_models.failures import Trouble, from_status, misconfigured, refused, unavailable, unusable, without_key
from language_models.patience import Patience
from language_models.profiles import DEFAULT_ADDRESSES, ModelProfile, is_openai_itself, is_well_formed
from language_models.streams import UNREPORTED, StreamEnd, TextStream
from language_models.structured import in_words

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage

T = TypeVar("T")

_STREAM_FACTOR = 2.0
_MODELS_KEPT = 8
_NO_KEY = "no-key-needed"
_OPENAI_FAMILY = frozenset({"openai", "azure_openai"})
_STOP_KEYS = ("finish_reason", "stop_reason", "done_reason")
_FILTERED = frozenset({"content_filter", "refusal", "safety", "prohibited_content", "blocklist", "recitation", "spii"})

# The same limits have other names in some providers' classes.
_MAX_TOKENS_NAME = {"ollama": "num_predict", "google_genai": "max_output_tokens", "google_vertexai": "max_output_tokens"}
_NO_ADDRESS = frozenset({"google_genai", "google_vertexai"})


class LangChainModel:
    """A ``ChatModel`` over ``init_chat_model``. Thread-safe. Tracing to outside services is always off."""

    def __init__(
        self, profile: ModelProfile, *, patience: Patience | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self._profile = profile
        self._family = profile.family
        self._patience = patience or Patience(total_seconds=profile.timeout_seconds, max_retries=profile.max_retries)
        secret = profile.key(os.environ if environ is None else environ)
        self._key = secret.get_secret_value() if secret is not None else None
        self._models: dict[tuple[float, int], BaseChatModel] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Profile and model id, for records."""
        return f"{self._profile.name}:{self._profile.model}"

    def complete(self, request: ChatRequest) -> ChatReply:
        """Send and wait for the whole reply, within the profile's time-out including retries."""
        request = self._fitted(request)
        model, messages, options = self._model(request), _messages(request), self._options(request)
        if request.json_schema is not None:
            runnable: Any = model.with_structured_output(
                dict(request.json_schema), method="json_schema", include_raw=True, **self._strictness()
            )
        else:
            runnable = model
        answer: Any = self._patience.persist(
            lambda left: _untraced(lambda: runnable.invoke(messages, **options, **self._limit(left))), self._diagnose
        )
        return self._read(answer["raw"], answer["parsed"]) if isinstance(answer, dict) else self._read(answer)

    def stream(self, request: ChatRequest) -> TextStream:
        """Send and yield text as it arrives. Until the first piece has come, failures are retried; after it they are raised."""
        request = self._fitted(request)
        model, messages, options = self._model(request), _messages(request), self._options(request)

        def begin(left: float) -> tuple[str, Generator[str, None, StreamEnd]]:
            pieces = self._pieces(model.stream(messages, **options, **self._limit(left)))
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

    def _fitted(self, request: ChatRequest) -> ChatRequest:
        return request if self._profile.supports.json_schema else in_words(request)

    def _strictness(self) -> dict[str, bool]:
        return {"strict": True} if self._family in _OPENAI_FAMILY else {}

    def _options(self, request: ChatRequest) -> dict[str, Any]:
        """What goes with one call; temperature and length are set when the model object is made, which all providers support."""
        wanted = self._family in _OPENAI_FAMILY and self._profile.supports.seed and request.seed is not None
        return {"seed": request.seed} if wanted else {}

    def _limit(self, left: float) -> dict[str, Any]:
        """The time left for one attempt, where a call can be told; elsewhere each attempt has the profile's whole time-out."""
        if self._family not in _OPENAI_FAMILY:
            return {}
        from language_models.openai_compatible import call_timeout

        return {"timeout": call_timeout(left)}

    def _model(self, request: ChatRequest) -> BaseChatModel:
        settings = (request.temperature, request.max_tokens)
        with self._lock:
            if settings not in self._models:
                while len(self._models) >= _MODELS_KEPT:
                    self._models.pop(next(iter(self._models)))
                self._models[settings] = self._open(*settings)
            return self._models[settings]

    def _open(self, temperature: float, max_tokens: int) -> BaseChatModel:
        if self._key is not None and not is_well_formed(self._key):
            raise misconfigured(f"the API key of profile {self._profile.name} holds characters no key has")
        try:
            from langchain.chat_models import init_chat_model

            model: BaseChatModel = init_chat_model(
                self._profile.model, model_provider=self._family, **self._arguments(temperature, max_tokens)
            )
        except Exception as error:  # a missing package, an unknown provider or a refused argument: all for the administrator
            raise misconfigured(without_key(f"{type(error).__name__}: {error}", self._key)) from error
        client: Any = getattr(model, "root_client", None)
        if client is not None and not is_openai_itself(self._profile):  # identifiers of an OpenAI account are nobody else's business
            client.organization = client.project = None
        return model

    def _arguments(self, temperature: float, max_tokens: int) -> dict[str, Any]:
        profile, family = self._profile, self._family
        arguments: dict[str, Any] = {}
        if profile.supports.temperature:
            arguments["temperature"] = temperature
        if family == "ollama":
            arguments["client_kwargs"] = {"timeout": profile.timeout_seconds, "follow_redirects": False}
        else:
            arguments["timeout"] = profile.timeout_seconds
            arguments["max_retries"] = 1 if family in _NO_ADDRESS else 0  # Google counts attempts, the others count repeats
            # An address of its own gets no key from the environment: that one is for the provider's own service.
            key = self._key or (_NO_KEY if profile.base_url and not is_openai_itself(profile) else None)
            if key is not None:
                arguments["api_key"] = key
        address = profile.base_url or (None if family in _NO_ADDRESS else DEFAULT_ADDRESSES.get(family))
        if address is not None:
            arguments["base_url"] = address
        if family in _OPENAI_FAMILY:
            arguments["stream_usage"] = profile.supports.stream_usage
        if family == "openai":
            from language_models.openai_compatible import transport

            arguments["http_client"] = transport(profile)
            arguments["use_responses_api"] = False  # otherwise chosen by model name, also for servers that have no such thing
            if profile.reasoning_effort is not None:
                arguments["reasoning_effort"] = profile.reasoning_effort
            if not is_openai_itself(profile):  # LangChain renames max_tokens to a field that only OpenAI's own service knows
                return arguments | {"extra_body": {"max_tokens": max_tokens}}
            arguments["store"] = False
        return arguments | {_MAX_TOKENS_NAME.get(family, "max_tokens"): max_tokens}

    def _read(self, message: AIMessage, parsed: object = None) -> ChatReply:
        finish = _finish_reason(message)
        if message.additional_kwargs.get("refusal") or (finish or "").lower() in _FILTERED:
            raise refused(f"finish_reason {finish}")
        text = str(message.text)
        if not text.strip() and isinstance(parsed, dict):  # providers that answer a schema through a tool call send no text
            text = json.dumps(parsed, ensure_ascii=False)
        if not text.strip():
            raise unusable(f"no text in the reply (finish_reason {finish})")
        model = message.response_metadata.get("model_name") or self._profile.model
        return ChatReply(text=text, model=str(model), usage=_usage(message), finish_reason=finish)

    def _pieces(self, chunks: Iterator[Any]) -> Generator[str, None, StreamEnd]:
        started, finish, usage, model = self._patience.clock(), None, UNREPORTED, self._profile.model
        limit = self._patience.total_seconds * _STREAM_FACTOR
        try:
            while (chunk := _untraced(lambda: next(chunks, None))) is not None:
                if self._patience.clock() - started > limit:
                    raise unavailable(f"the stream lasted longer than {limit:.0f} s")
                finish = _finish_reason(chunk) or finish
                if (finish or "").lower() in _FILTERED:
                    raise refused(f"finish_reason {finish}")
                usage = _usage(chunk) if chunk.usage_metadata else usage
                model = str(chunk.response_metadata.get("model_name") or model)
                if text := str(chunk.text):
                    yield text
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        if finish is None and self._family in _OPENAI_FAMILY:
            raise unavailable("the stream ended before the reply did")
        return StreamEnd(model=model, usage=usage, finish_reason=finish)

    def _diagnose(self, error: Exception) -> Trouble:
        if isinstance(error, ModelError):
            return Trouble(error)
        details = without_key(f"{type(error).__name__}: {error}", self._key)
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        if isinstance(status, int) and 300 <= status <= 599:
            headers = getattr(getattr(error, "response", None), "headers", None)
            code = getattr(error, "code", None)
            return from_status(
                status, code=code if isinstance(code, str) else "", details=details, headers=dict(headers) if headers else None
            )
        return _by_kind(error, details)


def _by_kind(error: Exception, details: str) -> Trouble:
    """The trouble behind an error without an HTTP status; provider libraries agree on names more than on classes."""
    from langchain_core.exceptions import ContextOverflowError, ModelConnectionError, ModelTimeoutError

    names = " ".join(kind.__name__ for kind in type(error).__mro__)
    if "ContentFilter" in names or "Refusal" in names:
        return Trouble(refused(details))
    if "CERTIFICATE_VERIFY_FAILED" in f"{error!r} {error.__cause__!r}":
        return Trouble(misconfigured(f"{details}; the operating system's certificates decide, see SSL_CERT_FILE"))
    if isinstance(error, ModelConnectionError | ModelTimeoutError | OSError) or "Timeout" in names or "Connect" in names:
        return Trouble(unavailable(details), retry=True)
    if "TransportError" in names or "ProtocolError" in names:
        return Trouble(unavailable(details), retry=True)
    if isinstance(error, ContextOverflowError):
        return Trouble(misconfigured(details))
    if isinstance(error, ValueError | KeyError | TypeError) or "LengthFinish" in names or "Parser" in names:
        return Trouble(unusable(details))
    return Trouble(unavailable(details))


def _messages(request: ChatRequest) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in request.messages]


def _untraced(call: Callable[[], T]) -> T:
    """Run ``call`` without LangChain's traces, also when tracing variables are set: words go only where the page says."""
    from langsmith import tracing_context

    with tracing_context(enabled=False):
        return call()


def _finish_reason(message: Any) -> str | None:
    found = (message.response_metadata.get(key) for key in _STOP_KEYS)
    return next((str(reason) for reason in found if reason), None)


def _usage(message: Any) -> Usage:
    usage = message.usage_metadata
    if not usage:
        return UNREPORTED
    cached = (usage.get("input_token_details") or {}).get("cache_read") or 0
    return Usage(prompt_tokens=usage["input_tokens"], completion_tokens=usage["output_tokens"], cached_tokens=cached)
