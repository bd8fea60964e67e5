"""How replies move a client: ranges, caps, ledger arithmetic, ruptures, resistance."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.appraisal import SkillAppraisal
from core.skills import skill_catalogue
from personas.change import apply_appraisal
from personas.library import PersonaLibrary
from personas.rules import client_rules
from personas.state import ClientState, PullOutcome, PullRecord, initial_state, state_from_json, state_to_json
from tests.fakes.appraisals import an_appraisal

LIBRARY = PersonaLibrary()
PERSONAS = LIBRARY.all()
CODES = sorted(skill_catalogue().codes)
replies = st.lists(st.tuples(st.lists(st.sampled_from(CODES), max_size=5, unique=True), st.floats(0.05, 1.0)), min_size=1, max_size=25)


def play(persona, moves, seed=1) -> list:
    state, updates = initial_state(persona, seed=seed), []
    for skills, strength in moves:
        update = apply_appraisal(state, an_appraisal(*skills, strength=strength), persona, seed=seed)
        updates.append(update)
        state = update.after
    return updates


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda p: p.id)
@settings(max_examples=25, deadline=None)
@given(moves=replies)
def test_state_stays_in_range_and_the_ledger_adds_up(persona, moves):
    for update in play(persona, moves):
        after = update.after
        assert 0 <= after.trust <= 10 and 0 <= after.arousal <= 10 and 0 <= after.hope <= 10 and 0 <= after.openness <= 5
        for measure in ("trust", "openness", "arousal", "hope"):
            deltas = sum(e.delta for e in update.ledger if e.measure == measure)
            assert getattr(update.before, measure) + deltas == pytest.approx(getattr(after, measure), abs=1e-6)
        for entry in update.ledger:
            assert entry.turn == after.turn and entry.words
            assert entry.evidence is not None or entry.cause in ("fading", "settling")


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda p: p.id)
@settings(max_examples=20, deadline=None)
@given(moves=replies)
def test_trust_is_slow_to_gain(persona, moves):
    updates = play(persona, moves)
    for index in range(len(updates)):
        window = updates[max(0, index - 4) : index + 1]
        earned = sum(e.delta for u in window for e in u.ledger if e.measure == "trust" and e.delta > 0 and e.cause != "repair")
        assert earned <= client_rules().limits.gain_per_window + 0.01


@settings(max_examples=20, deadline=None)
@given(moves=replies)
def test_the_same_replies_give_the_same_client_and_survive_storage(moves):
    persona = PERSONAS[0]
    first, second = play(persona, moves), play(persona, moves)
    assert first == second
    for update in first:
        assert state_from_json(state_to_json(update.after)) == update.after


def test_input_is_left_alone_and_an_unappraised_reply_moves_nothing_but_the_turn():
    persona = PERSONAS[0]
    state = initial_state(persona, seed=3)
    copy = dataclasses.replace(state)
    update = apply_appraisal(state, SkillAppraisal(unappraised="the appraiser was not available"), persona, seed=3)
    assert state == copy
    assert update.ledger == ()
    assert update.after == dataclasses.replace(state, turn=1)


def test_a_set_phrase_earns_no_trust_whatever_stands_beside_it():
    persona = PERSONAS[0]
    state = initial_state(persona, seed=1)
    plain = apply_appraisal(state, an_appraisal("interpretation"), persona, seed=1)
    formula = apply_appraisal(state, an_appraisal("interpretation", "formula"), persona, seed=1)
    assert plain.after.trust > state.trust
    assert formula.after.trust <= state.trust


def test_losses_outweigh_gains():
    persona = PERSONAS[0]
    state = initial_state(persona, seed=1)
    best = apply_appraisal(state, an_appraisal("complex_reflection", "interpretation", "exploration"), persona, seed=1)
    worst = apply_appraisal(state, an_appraisal("shaming"), persona, seed=1)
    assert best.after.trust - state.trust <= 1.0
    assert state.trust - worst.after.trust >= 2 * (best.after.trust - state.trust)


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda p: p.id)
def test_a_rupture_breaks_on_harm_and_mends_only_by_repair(persona):
    state = dataclasses.replace(initial_state(persona, seed=1), trust=6.0)
    broken = apply_appraisal(state, an_appraisal("shaming"), persona, seed=1).after
    assert broken.rupture is not None
    still = apply_appraisal(broken, an_appraisal("simple_reflection"), persona, seed=1).after
    mender = persona.rupture.repaired_by[0]
    mended = apply_appraisal(broken, an_appraisal(mender), persona, seed=1)
    assert "simple_reflection" in persona.rupture.repaired_by or still.rupture is not None
    assert mended.after.rupture is None
    assert broken.trust < mended.after.trust < state.trust, "repair restores part, never more than was lost"
    assert any(e.measure == "rupture" and e.evidence is not None for e in mended.ledger)


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda p: p.id)
def test_resistance_hardens_and_falls_only_after_its_dwell(persona):
    hardener = persona.resistance.hardens_on[0]
    state = dataclasses.replace(initial_state(persona, seed=1), trust=6.0, holding_back=None)
    held = apply_appraisal(state, an_appraisal(hardener), persona, seed=1).after
    assert held.holding_back is not None
    turns = 0
    while held.holding_back is not None and turns < 12:
        held = apply_appraisal(held, an_appraisal("complex_reflection", "interpretation"), persona, seed=1).after
        turns += 1
    assert turns >= persona.resistance.dwell, "it lasts"
    assert held.holding_back is None, "and a run of good replies lets it fall"


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda p: p.id)
def test_a_test_of_the_frame_is_met_missed_or_left_open(persona):
    pull = persona.pulls[0]
    pending = PullRecord(pull=pull.id, turn=0, times=1, outcome=PullOutcome.PENDING)
    state: ClientState = dataclasses.replace(initial_state(persona, seed=1), pulls=(pending,), holding_back=None)

    def outcome(*skills):
        return apply_appraisal(state, an_appraisal(*skills), persona, seed=1).after.pulls[0].outcome

    answers = client_rules().pull.answers.get(pull.kind, pull.met_by)
    answer = next(code for code in pull.met_by if code in answers)
    assert outcome(answer) is PullOutcome.MET
    assert outcome(pull.missed_by[0]) is PullOutcome.MISSED
    beside_it = next(code for code in CODES if code not in (*pull.met_by, *pull.missed_by))
    assert outcome(beside_it) is PullOutcome.PENDING
    met = apply_appraisal(state, an_appraisal(answer), persona, seed=1)
    assert any(e.cause == f"pull:{pull.id}" and e.delta > 0 for e in met.ledger)


def test_a_client_may_leave():
    persona = PERSONAS[0]
    state = dataclasses.replace(initial_state(persona, seed=1), trust=1.0)
    assert apply_appraisal(state, an_appraisal("shaming"), persona, seed=1).after.ended == "leaves_early"
