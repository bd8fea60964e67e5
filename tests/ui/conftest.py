"""Pages over fake services: ``page(...)`` opens one, ``services`` is what it reads from."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import ui.services
from tests.ui.ui_fakes import FakeServices

APP = Path(__file__).resolve().parents[2] / "app.py"


@pytest.fixture
def services(tmp_path, monkeypatch):
    made = FakeServices(tmp_path)
    monkeypatch.setattr(ui.services, "build_services", lambda: made)
    st.cache_resource.clear()
    yield made
    st.cache_resource.clear()


@pytest.fixture
def page(services):
    def opened(name: str = "home", **query: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=20)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        if name != "home":
            app.switch_page(f"ui/pages_{name}.py")
            for key, value in query.items():
                app.query_params[key] = value
            app.run()
        assert not app.exception
        return app

    return opened


@pytest.fixture
def started(services):
    """A session with Teo, after the given replies."""

    def start(*replies: str, hints: bool = True, ended: bool = False):
        view = services.sessions.start("teo", trainee="local", seed=7, engine="embedded", focus="", hints=hints)
        for number, words in enumerate(replies, start=1):
            view = services.sessions.take_turn(view.id, words, key=f"given-{number}")
        return services.sessions.end(view.id) if ended else view

    return start


def drawn(app: AppTest) -> str:
    """All HTML on the page, in order, without the style sheet."""
    return "\n".join(element.proto.body for element in app.html if not element.proto.body.startswith("<style>"))
