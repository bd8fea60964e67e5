from core.errors import ModelUnavailable
from language_models.base import ModelRole
from personas.voice import AuthoredVoice
from simulator.records import DisagreementRow
from simulator.views import Status
from tests.ui.conftest import drawn
from tests.ui.ui_fakes import FakeServices
from ui.components.turn_sender import Pending

ODD = "# head $x$ *a* <script>alert(1)</script> :smile: [a](javascript:1) {{ 7*7 }}"


def say(app, words):
    return app.chat_input(key="reply").set_value(words).run()


def test_a_reply_is_stored_answered_and_coached(page, services, started):
    view = started()
    app = page("session", session=view.id)
    say(app, "Eleven years, and you clapped.")
    (turn,) = services.sessions.view(view.id).turns
    html = drawn(app)
    assert turn.therapist == "Eleven years, and you clapped."
    assert html.index("Eleven years, and you clapped.") < html.index("Teo said, turn 1")
    (reasons,) = app.expander
    assert reasons.label.startswith("**Worked** headline about Eleven years")
    assert "<mark>Eleven years</mark>" in html and "Stay with pain one beat before any idea." in html
    assert "Advice too early – Stay one beat" in html and "fairly sure" in html


def test_a_newly_come_reply_appears_word_by_word_once(page, started):
    view = started()
    app = page("session", session=view.id)
    say(app, "Go on.")
    assert 'class="pr-word"' in drawn(app)
    app.run()
    assert 'class="pr-word"' not in drawn(app)


def test_the_same_click_twice_is_one_turn(page, services, started):
    view = started()
    app = page("session", session=view.id)
    pending = Pending(words="Only once.", key="click-1", turn=1)
    for _ in range(2):
        app.session_state[f"pending-{view.id}"] = pending
        app.run()
    assert [turn.therapist for turn in services.sessions.view(view.id).turns] == ["Only once."]


def test_too_long_a_reply_is_refused_and_kept_ready_to_shorten(page, services, started):
    view = started()
    app = page("session", session=view.id)
    long = "word " * 1000
    say(app, long)
    assert "5,000 characters long; the limit is 4,000" in drawn(app)
    assert services.sessions.view(view.id).turns == ()
    assert app.text_area[0].value == long
    app.text_area[0].set_value("Shorter.").run()
    assert services.sessions.view(view.id).draft == "Shorter."
    app.button(key="draft-send").click().run()
    after = services.sessions.view(view.id)
    assert ([t.therapist for t in after.turns], after.draft) == (["Shorter."], "")
    assert len(app.text_area) == 0


def test_a_reply_sent_from_an_old_window_is_kept_not_lost(page, services, started):
    view = started()
    app = page("session", session=view.id)
    services.sessions.take_turn(view.id, "From the other window.", key="other")
    say(app, "From this one.")
    after = services.sessions.view(view.id)
    assert [turn.therapist for turn in after.turns] == ["From the other window."]
    assert after.draft == app.text_area[0].value == "From this one."
    assert "moved on in another window" in drawn(app)


def test_a_session_ended_elsewhere_keeps_the_words_and_says_so(page, services, started):
    view = started("One.")
    app = page("session", session=view.id)
    services.sessions.end(view.id)
    say(app, "Too late.")
    html = drawn(app)
    assert "This session has ended" in html and "Too late." in html
    assert len(services.sessions.view(view.id).turns) == 1


class BrokenVoice:
    def __init__(self):
        self.broken = True

    def speak(self, cue):
        if self.broken:
            raise ModelUnavailable("The client cannot be reached just now.")
        return AuthoredVoice().speak(cue)


def test_a_failing_client_loses_nothing_and_answers_later(page, services, started, monkeypatch, tmp_path):
    voice = BrokenVoice()
    broken = FakeServices(tmp_path, voice=voice)
    services.sessions = broken.sessions
    services.coach = broken.coach
    view = started()
    app = page("session", session=view.id)
    say(app, "Are you still there?")
    html = drawn(app)
    assert "The client cannot be reached just now." in html and "Are you still there?" in html
    assert "has not answered it yet" in html
    assert services.sessions.view(view.id).status is Status.AWAITING_CLIENT
    voice.broken = False
    app.button(key="retry-answer").click().run()
    (turn,) = services.sessions.view(view.id).turns
    assert turn.client is not None
    assert "has not answered" not in drawn(app)


def test_a_failing_coach_takes_nothing_from_the_conversation(page, services, started):
    view = started()
    services.coach.fails = True
    app = page("session", session=view.id)
    say(app, "Go on.")
    assert "conversation goes on without it" in drawn(app)
    assert len(services.sessions.view(view.id).turns) == 1
    assert not app.expander


def test_words_are_drawn_as_plain_text_everywhere(page, services, started):
    view = started()
    app = page("session", session=view.id)
    say(app, ODD)
    html = drawn(app)
    assert "<script" not in html and "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert services.sessions.view(view.id).turns[0].therapist == ODD
    label = app.expander[0].label
    assert "\\# head \\$x\\$ \\*a\\*" in label and ":smile:" not in label
    assert not app.markdown


