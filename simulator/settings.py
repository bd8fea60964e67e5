"""Settings: the only place that reads environment variables. ``PRACTICE_ROOM_*`` names, or a ``models.yaml`` in the data folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from core.errors import ContentError, Problem

PREFIX = "PRACTICE_ROOM_"
_ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What an operator may set. Every field has a default that works with no key and no network."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, populate_by_name=True)

    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("practice-room")), description="where sessions, index and caches live"
    )
    database_url: str | None = Field(None, description="another database; default is a SQLite file in data_dir")
    persona_folders: tuple[Path, ...] = Field((), description="further folders with persona files")
    rubric_folders: tuple[Path, ...] = Field((), description="further folders with rubric files")
    corpus_folder: Path = Field(_ROOT / "corpus", description="the guidance corpus")
    embedding_model: Path | None = Field(None, description="another all-MiniLM-L6-v2 ONNX file")
    models_file: Path | None = Field(None, description="model profiles and roles; default is models.yaml in data_dir when it exists")
    model: str = Field("gpt-5-mini", description="model name used with openai_api_key or base_url")
    base_url: str | None = Field(None, description="an OpenAI-compatible server, for example http://127.0.0.1:8080/v1")
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY", description="key of the OpenAI service")
    local_only: bool = Field(False, description="refuse any model address outside this machine")
    session_tokens: int = Field(200_000, ge=1_000, description="most tokens one session may use")
    session_cost: float | None = Field(None, gt=0, description="most money one session may use, in the currency of the profile's prices")
    port: int = Field(8501, ge=1, le=65535, description="port of the app on 127.0.0.1")

    @field_validator("openai_api_key")
    @classmethod
    def _key_is_plausible(cls, value: SecretStr | None) -> SecretStr | None:
        key = value.get_secret_value() if value is not None else ""
        if not key.strip():
            return None
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("the key holds spaces, line breaks or other characters a key cannot have; copy it again")
        return value

    @field_validator("base_url")
    @classmethod
    def _address_is_plausible(cls, value: str | None) -> str | None:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value or None

    @property
    def url(self) -> str:
        """The database address."""
        return self.database_url or f"sqlite:///{self.data_dir / 'practice-room.sqlite3'}"


def read_settings(**overrides: object) -> Settings:
    """Settings from the environment. ``ContentError`` names every variable that is wrong or not known."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    problems = [
        Problem("environment", "this variable is not known; check its spelling", field=name)
        for name in sorted(os.environ)
        if name.upper().startswith(PREFIX) and name.upper() not in known
    ]
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]  # pydantic validates
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            name = str(item["loc"][0]) if item["loc"] else ""
            field = name if name == "OPENAI_API_KEY" else PREFIX + name.upper()
            problems.append(Problem("environment", item["msg"].removeprefix("Value error, "), field=field))
        raise ContentError(problems) from error
    except SettingsError as error:  # a list was expected and the value is not JSON
        problems.append(Problem("environment", f'{error}; write lists as JSON, for example ["/path/one", "/path/two"]'))
        raise ContentError(problems) from error
    if problems:
        raise ContentError(problems)
    return settings
