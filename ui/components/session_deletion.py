"""Deleting one session, asked twice."""

from __future__ import annotations

import streamlit as st

from core.errors import SimulatorError
from simulator.views import SessionView
from ui.components.page_frame import text
from ui.components.trouble import trouble
from ui.navigation import HOME, go
from ui.services import get_services
from ui.texts import page_words


def delete_button(session: SessionView, *, label: str, then_home: bool = False) -> None:
    """A button that says what will be gone, and a second one that does it."""
    with st.popover(label, type="tertiary", key=f"delete-{session.id}"):
        text(page_words().debrief.delete)
        if not st.button("Yes, delete this session", key=f"delete-sure-{session.id}"):
            return
        try:
            get_services().sessions.delete(session.id)
        except SimulatorError as error:
            trouble(error.message)
            return
        if then_home:
            go(HOME)
        st.rerun()