def test_taking_back_offers_the_words_again(page, services, started):
    view = started("First.", "advice Do this.")
    app = page("session", session=view.id)
    app.button(key="take-back").click().run()
    after = services.sessions.view(view.id)
    assert [t.therapist for t in after.turns] == ["First."]
    assert [t.therapist for t in after.withdrawn] == ["advice Do this."]
    assert app.text_area[0].value == "advice Do this."
    app.button(key="draft-aside").click().run()
    assert app.chat_input(key="reply").placeholder == "Reply to Teo"


def test_the_coach_line_takes_only_the_last_reply_back(page, services, started):
    view = started("First.", "advice Do this.")
    app = page("session", session=view.id)
    first, second = services.sessions.view(view.id).turns
    keys = [button.key for button in app.button]
    assert f"back-{second.id}" in keys and f"back-{first.id}" not in keys
    assert app.expander[1].label.startswith("**Cost**")
    app.button(key=f"back-{second.id}").click().run()
    assert len(services.sessions.view(view.id).turns) == 1


def test_seeing_it_differently_is_kept_with_the_turn(page, services, started, tmp_path):
    view = started("First.")
    app = page("session", session=view.id)
    turn = view.turns[0]
    app.button(key=f"differ-{turn.id}").click().run()
    app.text_area(key=f"differ-words-{turn.id}").set_value("I meant to wait.").run()
    app.button(key=f"differ-keep-{turn.id}").click().run()
    assert "Your view is kept" in drawn(app)
    with services.sessions._database.reading() as db:
        assert [row.words for row in db.query(DisagreementRow).all()] == ["I meant to wait."]


def test_a_flag_is_named_before_anything_else(page, started):
    app = page("session", session=started("harm It was your fault.").id)
    assert app.expander[0].label.startswith("**Flag**")


def test_a_quiet_coach_has_nothing_to_open(page, started):
    app = page("session", session=started("quiet Hm.").id)
    assert not app.expander
    assert "headline about quiet" in drawn(app)


def test_a_client_who_left_is_met_kindly_and_can_be_won_back(page, services, started, monkeypatch):
    view = started("One.")
    with services.sessions._database.writing() as db:
        from simulator import records

        row = records.find_session(db, view.id)
        row.status, row.ending = "ended", "leaves_early"
    app = page("session", session=view.id)
    assert "got up and left" in drawn(app) and "not a verdict" in drawn(app)
    assert not app.chat_input
    app.button(key="ended-take-back").click().run()
    assert services.sessions.view(view.id).status is Status.OPEN


def test_hints_off_asks_the_coach_nothing(page, services, started):
    services.coach.fails = True
    app = page("session", session=started("One.", hints=False).id)
    html = drawn(app)
    assert "hints are off" in html and "Stuck?" not in html
    assert "without it" not in html and not app.expander


def test_a_nudge_comes_first_and_an_example_only_on_the_second_ask(page, services, started):
    app = page("session", session=started().id)
    assert services.coach.nudges == 0
    app.button(key="stuck-0").click().run()
    assert "last feeling word" in drawn(app) and "Eleven years." not in drawn(app)
    app.button(key="stuck-1").click().run()
    assert "Eleven years." in drawn(app) and "That stings." in drawn(app)


def test_pausing_says_that_it_is_saved(page, services, started):
    view = started("One.")
    app = page("session", session=view.id)
    app.button(key="pause").click().run()
    assert "Everything up to here is saved" in drawn(app) and not app.chat_input
    app.button(key="carry-on").click().run()
    assert app.chat_input


def test_stopping_leads_to_the_own_view_first(page, services, started):
    view = started("One.")
    app = page("session", session=view.id)
    app.button(key="stop").click().run()
    assert services.sessions.view(view.id).status is Status.ENDED
    assert "from your chair" in drawn(app)


def test_long_transcripts_show_their_end_first(page, services, started):
    view = started(*[f"Reply number {n}." for n in range(1, 33)], hints=False)
    app = page("session", session=view.id)
    assert "Reply number 2." not in drawn(app) and "Reply number 32." in drawn(app)
    app.button(key="show-earlier").click().run()
    assert "Reply number 1." in drawn(app)


def test_what_leaves_the_computer_is_said_without_names(page, services, started):
    view = started()
    assert "Nothing you write leaves this computer" in drawn(page("session", session=view.id))
    services.models.roles = {ModelRole.GRADER}
    html = drawn(page("session", session=view.id))
    assert "A language model takes part" in html and "desk" not in html


def test_a_session_that_does_not_exist_is_said_kindly(page):
    assert "does not exist" in drawn(page("session", session="nope"))


def test_a_slow_coach_does_not_hold_up_the_next_reply(page, services, started):
    view = started()
    app = page("session", session=view.id)
    services.coach.may_read.clear()
    say(app, "First.")
    assert "The coach is reading" in drawn(app) and not app.expander
    say(app, "Second.")
    assert [t.therapist for t in services.sessions.view(view.id).turns] == ["First.", "Second."]
    services.coach.may_read.set()
    for _ in range(3):
        app.run()
    assert [line.label.split("\\")[0] for line in app.expander] == ["**Worked** headline about First", "**Worked** headline about Second"]
    assert "The coach is reading" not in drawn(app)
