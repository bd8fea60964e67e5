"""Entry: look, services, pages, footer. No domain code here."""

from __future__ import annotations

import logging

import streamlit as st

from core.errors import SimulatorError
from ui.components.page_frame import footer, load_style
from ui.components.trouble import trouble
from ui.navigation import all_pages
from ui.services import get_services

log = logging.getLogger("practice_room")


def main() -> None:
    """One run of one page. Whatever goes wrong, the person reads a sentence and the log has the rest."""
    page = st.navigation(all_pages(), position="hidden")
    st.set_page_config(page_title=" - ".join(dict.fromkeys([page.title, "Practice Room"])), page_icon="💬", layout="wide")
    load_style()
    try:
        get_services()
        page.run()
    except SimulatorError as error:
        log.warning("%s: %s %s", type(error).__name__, error.message, error.details)
        trouble(error.message)
    except Exception:
        log.exception("a page failed")
        trouble("Something went wrong in Practice Room itself. What you had sent is saved. Reload the page to go on.")
    footer()


main()
