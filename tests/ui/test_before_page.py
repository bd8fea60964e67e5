from tests.ui.conftest import drawn


def the_session(services):
    (session,) = services.sessions.sessions("local")
    return session


def test_a_client_that_does_not_exist_is_said_kindly(page):
    app = page("before", client="nobody")
    assert "no such client" in drawn(app)


def test_what_a_trainee_would_really_know_is_shown(page, services):
    html = drawn(page("before", client="teo"))
    persona = services.library.get("teo")
    assert "Dr Okafor supervises you" in html
    assert "seven weeks ago he applied for team lead" in html
    assert "Alcohol may come up" in html
    for fact in persona.facts:
        assert fact.gist not in html


def test_starting_keeps_focus_and_hints(page, services):
    app = page("before", client="teo")
    focus = services.library.get("teo").objectives[1]
    app.radio(key="focus-teo").set_value(focus).run()
    app.button(key="start").click().run()
    session = the_session(services)
    assert (session.focus, session.hints, session.trainee) == (focus, True, "local")
    assert session.opening.split("'")[0] in drawn(app)


def test_hints_off_says_what_practice_without_feedback_does(page, services):
    app = page("before", client="teo")
    assert "less empathic" not in drawn(app)
    app.toggle(key="hints").set_value(False).run()
    assert "less empathic" in drawn(app)
    app.radio(key="focus-teo").set_value("No focus today").run()
    app.button(key="start").click().run()
    assert (the_session(services).hints, the_session(services).focus) == (False, "")


def test_choosing_someone_else_starts_nothing(page, services):
    app = page("before", client="teo")
    app.button(key="someone-else").click().run()
    assert services.sessions.sessions("local") == ()
    assert "Practise with a client" in drawn(app)
