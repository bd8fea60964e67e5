import threading

import pytest

from core.errors import ModelUnavailable
from ui.components.coach_reading import CoachReader


class Coach:
    def __init__(self):
        self.calls = 0
        self.may_read = threading.Event()
        self.fails = False

    def outcomes(self, session_id):
        self.calls += 1
        assert self.may_read.wait(timeout=10)
        if self.fails:
            raise ModelUnavailable("Not now.")
        return (f"{session_id}-{self.calls}",)


@pytest.fixture
def coach():
    made = Coach()
    yield made
    made.may_read.set()


def test_what_is_not_read_yet_is_said_and_read_once(coach):
    reader = CoachReader(coach.outcomes)
    assert reader.read("s", ("a",), patience=0.01) == ((), False)
    assert reader.read("s", ("a",), patience=0.01) == ((), False)
    assert reader.reads("s")
    coach.may_read.set()
    assert reader.read("s", ("a",), patience=10) == (("s-1",), True)
    assert reader.read("s", ("a",), patience=0) == (("s-1",), True)
    assert (coach.calls, reader.reads("s")) == (1, False)


def test_a_newer_reply_is_read_after_the_reading_that_missed_it(coach):
    reader = CoachReader(coach.outcomes)
    coach.may_read.set()
    reader.read("s", ("a",), patience=10)
    coach.may_read.clear()
    assert reader.read("s", ("a", "b"), patience=0.01) == (("s-1",), False)
    assert reader.read("s", ("a", "b", "c"), patience=0.01) == (("s-1",), False)
    coach.may_read.set()
    assert reader.read("s", ("a", "b", "c"), patience=10) == (("s-3",), True)


def test_a_failure_is_raised_and_the_next_reading_starts_anew(coach):
    reader = CoachReader(coach.outcomes)
    coach.may_read.set()
    coach.fails = True
    with pytest.raises(ModelUnavailable):
        reader.read("s", ("a",), patience=10)
    coach.fails = False
    assert reader.read("s", ("a",), patience=10) == (("s-2",), True)


def test_sessions_do_not_wait_for_one_another(coach):
    reader = CoachReader(coach.outcomes)
    coach.may_read.set()
    assert reader.read("one", ("a",), patience=10)[1] and reader.read("two", ("a",), patience=10)[1]
