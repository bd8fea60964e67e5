from pathlib import Path

import pytest
import streamlit as st

import ui.services
from core.errors import StorageError
from tests.ui.conftest import APP, drawn


@pytest.mark.parametrize("name", ["home", "before", "session", "debrief", "settings", "help"])
def test_every_page_says_what_this_is_and_where_to_turn(page, name):
    app = page(name)
    assert "not client contact hours" in drawn(app)
    assert any(link.label == "Crisis resources" for link in app.page_link)


def test_a_store_that_cannot_be_opened_is_a_sentence(page, monkeypatch):
    def refuse():
        raise StorageError("The database is newer than this version. Update Practice Room.", details="revision 9")

    monkeypatch.setattr(ui.services, "build_services", refuse)
    st.cache_resource.clear()
    html = drawn(page())
    assert "The database is newer than this version." in html and "revision 9" not in html


def test_an_unexpected_error_shows_no_trace(page, services, monkeypatch):
    def fail(trainee):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(services.sessions, "sessions", fail)
    html = drawn(page())
    assert "Something went wrong in Practice Room itself" in html and "secret detail" not in html


def test_services_are_built_once_and_warmed_in_the_background(page, services):
    page()
    page("settings")
    assert services.warmed == 1


def test_the_entry_file_stays_small():
    assert len(Path(APP).read_text(encoding="utf-8").splitlines()) <= 80
