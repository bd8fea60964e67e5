"""Model profiles: plain data saying which model is asked, where it runs, what it can do and what it costs."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

OPENAI_ADDRESS = "https://api.openai.com/v1"

# Where a provider's own library sends words when no address is given. Passed on explicitly, so that an environment variable
# cannot silently send them somewhere else than the settings page says.
DEFAULT_ADDRESSES: Mapping[str, str] = {
    "openai": OPENAI_ADDRESS,
    "anthropic": "https://api.anthropic.com",
    "ollama": "http://127.0.0.1:11434",
    "google_genai": "https://generativelanguage.googleapis.com",
}

Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Supports(_Plain):
    """What the server understands beyond the plain request. Only what is true here is sent; small servers reject the rest."""

    json_schema: bool = True
    seed: bool = True
    stream_usage: bool = True
    prompt_cache_key: bool = False
    temperature: bool = True


class Prices(_Plain):
    """Price per million tokens, in the currency the installation uses. ``cached`` defaults to the prompt price."""

    prompt: Price
    completion: Price
    cached: Price | None = None


class ModelProfile(_Plain):
    """One way to reach one model. Holds no behaviour; the key is either here or in the environment variable named here."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    provider: Literal["openai", "langchain"] = "openai"
    model: Annotated[str, Field(min_length=1, max_length=120)]
    base_url: str | None = None
    api_key_env: str | None = None
    api_key: SecretStr | None = None
    langchain_provider: str | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0
    max_retries: Annotated[int, Field(ge=0, le=5)] = 2
    supports: Supports = Supports()
    prices: Prices | None = None
    encoding: str | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> ModelProfile:
        if self.provider == "langchain" and not self.langchain_provider:
            raise ValueError("a langchain profile needs langchain_provider, for example anthropic or ollama")
        if self.provider == "openai" and self.langchain_provider:
            raise ValueError("langchain_provider belongs to profiles whose provider is langchain")
        if self.base_url is not None:
            parts = urlsplit(self.base_url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
                raise ValueError("base_url must be an http or https address such as http://127.0.0.1:8080/v1")
            if parts.username or parts.password:
                raise ValueError("base_url must not hold a user name or password; use api_key or api_key_env")
        return self

    @property
    def address(self) -> str | None:
        """The address words are sent to; None when only the provider's own library knows it."""
        return self.base_url or DEFAULT_ADDRESSES.get(self.family)

    @property
    def family(self) -> str:
        """The provider as its own library is called: ``openai``, ``anthropic``, ``ollama``, ..."""
        return self.langchain_provider or "openai"

    def key(self, environ: Mapping[str, str]) -> SecretStr | None:
        """The API key: the one given, else the named environment variable's, else None."""
        if self.api_key is not None and self.api_key.get_secret_value().strip():
            return self.api_key
        value = environ.get(self.api_key_env, "").strip() if self.api_key_env else ""
        return SecretStr(value) if value else None


def is_well_formed(key: str) -> bool:
    """Whether an API key holds only characters that can travel in a header: printable ASCII without spaces."""
    return key.isascii() and key.isprintable() and " " not in key


def host_of(profile: ModelProfile) -> str:
    """The host name words are sent to; the empty string when it is not known here."""
    return (urlsplit(profile.address).hostname or "") if profile.address else ""


def is_this_machine(host: str) -> bool:
    """Whether ``host`` is the loopback interface."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_openai_itself(profile: ModelProfile) -> bool:
    """Whether the profile speaks to OpenAI's own service, which differs from other servers in a few fields."""
    host = host_of(profile)
    return host == "api.openai.com" or host.endswith(".api.openai.com")


def describe_destination(profile: ModelProfile) -> str:
    """Where the words of a session go, as a person would say it: ``this machine (127.0.0.1:8080)`` or ``api.openai.com``."""
    host = host_of(profile)
    if not host:
        return f"the service of the provider “{profile.family}”"
    parts = urlsplit(profile.address or "")
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    shown = f"[{host}]" if ":" in host else host
    return f"this machine ({shown}{port})" if is_this_machine(host) else f"{shown}{port}"
