"""The turn loop: nothing a trainee sends is lost or doubled, whatever happens around it."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.clock import new_id
from core.errors import Conflict, InvalidInput, NotFound
from core.replies import MAX_REPLY_CHARACTERS
from simulator.views import Status
from tests.simulator.playing import an_engine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def engine(tmp_path):
    return an_engine(tmp_path)


@pytest.fixture
def session(engine):
    return engine.start("teo", trainee="local", seed=7, engine="embedded", focus="stay with the feeling")


def test_a_turn_is_stored_with_everything_that_led_to_it(engine, session):
    view = engine.take_turn(session.id, "What happened at work? [open_question]", key="k1", turn=1)
    (turn,) = view.turns
    assert view.status is Status.OPEN and turn.client and turn.therapist.startswith("What happened")
    assert turn.appraisal.has("open_question") and turn.direction["move"] and turn.state.turn == 1 and turn.ledger
    assert view.transcript().content_hash().startswith("sha256:") and len(view.transcript()) == 3


def test_the_same_click_twice_is_one_turn(engine, session):
    first = engine.take_turn(session.id, "Hello.", key="same", turn=1)
    second = engine.take_turn(session.id, "Hello.", key="same", turn=1)
    assert first.turns == second.turns and len(second.turns) == 1


def test_two_clicks_at_once_are_one_turn(engine, session):
    barrier, results = threading.Barrier(4), []

    def click():
        barrier.wait()
        try:
            results.append(engine.take_turn(session.id, "Hello there.", key="same", turn=1))
        except Conflict as conflict:
            results.append(conflict)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    view = engine.view(session.id)
    assert len(results) == 4 and len(view.turns) == 1 and view.turns[0].client and view.status is Status.OPEN


def test_a_second_tab_is_told_and_its_words_are_kept(engine, session):
    engine.take_turn(session.id, "First tab.", key="a", turn=1)
    with pytest.raises(Conflict, match="moved on"):
        engine.take_turn(session.id, "Second tab, written meanwhile.", key="b", turn=1)
    view = engine.view(session.id)
    assert len(view.turns) == 1 and view.draft == "Second tab, written meanwhile."
    after = engine.take_turn(session.id, view.draft, key="c", turn=2)
    assert len(after.turns) == 2 and after.draft == ""


@pytest.mark.parametrize("words", ["", "   \n", "\u200b\u200b", "\x00"])
def test_nothing_to_send_is_said(engine, session, words):
    with pytest.raises(InvalidInput, match="nothing to send"):
        engine.take_turn(session.id, words, key=new_id())
    assert engine.view(session.id).turns == ()


def test_a_reply_that_is_too_long_is_refused_and_kept(engine, session):
    words = "I wonder. " * 2000
    with pytest.raises(InvalidInput, match=f"20,000 characters long; the limit is {MAX_REPLY_CHARACTERS:,}"):
        engine.take_turn(session.id, words, key="k")
    view = engine.view(session.id)
    assert view.turns == () and view.draft == words and view.status is Status.OPEN


@pytest.mark.parametrize(
    "words", ["🙂🙂", "مرحبا، كيف حالك؟", "a\x00b", "a\u200bb", "<script>alert(1)</script>", "{{ 7*7 }} ${x} `rm`", "ﬀ" * 50]
)
def test_odd_words_are_played_and_kept_as_written(engine, session, words):
    view = engine.take_turn(session.id, words, key="k")
    assert view.turns[0].client and view.turns[0].therapist == words.replace("\x00", "")


CRASH = """
import os, signal, sys
from pathlib import Path
from personas.voice import AuthoredVoice
from simulator import records
from tests.simulator.playing import ScriptedAppraiser, an_engine
point, folder, session = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
class DyingVoice(AuthoredVoice):
    def speak(self, cue):
        reply = super().speak(cue)
        die() if point == "voice" else None
        return reply
class DyingAppraiser(ScriptedAppraiser):
    def appraise(self, context, reply):
        die() if point == "appraisal" else None
        return super().appraise(context, reply)
engine = an_engine(folder, voice=DyingVoice(), appraiser=DyingAppraiser())
if point == "before":
    engine._store = lambda *a, **k: die()
if point == "writing":
    original = records.complete_turn
    def dying(*a, **k):
        original(*a, **k)
        die()
    records.complete_turn = dying
if point == "stored":
    engine._complete = lambda *a: die()
