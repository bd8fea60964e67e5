from tests.ui.conftest import drawn
from ui.texts import crisis_resources


def test_settings_say_who_plays_what_and_what_leaves(page, services, tmp_path):
    html = drawn(page("settings"))
    assert html.count("built in") == 4 and "Nothing leaves this machine." in html
    assert str(tmp_path) in html


def test_the_connection_test_answers_in_words(page, services):
    app = page("settings")
    app.button(key="probe-desk").click().run()
    html = drawn(app)
    assert services.models.probed == ["desk"]
    assert "cannot play every part yet" in html and "No: keeps to a given form" in html and "after 12 ms" in html


def test_one_session_can_be_deleted(page, services, started):
    view = started("One.")
    app = page("settings")
    app.selectbox(key="delete-choice").set_value(view.id).run()
    app.button(key=f"delete-sure-{view.id}").click().run()
    assert services.sessions.sessions("local") == ()
    assert "no sessions to delete" in drawn(app)


def test_help_lists_every_country_and_says_check_locally(page):
    html = drawn(page("help"))
    for country in crisis_resources().countries:
        assert country.country in html
        for line in country.lines:
            assert line.contact in html
    assert "check locally" in html and "not yet checked" in html
