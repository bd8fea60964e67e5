import json
import re

from simulator.views import Status
from tests.ui.conftest import drawn


def rated(app):
    app.radio(key="rate-empathy").set_value(4)
    app.selectbox(key="rate-moment").set_value(2)
    app.button(key="rate-given").click().run()
    return app


def test_the_own_view_is_asked_before_any_level_is_shown(page, services, started):
    view = started("First.", "advice Do this.", ended=True)
    app = page("debrief", session=view.id)
    assert "pr-band" not in drawn(app)
    assert len(app.radio) == len(services.rubric.criteria)
    rated(app)
    assert services.sessions.view(view.id).self_rating == {"levels": {"empathy": 4}, "moment": 2, "skipped": False}
    html = drawn(app)
    assert 'aria-label="Level 3 of 5. You rated 4."' in html
    assert "You wished for turn 2 again." in html


def test_skipping_is_possible_and_not_asked_again(page, services, started):
    view = started("First.", ended=True)
    app = page("debrief", session=view.id)
    app.button(key="rate-skipped").click().run()
    assert "pr-band" in drawn(app)
    assert "pr-band" in drawn(page("debrief", session=view.id))


def test_not_in_play_and_experimental_are_said_in_words(page, services, started):
    view = started("First.", ended=True)
    services.sessions.rate_self(view.id, {"levels": {}, "moment": None})
    html = drawn(page("debrief", session=view.id))
    assert html.count("Not in play:") == len(services.rubric.criteria) - 1
    experimental = sum(c.experimental for c in services.rubric.criteria)
    assert experimental and html.count("Experimental:") == experimental
    assert not re.search(r"\d+ ?%", html)
    anchor = services.rubric.criterion("empathy").anchors[3].words
    assert f"<strong>3</strong> – {anchor}" in html


def test_sealed_facts_stay_sealed(page, services, started):
    view = started("First.", ended=True)
    services.sessions.rate_self(view.id, {"levels": {}, "moment": None})
    html = drawn(page("debrief", session=view.id))
    for fact in services.library.get("teo").facts:
        if fact.tier:
            assert fact.sealed_as in html
            assert fact.gist not in html


def test_trying_again_opens_the_same_moment_and_keeps_the_first_try(page, services, started):
    view = started("First.", "advice Do this.", ended=True)
    services.sessions.rate_self(view.id, {"levels": {}, "moment": None})
    app = page("debrief", session=view.id)
    app.selectbox(key="read-turn").set_value(2).run()
    assert "advice Do this." in drawn(app)
    app.button(key="again-turn").click().run()
    new = next(s for s in services.sessions.sessions("local") if s.parent_id == view.id)
    assert ([t.therapist for t in new.turns], new.parent_turn, new.status) == (["First."], 2, Status.OPEN)
    assert len(services.sessions.view(view.id).turns) == 2
    assert "First." in drawn(app) and app.chat_input


def test_the_export_is_the_whole_session(page, services, started):
    from simulator.export import session_json

    view = started("First.", ended=True)
    services.sessions.rate_self(view.id, {"levels": {}, "moment": None})
    app = page("debrief", session=view.id)
    assert app.get("download_button")
    assert json.loads(session_json(services.sessions, services.coach, view.id))["session"]["turns"][0]["therapist"] == "First."


def test_a_failing_coach_is_said_and_the_rating_is_kept(page, services, started):
    view = started("First.", ended=True)
    services.sessions.rate_self(view.id, {"levels": {}, "moment": None})
    services.coach.fails = True
    assert "The coach cannot be reached just now." in drawn(page("debrief", session=view.id))


def test_stopping_before_the_first_reply_has_a_way_on(page, services, started):
    view = started(ended=True)
    app = page("debrief", session=view.id)
    assert "Stopping is always fine" in drawn(app)
    app.button(key="start-again").click().run()
    assert "Before you meet Teo" in drawn(app)


def test_an_open_session_has_no_debrief_yet(page, started):
    view = started("First.")
    app = page("debrief", session=view.id)
    assert "still open" in drawn(app) and "pr-band" not in drawn(app)


def test_deleting_goes_home(page, services, started):
    view = started("First.", ended=True)
    services.sessions.rate_self(view.id, {"levels": {}, "moment": None})
    app = page("debrief", session=view.id)
    app.button(key=f"delete-sure-{view.id}").click().run()
    assert services.sessions.sessions("local") == ()
    assert "Practise with a client" in drawn(app)


def test_words_are_plain_text_in_the_debrief_too(page, services, started):
    view = started("<img src=x onerror=alert(1)> :smile:", ended=True)
    services.sessions.rate_self(view.id, {"levels": {}, "moment": None})
    html = drawn(page("debrief", session=view.id))
    assert "<img" not in html and "&lt;img" in html


def test_a_slow_coach_can_be_waited_for(page, services, started, monkeypatch):
    view = started("First.", ended=True)
    services.sessions.rate_self(view.id, {"levels": {}, "moment": None})
    services.coach.may_read.clear()
    app = page("debrief", session=view.id)
    assert "it goes on" in drawn(app) and "pr-band" not in drawn(app)
    services.coach.may_read.set()
    app.run()
    assert "pr-band" in drawn(app)
