"""What every page shares: the bar on top, the footer, small pieces of text, and plain dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.clock import now
from ui.components.plain_text import html_text
from ui.navigation import HELP, HOME, SETTINGS
from ui.texts import page_words

_STYLE = Path(__file__).resolve().parent.parent / "style.css"
_WIDE_PILL = 28
"""Longer facts give way on a phone."""
_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


def load_style() -> None:
    """The one style sheet."""
    st.html(_STYLE)


def top_bar(pills: Sequence[str] = ()) -> DeltaGenerator:
    """The bar with the way home and short facts about where one is. Returns the place for its buttons, on the right."""
    with st.container(key="topbar", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(key="brand", width="content"):
            st.page_link(HOME, label="Practice Room")
        if pills:
            st.html("".join(f'<span class="{_pill_class(words)}">{html_text(words)}</span>' for words in pills), width="content")
        st.space("stretch")
        return st.container(key="topbar-actions", horizontal=True, vertical_alignment="center", gap="small", width="content")


def _pill_class(words: str) -> str:
    return "pr-pill pr-pill-wide" if len(words) > _WIDE_PILL else "pr-pill"


def page_top(pills: Sequence[str] = ()) -> None:
    """The bar of pages outside a session: the way to settings and help."""
    with top_bar(pills):
        st.page_link(HOME, label="Home")
        st.page_link(SETTINGS, label="Settings")
        st.page_link(HELP, label="Help")


def footer() -> None:
    """What this is and is not, and where to turn; on every page."""
    with st.container(key="footer", horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.html(f'<p class="pr-footer">{html_text(page_words().footer)}</p>', width="content")
        st.page_link(HELP, label="Crisis resources")


def text(words: str, *, style: str = "pr-text") -> None:
    """A paragraph of plain text."""
    st.html(f'<p class="{style}" dir="auto">{html_text(words)}</p>')


def heading(words: str, *, level: int = 2, below: str = "") -> None:
    """A heading, with a quiet line below it."""
    under = f'<p class="pr-muted">{html_text(below)}</p>' if below else ""
    st.html(f'<h{level} class="pr-h{level}">{html_text(words)}</h{level}>{under}')


def card(key: str) -> DeltaGenerator:
    """A card. ``key`` is unique on the page and starts with its kind."""
    return st.container(key=f"card-{key}", gap="xsmall")


def friendly_date(moment: datetime) -> str:
    """A moment in local time, as one would say it."""
    local, today = moment.astimezone(), now().astimezone().date()
    clock = f"{local:%H:%M}"
    days = (today - local.date()).days
    if days in (0, 1):
        return f"{('today', 'yesterday')[days]}, {clock}"
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local.day} {_MONTHS[local.month - 1]}{year}, {clock}"


def counted(number: int, one: str) -> str:
    """``1 reply``, ``3 replies``."""
    plural = one[:-1] + "ies" if one.endswith("y") else one + "s"
    return f"{number} {one if number == 1 else plural}"