engine.take_turn(session, "Words worth keeping.", key="the-key", turn=1)
die()
"""


@pytest.mark.parametrize("point", ["before", "stored", "appraisal", "voice", "writing", "after"])
def test_a_killed_process_loses_nothing_and_doubles_nothing(tmp_path, point):
    engine = an_engine(tmp_path)
    session = engine.start("teo", trainee="local", seed=7, engine="embedded")
    died = subprocess.run([sys.executable, "-c", CRASH, point, str(tmp_path), session.id], cwd=ROOT, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    view = engine.resume(session.id)
    assert len(view.turns) == (0 if point == "before" else 1)
    again = engine.take_turn(session.id, "Words worth keeping.", key="the-key", turn=1)  # the browser sends its click again
    assert len(again.turns) == 1 and again.turns[0].therapist == "Words worth keeping." and again.turns[0].client
    assert again.status is Status.OPEN
    undisturbed = an_engine(tmp_path / "other")
    other = undisturbed.start("teo", trainee="local", seed=7, engine="embedded")
    same = undisturbed.take_turn(other.id, "Words worth keeping.", key="x", turn=1)
    assert same.turns[0].client == again.turns[0].client, "an interruption does not change what the client says"


def test_taking_back_keeps_the_attempt_and_returns_the_client_to_before(engine, session):
    before = engine.take_turn(session.id, "What happened? [open_question]", key="a")
    after = engine.take_turn(session.id, "At least you have a job. [minimising]", key="b")
    assert after.state.trust < before.state.trust
    back = engine.take_back(session.id)
    assert back.state == before.state and back.draft == "At least you have a job. [minimising]" and len(back.withdrawn) == 1
    again = engine.take_turn(session.id, "They walked past you. [complex_reflection]", key="c", turn=2)
    assert len(again.turns) == 2 and again.turns[1].attempt == 2 and again.state.trust >= before.state.trust


def test_unsent_words_never_overwrite_one_another(engine, session):
    engine.take_turn(session.id, "First tab.", key="a", turn=1)
    for key, words in (("b", "Second tab."), ("c", "Third tab."), ("d", "Third tab.")):
        with pytest.raises(Conflict):
            engine.take_turn(session.id, words, key=key, turn=1)
    assert engine.view(session.id).draft == "Second tab.\n\nThird tab."
    assert engine.take_back(session.id).draft == "Second tab.\n\nThird tab.\n\nFirst tab."
    engine.keep_draft(session.id, "Third")
    assert engine.view(session.id).draft == "Third", "the person's own edit replaces what was kept"
    assert engine.take_turn(session.id, "Something else.", key="e", turn=1).draft == "Third", "sending other words leaves it there"
    engine.take_back(session.id)
    engine.keep_draft(session.id, "Third")
    assert engine.take_turn(session.id, "Third", key="f", turn=1).draft == ""


def test_trying_again_from_a_turn_is_a_new_session_with_the_same_client_so_far(engine, session):
    for number in range(1, 4):
        engine.take_turn(session.id, f"Reply {number}. [simple_reflection]", key=str(number), turn=number)
    engine.end(session.id)
    branch = engine.try_again(session.id, turn=3)
    original = engine.view(session.id)
    assert branch.parent_id == session.id and branch.parent_turn == 3 and branch.status is Status.OPEN
    assert [t.client for t in branch.turns] == [t.client for t in original.turns[:2]] and branch.state == original.turns[1].state
    grown = engine.take_turn(branch.id, "Something else. [emotional_reaction]", key="new", turn=3)
    assert len(grown.turns) == 3 and len(engine.view(session.id).turns) == 3
    with pytest.raises(NotFound, match="no turn 9"):
        engine.try_again(session.id, turn=9)


def test_an_ended_session_takes_no_more_words_but_keeps_them(engine, session):
    engine.take_turn(session.id, "Hello.", key="a")
    ended = engine.end(session.id)
    assert ended.status is Status.ENDED and ended.closing and ended.ending in ("partial", "stuck")
    assert engine.end(session.id) == ended
    with pytest.raises(Conflict, match="has ended"):
        engine.take_turn(session.id, "One more thing.", key="b")
    assert engine.view(session.id).draft == "One more thing."


def test_a_client_who_is_shamed_leaves_and_the_session_says_so(engine, session):
    view = session
    for number in range(1, 9):
        view = engine.take_turn(session.id, f"Pull yourself together {number}. [shaming judging]", key=str(number))
        if view.status is Status.ENDED:
            break
    assert view.status is Status.ENDED and view.ending == "leaves_early" and view.turns[-1].direction["move"] == "leave"


def test_no_line_is_said_twice_in_a_long_session(engine, session):
    said = []
    for number in range(40):
        words = [
            "What happened? [open_question]",
            "That stung. [complex_reflection]",
            "Mm. [silence_held]",
            "How was your week? [open_question]",
        ][number % 4]
        view = engine.take_turn(session.id, words, key=str(number))
        if view.status is Status.ENDED:
            break
        said.append(view.turns[-1].client)
    spoken = [line for line in said if len(line.split()) > 1]
    assert len(said) >= 30 and len(set(spoken)) == len(spoken)


def test_deleting_a_session_leaves_nothing(engine, session):
    engine.take_turn(session.id, "Hello.", key="a")
    engine.delete(session.id)
    assert engine.sessions("local") == ()
    with pytest.raises(NotFound):
        engine.view(session.id)
