"""The composition root: from settings to everything a page, a command or a test needs. Built once a process."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from pydantic import Field

from core.content import ContentModel, load_content
from core.errors import ContentError, ModelMisconfigured, Problem, SimulatorError
from language_models.base import ChatModel, EmbeddingModel, ModelRole
from language_models.embeddings import EmbeddingChoice, load_embedding_model
from language_models.profiles import ModelProfile, describe_destination, host_of, is_this_machine
from language_models.records import SqlCallRecorder, usage_of_session
from language_models.registry import EMBEDDED, ModelRegistry
from language_models.spending import BudgetLimits, SessionUsage
from language_models.tokens import OfflineTokenCounter
from personas.library import SHIPPED as SHIPPED_PERSONAS
from personas.library import PersonaLibrary
from personas.matching import TopicMatcher, persona_cues
from personas.model_voice import ModelVoice
from personas.schema import Persona
from personas.voice import AuthoredVoice
from retrieval.index_folder import Progress
from retrieval.opening import Guidance, open_guidance
from rubrics.appraiser import CueAppraiser
from rubrics.embedded_scorer import EmbeddedScorer
from rubrics.library import SHIPPED as SHIPPED_RUBRICS
from rubrics.library import RubricLibrary
from rubrics.model_scorer import ModelScorer
from simulator.coach import Coach
from simulator.sessions import ClientEngine, SessionEngine
from simulator.settings import Settings
from storage.database import Database
from storage.upgrade import ready_database

log = logging.getLogger(__name__)
DEFAULT_RUBRIC = "core-relational"


class ModelsFile(ContentModel):
    """``models.yaml``: profiles, and which profile plays which role (a role left out is embedded)."""

    profiles: tuple[ModelProfile, ...] = ()
    roles: dict[ModelRole, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineNotice:
    """What plays a role, in plain words: for the settings page and ``models``; the short form is for every session page."""

    role: ModelRole
    plays: str
    leaves_machine: str


class Services:
    """Everything, built on first use where building takes time. Safe for several threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database: Database = ready_database(settings.url)
        self.library = PersonaLibrary((SHIPPED_PERSONAS, *settings.persona_folders))
        self.rubrics = RubricLibrary((SHIPPED_RUBRICS, *settings.rubric_folders))
        self.rubric = self.rubrics.get(DEFAULT_RUBRIC)
        self.counter = OfflineTokenCounter(settings.data_dir / "cache" / "tiktoken")
        self.models = self._open_models()
        self.appraiser = CueAppraiser()
        self._engines: dict[str, ClientEngine] = {}
        self._matchers: dict[str, TopicMatcher] = {}
        self._lock = threading.RLock()
        self._guidance: Guidance | None = None
        self._guidance_lock = threading.RLock()  # its own: building the index must not hold up a client's first answer
        self.sessions = SessionEngine(self.database, self.library, self.engine, rubric=(self.rubric.id, self.rubric.version))

    @cached_property
    def embedding_choice(self) -> EmbeddingChoice:
        """The embedding model, or why there is none."""
        return load_embedding_model(self.settings.embedding_model)

    @property
    def embedding(self) -> EmbeddingModel | None:
        """The embedding model, or None: matching and search then go by words."""
        return self.embedding_choice.model

    @property
    def guidance(self) -> Guidance:
        """The guidance and its search, opened once."""
        with self._guidance_lock:
            if self._guidance is None:
                self._guidance = open_guidance_of(self.settings, embedding=self.embedding, counter=self.counter)
            return self._guidance

    @cached_property
    def coach(self) -> Coach:
        """Scores and feedback."""
        with self._lock:
            embedded = EmbeddedScorer(self.rubric, self.appraiser)
            grader = self.models.for_role(ModelRole.GRADER)
            scorer = partial(self._model_scorer, grader) if grader is not None else None
            return Coach(self.database, self.sessions, self.rubric, embedded, scorer, guidance=lambda: self.guidance, embedding=self.embedding)

    def _model_scorer(self, grader: ChatModel, session_id: str) -> ModelScorer:
        return ModelScorer(self.rubric, grader, self.appraiser, secrets.token_bytes, session_id=session_id)

    def engine_name(self, asked: str = "auto") -> str:
        """The engine to store with a new session: ``embedded`` or a profile's name. Raises ``NotFound`` for an unknown profile."""
        if asked == "auto":
            profile = self.models.profile_for(ModelRole.CLIENT)
            return profile.name if profile is not None else EMBEDDED
        if asked != EMBEDDED:
            self.models.model(asked)
        return asked

    def engine(self, name: str) -> ClientEngine:
        """The engine of this name; a profile that is gone since is replaced by the embedded voice, and the log says so."""
        with self._lock:
            if name not in self._engines:
                self._engines[name] = self._build_engine(name)
            return self._engines[name]

    def _build_engine(self, name: str) -> ClientEngine:
        authored = AuthoredVoice()
        if name == EMBEDDED or name not in {profile.name for profile in self.models.profiles}:
            if name != EMBEDDED:
                log.warning("the model profile %r of a stored session is gone; the embedded voice goes on", name)
            return ClientEngine(EMBEDDED, self.appraiser, authored, self.matcher)
        return ClientEngine(name, self.appraiser, ModelVoice(self.models.model(name), authored), self.matcher)

    def matcher(self, persona: Persona) -> TopicMatcher:
        """The persona's topics, embedded once and kept in the data folder."""
        cues = persona_cues(persona)
        fingerprint = self.embedding.fingerprint if self.embedding is not None else "words"
        key = hashlib.sha256(repr((fingerprint, cues)).encode()).hexdigest()[:24]
        with self._lock:
            if key not in self._matchers:
                vectors = _cached_vectors(self.settings.data_dir / "cache" / f"cues-{key}.npy", self.embedding, [cue for _, cue in cues])
                self._matchers[key] = TopicMatcher(cues, vectors, self.embedding)
            return self._matchers[key]

    def warm_up(self) -> None:
        """Prepare what the first turn would otherwise wait for; called in the background when the app starts."""
        for persona in self.library.all():
            self.matcher(persona)
        self.coach.warm_up()

    def notices(self) -> tuple[EngineNotice, ...]:
        """Who plays each role and what leaves this machine."""
        return tuple(self._notice(role) for role in ModelRole)

    def _notice(self, role: ModelRole) -> EngineNotice:
        profile = self.models.profile_for(role)
        if profile is None:
            return EngineNotice(role, "built in", "Nothing leaves this machine.")
        where = describe_destination(profile)
        if is_this_machine(host_of(profile)):
            return EngineNotice(role, f"profile “{profile.name}”", f"Words go to {where} and stay on this machine.")
        return EngineNotice(role, f"profile “{profile.name}”", f"The conversation is sent to {where}.")

    def _open_models(self) -> ModelRegistry:
        file = read_models_file(self.settings)
        if self.settings.local_only:
            _refuse_remote(file, self.settings)
        limits = BudgetLimits(tokens=self.settings.session_tokens, cost=self.settings.session_cost)

        def usage_before(session_id: str) -> SessionUsage:
            with self.database.reading() as db:
                return usage_of_session(db, session_id)

        return ModelRegistry(
            file.profiles,
            roles=file.roles,
            recorder=SqlCallRecorder(self.database),
            counter=self.counter,
            limits=limits,
            usage_before=usage_before,
        )

    def close(self) -> None:
        """Let go of files and connections."""
        if self._guidance is not None:
            self._guidance.retriever.close()
        self.database.close()


