from tests.ui.conftest import drawn


def test_home_shows_every_client_with_what_a_trainee_needs_to_choose(page, services):
    html = drawn(page())
    for persona in services.library.all():
        assert f"{persona.name}, {persona.age}" in html
        assert persona.content_note.split(",")[0] in html
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
