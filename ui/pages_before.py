"""Before the session: who, where, what to hold on to, and a real choice."""

from __future__ import annotations

import secrets

import streamlit as st

from core.errors import NotFound
from personas.schema import Persona
from simulator.wording import fill
from ui.components.page_frame import card, heading, page_top, text
from ui.components.plain_text import label_text
from ui.components.trouble import nothing_here
from ui.navigation import HOME, SESSION, asked, go
from ui.services import TRAINEE, get_services
from ui.texts import page_words, setting_of

_NO_FOCUS = "No focus today"


def draw() -> None:
    """The whole page."""
    page_top()
    try:
        persona = get_services().library.get(asked("client"))
    except NotFound:
        nothing_here("There is no such client. Choose one on the home page.")
        return
    words = page_words().before
    heading(f"Before you meet {persona.name}", level=1)
    left, right = st.columns([1, 1], gap="large")
    with left:
        with card("role"):
            heading("Setting and role")
            text(setting_of(persona))
            text(fill(words.role, supervisor=persona.supervisor))
        with card("referral"):
            heading("Referral note", below=words.referral)
            text(persona.referral_note)
        with card("content-note"):
            heading("What may come up")
            text(persona.content_note)
            text(words.choice, style="pr-muted")
    with right:
        focus = _focus(persona)
        hints = _hints()
        with card("start"):
            text(fill(words.promise, name=persona.name), style="pr-muted")
            with st.container(horizontal=True, gap="small"):
                if st.button(f"Start with {label_text(persona.name)}", key="start", type="primary"):
                    _start(persona, focus, hints)
                if st.button("Choose someone else", key="someone-else"):
                    go(HOME)


def _focus(persona: Persona) -> str:
    with card("focus"):
        heading("One focus for today", below=page_words().before.focus)
        choices = [*persona.objectives, _NO_FOCUS]
        chosen = st.radio(
            "One focus for today", choices, key=f"focus-{persona.id}", label_visibility="collapsed",
            format_func=lambda words: label_text(words[:1].upper() + words[1:]),
        )  # fmt: skip
    return "" if chosen is None or chosen == _NO_FOCUS else chosen


def _hints() -> bool:
    words = page_words().before
    with card("hints"):
        heading("Hints")
        on = st.toggle("Hints from the coach after each reply", value=True, key="hints")
        text(words.hints_on if on else words.hints_off, style="pr-muted" if on else "pr-notice")
    return on


def _start(persona: Persona, focus: str, hints: bool) -> None:
    """Open a session and go there."""
    services = get_services()
    session = services.sessions.start(
        persona.id, trainee=TRAINEE, seed=secrets.randbelow(2**31), engine=services.engine_name(), focus=focus, hints=hints
    )
    go(SESSION, {"session": session.id})


draw()