@contextmanager
def open_services(settings: Settings) -> Iterator[Services]:
    """Services for one command."""
    services = Services(settings)
    try:
        yield services
    finally:
        services.close()


def open_guidance_of(
    settings: Settings,
    *,
    rebuild: bool = False,
    progress: Progress | None = None,
    embedding: EmbeddingModel | None = None,
    counter: OfflineTokenCounter | None = None,
) -> Guidance:
    """The guidance named by settings, with the installed embedding model unless one is given."""
    return open_guidance(
        settings.corpus_folder,
        tokens=counter or OfflineTokenCounter(settings.data_dir / "cache" / "tiktoken"),
        embedding=embedding if embedding is not None else load_embedding_model(settings.embedding_model).model,
        index_folder=settings.data_dir / "index",
        rebuild=rebuild,
        progress=progress,
    )


def read_models_file(settings: Settings) -> ModelsFile:
    """Profiles and roles from ``models.yaml``, or from a key or base_url in the environment, or none."""
    path = settings.models_file or settings.data_dir / "models.yaml"
    if settings.models_file is not None or path.exists():
        return load_content(path, ModelsFile).value
    if settings.openai_api_key is None and settings.base_url is None:
        return ModelsFile()
    profile = ModelProfile(name="default", model=settings.model, base_url=settings.base_url, api_key=settings.openai_api_key)
    return ModelsFile(profiles=(profile,), roles={role: profile.name for role in (ModelRole.CLIENT, ModelRole.GRADER)})


def _refuse_remote(file: ModelsFile, settings: Settings) -> None:
    problems: Mapping[str, str] = {p.name: describe_destination(p) for p in file.profiles if not is_this_machine(host_of(p))}
    if problems:
        where = str(settings.models_file or "environment")
        raise ContentError(
            [
                Problem(where, f"“{name}” would send words to {address}, and PRACTICE_ROOM_LOCAL_ONLY is on", field="profiles")
                for name, address in problems.items()
            ]
        )


def check_startup(settings: Settings) -> None:
    """Open and close what the app needs at once, so that a problem is a message and not a broken page."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SimulatorError(
            f"The data folder {settings.data_dir} cannot be made: {error.strerror}. Set PRACTICE_ROOM_DATA_DIR to another place."
        ) from error
    try:
        services = Services(settings)
    except ModelMisconfigured as error:
        raise SimulatorError(error.message, details=error.details) from error
    services.close()


def _cached_vectors(path: Path, model: EmbeddingModel | None, texts: list[str]) -> np.ndarray | None:
    """Vectors of ``texts`` from ``path``, or computed and kept there. An unreadable cache is made anew."""
    if model is None:
        return None
    try:
        kept = np.load(path, allow_pickle=False)
        if kept.shape == (len(texts), model.dimension):
            return np.asarray(kept, dtype=np.float32)
    except (OSError, ValueError, EOFError):
        log.info("embedding %d cues", len(texts))
    vectors = model.embed(texts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{secrets.token_hex(4)}.npy")
        np.save(aside, vectors)
        aside.replace(path)
    except OSError as error:
        log.warning("the cue cache could not be written: %s", error)
    return vectors
