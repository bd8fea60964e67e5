"""What pages read from: the project's services, built once a process, and who is using them."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from simulator.services import Services

log = logging.getLogger(__name__)

TRAINEE = "local"
"""Local mode has one person; their sessions carry this id."""


@st.cache_resource(show_spinner=False, on_release=lambda services: services.close())
def get_services() -> Services:
    """The services, shared by all browser sessions. What the first turn needs is prepared in the background."""
    services = build_services()
    threading.Thread(target=_warm_up, args=(services,), name="warm-up", daemon=True).start()
    return services


def build_services() -> Services:
    """Services from the settings of this machine."""
    from simulator.services import Services  # not at the top: the first page is drawn sooner
    from simulator.settings import read_settings

    return Services(read_settings())


def _warm_up(services: Services) -> None:
    try:
        services.warm_up()
    except Exception:  # whatever it is, the first turn meets it again and says so to the person who waits
        log.exception("preparing the first turn failed")
