"""Where pages live, and how to get to them. Ids travel in the address, so that a reload or a bookmark finds the same place."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

HOME = "ui/pages_home.py"
BEFORE = "ui/pages_before.py"
SESSION = "ui/pages_session.py"
DEBRIEF = "ui/pages_debrief.py"
SETTINGS = "ui/pages_settings.py"
HELP = "ui/pages_help.py"


def all_pages() -> list[st.Page]:
    """Every page, home first."""
    return [
        st.Page(HOME, title="Practice Room", url_path="home", default=True),
        st.Page(BEFORE, title="Before the session", url_path="before"),
        st.Page(SESSION, title="Session", url_path="session"),
        st.Page(DEBRIEF, title="Debrief", url_path="debrief"),
        st.Page(SETTINGS, title="Settings", url_path="settings"),
        st.Page(HELP, title="Help and crisis resources", url_path="help"),
    ]


def go(page: str, parameters: Mapping[str, str] | None = None) -> None:
    """Open another page; does not return."""
    st.switch_page(page, query_params=dict(parameters or {}))


def asked(name: str) -> str:
    """An id from the address, or the empty string."""
    return str(st.query_params.get(name, ""))[:80]
