"""The sentences of words.yaml, checked, and choosing among them without repeating."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from core.content import ContentModel, load_content
from personas.direction import Move
from personas.state import draw

Measure = Literal["trust_change", "openness_peak", "pressed_turns", "trust_end"]


class ClientStatement(ContentModel):
    """One line of the client's questionnaire; ``bands`` are (from value, answer), rising."""

    statement: str
    measure: Measure
    bands: tuple[tuple[float, str], ...] = Field(min_length=2)


class MomentWords(ContentModel):
    """Sentences for the three moments."""

    best: tuple[str, ...]
    costliest: tuple[str, ...]
    missed_half_told: str
    missed_test: str
    missed_risk: str


class PractiseWords(ContentModel):
    """What to practise next."""

    none: str
    skill: str


class Wording(ContentModel):
    """All of words.yaml."""

    version: int
    effects: dict[Move | Literal["react_short"], tuple[str, ...]]
    speak_of_first: tuple[str, ...]
    quiet: str
    unscored: str
    flagged: str
    moments: MomentWords
    client_view: tuple[ClientStatement, ...]
    practise: PractiseWords
    nudges: tuple[str, ...] = Field(min_length=2)


@cache
def wording() -> Wording:
    """The shipped sentences, read once."""
    return load_content(Path(__file__).with_name("words.yaml"), Wording).value


def choose(options: Sequence[str], *, seed: int, turn: int, purpose: str, avoid: Collection[str] = ()) -> str:
    """One of ``options``, the same for the same arguments, not one of ``avoid`` while there is another. Empty when there is none."""
    fresh = [option for option in options if option not in avoid] or list(options)
    return draw(seed, turn, purpose).choice(fresh) if fresh else ""


def fill(template: str, **values: str) -> str:
    """Replace ``{name}`` and the like by plain text; a placeholder that is not given stays visible nowhere: ``ValueError``."""
    filled = re.sub(r"\{([a-z_]+)\}", lambda m: values[m[1]] if m[1] in values else m[0], template)
    left = re.findall(r"\{([a-z_]+)\}", template)
    missing = [name for name in left if name not in values]
    if missing:
        raise ValueError(f"{template!r} needs {', '.join(missing)}")
    return filled
