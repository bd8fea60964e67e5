"""From settings to models: which profile plays which role, each behind the same record, budget and limit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from core.errors import InvalidInput, NotFound
from language_models.base import CallRecorder, ChatModel, ModelRole, TokenCounter
from language_models.probe import ProbeResult, probe
from language_models.profiles import ModelProfile
from language_models.spending import BudgetLimits, SessionUsage, Tally
from language_models.wrappers import Budgeted, Limited, Recorded, Reservations

EMBEDDED = "embedded"
"""The name that stands for no model at all: the role is played by the project's own voice or scorer."""


def build_model(profile: ModelProfile) -> ChatModel:
    """The bare model of a profile, without record, budget or limit.

    Provider libraries are imported here, when the first model is built: installations without one start faster.
    """
    if profile.provider == "langchain":
        from language_models.langchain_adapter import LangChainModel

        return LangChainModel(profile)
    from language_models.openai_compatible import OpenAICompatibleModel

    return OpenAICompatibleModel(profile)


class ModelRegistry:
    """The models of one installation. Thread-safe; one per process.

    ``roles`` maps a role to a profile's name or ``embedded``; roles left out are embedded. ``usage_before`` says what a session
    used before this process met it (``records.usage_of_session``). Raises ``InvalidInput`` when a role names an unknown profile.
    """

    def __init__(
        self,
        profiles: Sequence[ModelProfile],
        *,
        roles: Mapping[ModelRole, str],
        recorder: CallRecorder,
        counter: TokenCounter,
        limits: BudgetLimits | None = None,
        usage_before: Callable[[str], SessionUsage] | None = None,
        max_concurrent: int = 8,
        build: Callable[[ModelProfile], ChatModel] = build_model,
    ) -> None:
        self._profiles = {profile.name: profile for profile in profiles}
        self._roles = {role: name for role, name in roles.items() if name != EMBEDDED}
        self._check(profiles)
        self._counter = counter
        self._limits = limits or BudgetLimits()
        self._tally = Tally(recorder) if usage_before is None else Tally(recorder, earlier=usage_before)
        self._reservations = Reservations()
        self._places = threading.BoundedSemaphore(max_concurrent)
        self._build = build
        self._models: dict[str, ChatModel] = {}
        self._lock = threading.Lock()

    def for_role(self, role: ModelRole) -> ChatModel | None:
        """The model that plays ``role``; None when the embedded engine does."""
        profile = self.profile_for(role)
        return None if profile is None else self.model(profile.name)

    def profile_for(self, role: ModelRole) -> ModelProfile | None:
        """The profile that plays ``role``; None when the embedded engine does."""
        name = self._roles.get(role)
        return None if name is None else self._profiles[name]

    def model(self, name: str) -> ChatModel:
        """The model of the profile called ``name``, built once. Raises ``NotFound``."""
        profile = self._profiles.get(name)
        if profile is None:
            raise NotFound(f"There is no model profile called “{name}”. Known: {', '.join(sorted(self._profiles)) or 'none'}.")
        with self._lock:
            if name not in self._models:
                limited = Limited(self._recorded(profile), self._places)
                self._models[name] = Budgeted(
                    limited,
                    profile,
                    self._limits,
                    self._counter,
                    spent=self._tally.usage_of,
                    reservations=self._reservations,
                )
            return self._models[name]

    @property
    def profiles(self) -> tuple[ModelProfile, ...]:
        """All profiles, in the order given."""
        return tuple(self._profiles.values())

    def usage_of(self, session_id: str) -> SessionUsage:
        """What a session has used so far."""
        return self._tally.usage_of(session_id)

    def probe(self, name: str) -> ProbeResult:
        """Test the connection of a profile; its calls are recorded, and belong to no session. Raises ``NotFound``."""
        self.model(name)
        profile = self._profiles[name]
        return probe(profile, self._recorded(profile))

    def _recorded(self, profile: ModelProfile) -> ChatModel:
        return Recorded(self._build(profile), profile, self._tally, self._counter)

    def _check(self, profiles: Sequence[ModelProfile]) -> None:
        problems = [f"the role {role.value} names “{name}”" for role, name in self._roles.items() if name not in self._profiles]
        if problems:
            known = ", ".join([EMBEDDED, *sorted(self._profiles)])
            raise InvalidInput(f"There is no such model profile: {'; '.join(problems)}. Known: {known}.")
        if len(self._profiles) != len(profiles):
            raise InvalidInput("Two model profiles have the same name; give each its own.")
        if EMBEDDED in self._profiles:
            raise InvalidInput(f"A model profile cannot be called “{EMBEDDED}”: that name means no model.")
