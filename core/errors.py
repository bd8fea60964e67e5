"""The error tree. Every error has a sentence for the person and, separately, details for the log.

Callers tell apart: the person must change something (``InvalidInput``, ``ContentError``), the record says no
(``NotFound``, ``Conflict``, ``NotAllowed``), the store is unusable (``StorageError``), a model failed (``ModelError`` and below).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SimulatorError(Exception):
    """Base of everything this project raises on purpose.

    ``message`` is one or two plain sentences fit for a trainee; ``details`` is for the log and is never drawn on a page.
    """

    def __init__(self, message: str, *, details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInput(SimulatorError):
    """What a person typed or passed cannot be used as it is; the message says what to change."""


class NotFound(SimulatorError):
    """The thing asked for does not exist, or not for this person."""


class NotAllowed(SimulatorError):
    """A decision of the access rules; the message carries its reason."""


class Conflict(SimulatorError):
    """The record has moved on since the caller looked (a second tab, a second click, an ended session)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a content file: where (file, 1-based line, dotted field) and what."""

    file: str
    message: str
    line: int | None = None
    field: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        field = f" {self.field}:" if self.field else ""
        return f"{place}:{field} {self.message}"


class ContentError(SimulatorError):
    """One or more content files are invalid. Holds every problem found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        if not problems:
            raise ValueError("ContentError needs at least one problem")
        self.problems = tuple(problems)
        listing = "\n".join(str(problem) for problem in self.problems)
        noun = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(f"{len(self.problems)} {noun} found:\n{listing}")


class StorageError(SimulatorError):
    """The database cannot be opened, is newer than the app, or refuses to write."""


class ModelError(SimulatorError):
    """A language model could not do its part. The trainee's words are stored before any model is asked."""


class ModelMisconfigured(ModelError):
    """Wrong key, address or model name: an administrator must act; trying again does not help."""


class ModelUnavailable(ModelError):
    """Time-out, rate limit, connection or server failure: trying again later may help."""


class ModelRefused(ModelError):
    """The provider declined to answer (content filter or refusal)."""


class UnusableReply(ModelError):
    """The reply could not be read as what was asked for, also after one repair attempt."""


class BudgetExceeded(ModelError):
    """The token or cost budget of this session is used up. Raised before a call is made, never shown as an empty reply."""
