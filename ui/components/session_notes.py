"""Beside the conversation: the referral note, help when stuck, and what happens with the words."""

from __future__ import annotations

import logging

import streamlit as st

from core.errors import SimulatorError
from language_models.base import ModelRole
from simulator.views import SessionView, Status
from ui.components.page_frame import card, heading, text
from ui.components.plain_text import html_text
from ui.components.trouble import trouble
from ui.services import get_services
from ui.texts import page_words

log = logging.getLogger(__name__)


def session_notes(view: SessionView, referral_note: str) -> None:
    """Three cards."""
    words = page_words().session
    with card("referral-note"):
        heading("Referral note", level=2)
        text(referral_note, style="pr-muted")
    if view.hints and view.status is not Status.ENDED:
        with card("stuck"):
            heading("Stuck?", level=2)
            _stuck(view)
    with card("this-session"):
        heading("This session", level=2)
        if view.focus:
            text(f"Focus: {view.focus}.")
        for line in (words.hints_on if view.hints else words.hints_off, words.saved, _where_words_go(view)):
            text(line, style="pr-muted")


def _where_words_go(view: SessionView) -> str:
    words, models = page_words().session, get_services().models
    plays = view.engine != "embedded" or any(models.profile_for(role) is not None for role in ModelRole)
    return words.may_leave if plays else words.stays_here


def _stuck(view: SessionView) -> None:
    """A nudge on the first ask, an example on the second; both for this turn only."""
    key = f"stuck-{view.id}-{view.next_number}"
    asked = int(st.session_state.get(key, 0))
    words, coach = page_words().session, get_services().coach
    if asked == 0:
        text(words.stuck, style="pr-muted")
    try:
        if asked >= 1:
            text(coach.nudge(view.id))
        if asked >= 2:
            examples = coach.examples(view.id)
            listed = "".join(f'<li dir="auto">“{html_text(example)}”</li>' for example in examples)
            st.html(f'<ul class="pr-examples">{listed}</ul>' if examples else f'<p class="pr-muted">{html_text(words.no_example)}</p>')
    except SimulatorError as error:
        log.warning("no hint: %s %s", error.message, error.details)
        trouble(error.message)
    if asked < 2:
        st.button(("Nudge me", "Show me an example")[asked], key=f"stuck-{asked}", on_click=_ask, args=(key, asked + 1))


def _ask(key: str, asked: int) -> None:
    st.session_state[key] = asked
