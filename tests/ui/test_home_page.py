from types import SimpleNamespace

from tests.ui.conftest import drawn
from ui.components.plain_text import html_text


def test_home_shows_every_client_with_what_a_trainee_needs_to_choose(page, services):
    html = drawn(page())
    for persona in services.library.all():
        assert f"{persona.name}, {persona.age}" in html
        assert html_text(persona.content_note) in html
    assert "Local mode" in html
    assert "not therapy" in html
    assert "Carry on" not in html


def test_choosing_a_client_leads_to_the_page_before(page):
    app = page()
    app.button(key="practise-teo").click().run()
    assert "Before you meet Teo" in drawn(app)


def test_an_open_session_can_be_carried_on(page, started):
    view = started("I hear you.")
    app = page()
    assert "1 reply so far" in drawn(app)
    app.button(key=f"carry-{view.id}").click().run()
    assert "I hear you." in drawn(app)


def test_a_finished_session_leads_to_its_debrief_and_can_be_deleted(page, services, started):
    kept, gone = started("One.", ended=True), started("Two.", ended=True)
    app = page()
    app.button(key=f"delete-sure-{gone.id}").click().run()
    assert [s.id for s in services.sessions.sessions("local")] == [kept.id]
    app.button(key=f"debrief-{kept.id}").click().run()
    assert "from your chair" in drawn(app)


def test_the_page_never_names_a_model(page, services):
    html = drawn(page())
    assert "desk" not in html and "embedded" not in html


def test_many_open_sessions_are_folded_and_can_be_shown(page, started):
    views = [started() for _ in range(4)]
    app = page()
    keys = [button.key for button in app.button]
    assert sum(f"carry-{view.id}" in keys for view in views) == 3
    app.button(key="show-all-open").click().run()
    keys = [button.key for button in app.button]
    assert all(f"carry-{view.id}" in keys for view in views)


def test_many_clients_can_be_narrowed_to_a_level(page, services, monkeypatch):
    persona = services.library.get("teo")
    crowd = tuple(persona.model_copy(update={"id": f"c{n}", "name": f"Client{n}", "difficulty": 1 + n % 3}) for n in range(7))
    monkeypatch.setattr(services, "library", SimpleNamespace(all=lambda: crowd))
    app = page()
    assert "Client0," in drawn(app) and "Client1," in drawn(app)
    app.pills(key="level").set_value(2).run()
    html = drawn(app)
    assert "Client1," in html and "Client4," in html and "Client0," not in html
