"""The pages' sentences (``words.yaml``) and the crisis lines (``crisis_resources.yaml``), checked when they are read."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from pydantic import Field

from core.content import ContentModel, load_content
from personas.schema import Persona

_HERE = Path(__file__).parent


class HomeWords(ContentModel):
    """Home."""

    purpose: str
    local_mode: str
    no_clients: str
    no_sessions: str


class BeforeWords(ContentModel):
    """Before the session."""

    role: str
    referral: str
    focus: str
    hints_on: str
    hints_off: str
    choice: str
    promise: str


class SessionWords(ContentModel):
    """The session."""

    hints_on: str
    hints_off: str
    saved: str
    stays_here: str
    may_leave: str
    stuck: str
    no_example: str
    paused: str
    kept: str
    draft: str
    reading: str
    waiting: str
    left: str
    unsent: str
    ended: str
    nothing_to_show: str
    disagreed: str
    disagree: str


class DebriefWords(ContentModel):
    """The debrief."""

    rate_first: str
    rate_why: str
    moments: str
    no_moments: str
    thread: str
    told_nothing: str
    sealed: str
    dimensions: str
    experimental: str
    client_view: str
    again: str
    delete: str
    empty: str
    reading: str
    open: str


class HelpWords(ContentModel):
    """Help."""

    what: str
    limits: str
    private: str


class PageWords(ContentModel):
    """All of words.yaml."""

    version: int
    footer: str
    home: HomeWords
    before: BeforeWords
    session: SessionWords
    debrief: DebriefWords
    help: HelpWords


class CrisisLine(ContentModel):
    """One place to turn to."""

    name: str
    contact: str
    note: str = ""


class CountryLines(ContentModel):
    """The lines of one country."""

    country: str
    lines: tuple[CrisisLine, ...] = Field(min_length=1)


class CrisisResources(ContentModel):
    """All of crisis_resources.yaml."""

    version: int
    checked: str
    intro: str
    emergency: str
    afterwards: str
    countries: tuple[CountryLines, ...] = Field(min_length=1)


@cache
def page_words() -> PageWords:
    """The pages' sentences."""
    return load_content(_HERE / "words.yaml", PageWords).value


def setting_of(persona: Persona) -> str:
    """Where the sessions take place, without who supervises: pages say that in their own words."""
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z])", persona.setting.strip())
    kept = [sentence for sentence in sentences if persona.supervisor not in sentence]
    return " ".join(kept) or persona.setting


@cache
def crisis_resources() -> CrisisResources:
    """Where to turn in a crisis, by country."""
    return load_content(_HERE / "crisis_resources.yaml", CrisisResources).value
