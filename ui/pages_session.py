"""The session: the conversation in the middle, the coach under each reply, the notes beside it. A view of what is stored."""

from __future__ import annotations

import logging

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import NotFound, SimulatorError
from personas.schema import Persona
from simulator.views import SessionView, Status
from simulator.wording import fill
from ui.components.chat_rows import client_row, trainee_row, typing_row
from ui.components.coach_line import CoachActions, coach_line
from ui.components.coach_reading import answered, coach_reader, look_again
from ui.components.conversation_companion import conversation_companion
from ui.components.draft_editor import draft_editor
from ui.components.page_frame import card, text, top_bar
from ui.components.plain_text import html_text, label_text
from ui.components.session_notes import session_notes
from ui.components.trouble import nothing_here, trouble
from ui.components.turn_sender import (
    await_reply,
    keep_words,
    note_trouble,
    pending_reply,
    queue_reply,
    send_pending,
    take_arrival,
    take_awaited,
    take_trouble,
)
from ui.navigation import DEBRIEF, HOME, asked, go
from ui.services import get_services
from ui.texts import page_words

log = logging.getLogger(__name__)
_TURNS_SHOWN = 30
_PATIENCE_SECONDS = 0.8  # then the page is drawn without the coach, who goes on; the built-in coach needs far less


def draw() -> None:
    """The whole page."""
    session_id = asked("session")
    view = _current(session_id)
    if view is None:
        return
    paused = bool(st.session_state.get(f"paused-{session_id}"))
    persona = get_services().sessions.persona_of(session_id)
    _bar(view, persona, paused=paused)
    st.html(f'<h1 class="pr-hidden">Session with {html_text(view.persona_name)}</h1>')
    if paused:
        _pause_page(view)
        return
    middle, side = st.columns([2.15, 1], gap="large")
    with side:
        session_notes(view, persona.referral_note)
    with middle:
        _conversation(view)


def _current(session_id: str) -> SessionView | None:
    """The session as stored, its unfinished turn finished; a message and None when that cannot be had."""
    sessions = get_services().sessions
    try:
        return sessions.resume(session_id)
    except NotFound:
        top_bar()
        nothing_here("This session does not exist, or it was deleted. Home lists the sessions there are.")
        return None
    except SimulatorError as error:
        log.warning("resuming failed: %s %s", error.message, error.details)
        view = sessions.view(session_id)
        note_trouble(session_id, error.message)
        return view


def _bar(view: SessionView, persona: Persona, *, paused: bool) -> None:
    focus = [f"Focus: {view.focus}"] if view.focus else []
    ended = view.status is Status.ENDED
    with top_bar([f"{view.persona_name}, {persona.age}", *focus, f"Turn {len(view.turns)}"]):
        if ended:
            st.page_link(HOME, label="Home")
        elif not paused:
            st.button("Pause", key="pause", on_click=_pause, args=(view.id, True))
        if st.button("Open the debrief" if ended else "Stop and debrief", key="stop"):
            if not ended:
                get_services().sessions.end(view.id)
            go(DEBRIEF, {"session": view.id})


def _pause(session_id: str, paused: bool) -> None:
    st.session_state[f"paused-{session_id}"] = paused


def _pause_page(view: SessionView) -> None:
    with card("paused"):
        text(fill(page_words().session.paused, name=view.persona_name))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            label = f"Carry on with {label_text(view.persona_name)}"
            st.button(label, key="carry-on", type="primary", on_click=_pause, args=(view.id, False))
            st.page_link(HOME, label="Go home")


def _conversation(view: SessionView) -> None:
    """Rows first, then what needs time: sending a reply, or the coach's reading."""
    sessions = get_services().sessions
    pending = pending_reply(view.id)
    arrived = take_arrival(view.id) if pending is None else ""
    awaited = arrived or (take_awaited(view.id) if pending is None else "")
    places = _rows(view, awaited)
    if pending is not None:
        trainee_row(pending.words, turn=pending.turn)
        typing_row(view.persona_name)
    message = take_trouble(view.id)
    if message:
        trouble(message, words_are_kept=page_words().session.kept)
    _below(view, sending=pending is not None)
    newest = view.turns[-1] if view.turns else None
    if pending is not None:
        conversation_companion(session_id=view.id, turn=view.next_number, mark=f"sent-{pending.key}")
        send_pending(sessions, view.id)
    conversation_companion(
        session_id=view.id, turn=view.next_number, mark=newest.id if newest else "", announce=arrived,
        words=f"{view.persona_name} said: {newest.client}" if newest and arrived else "",
    )  # fmt: skip
    if view.hints:  # last: it may take a while, and the trainee can write on meanwhile
        _coach(view, places, arrived=arrived, awaited=awaited)


def _rows(view: SessionView, awaited: str) -> dict[str, DeltaGenerator]:
    """The transcript; returns the place under each reply for the coach's line, held open where it is still to come."""
    places: dict[str, DeltaGenerator] = {}
    shown = view.turns if st.session_state.get(f"earlier-{view.id}") else view.turns[-_TURNS_SHOWN:]
    hidden = len(view.turns) - len(shown)
    if hidden:
        st.button(f"Show the {hidden} earlier turns", key="show-earlier", on_click=_show_earlier, args=(view.id,))
    else:
        client_row(view.persona_name, view.opening, turn=0)
    for turn in shown:
        newest = turn is view.turns[-1]
        trainee_row(turn.therapist, turn=turn.number)
        places[turn.id] = st.container(key=f"under-{turn.id}").empty()
        if view.hints and turn.id == awaited:
            places[turn.id].html(f'<p class="pr-coach-quiet">{html_text(page_words().session.reading)}</p>')
        if turn.client is not None:
            client_row(view.persona_name, turn.client, turn=turn.number, arriving=turn.id == awaited, newest=newest)
    if view.closing:
        client_row(view.persona_name, view.closing, turn=len(view.turns))
    return places


def _show_earlier(session_id: str) -> None:
    st.session_state[f"earlier-{session_id}"] = True


def _coach(view: SessionView, places: dict[str, DeltaGenerator], *, arrived: str, awaited: str) -> None:
    """The coach's lines. A coach that fails takes nothing from the conversation."""
    services = get_services()
    turns = {turn.id: turn for turn in view.turns}
    try:
        outcomes, complete = coach_reader().read(view.id, answered(view), patience=_PATIENCE_SECONDS)
    except SimulatorError as error:
        log.warning("the coach failed: %s %s", error.message, error.details)
        with st.container(key="coach-failed"):
            text(page_words().session.nothing_to_show, style="pr-muted")
        return
    for outcome in outcomes:
        place, turn = places.get(outcome.turn_id), turns.get(outcome.turn_id)
        if place is None or turn is None:
            continue
        actions = CoachActions(disagree=services.sessions.disagree, take_back=_take_back_for(view) if turn is view.turns[-1] else None)
        with place.container():
            coach_line(turn, outcome.feedback, actions, appears_late=turn.id == arrived)
    if not complete:
        await_reply(view.id, awaited)
        look_again(view.id)


def _take_back_for(view: SessionView):  # type: ignore[no-untyped-def]
    """The action of taking the last reply back, or None where the session does not allow it."""
    if view.mode == "graded" or (view.status is Status.ENDED and view.ending != "leaves_early"):
        return None
    return lambda: _take_back(view.id)


def _take_back(session_id: str) -> None:
    try:
        get_services().sessions.take_back(session_id)
    except SimulatorError as error:
        note_trouble(session_id, error.message)


def _below(view: SessionView, *, sending: bool) -> None:
    """What one can do now: write, change kept words, finish an unfinished turn, or look back."""
    if view.status is Status.ENDED:
        _ended(view)
    elif view.status is Status.AWAITING_CLIENT and not sending:
        _waiting(view)
    else:
        with st.container(key="composer", gap="small"):
            _composer(view, sending=sending)


def _composer(view: SessionView, *, sending: bool) -> None:
    sessions = get_services().sessions

    def send(words: str) -> None:
        queue_reply(sessions, view.id, view.next_number, words)

    if view.draft and not sending:
        draft_editor(f"{view.id}-{view.next_number}", view.draft, send=send, keep=lambda words: keep_words(sessions, view.id, words))
    else:
        st.chat_input(
            f"Reply to {view.persona_name}", key="reply", submit_mode="disable", disabled=sending,
            on_submit=lambda: send(str(st.session_state.get("reply") or "")),
        )  # fmt: skip
        if view.turns and not sending:
            take_back = _take_back_for(view)
            if take_back is not None:
                st.button("Take my last reply back", key="take-back", type="tertiary", on_click=take_back)


def _waiting(view: SessionView) -> None:
    with card("waiting"):
        text(fill(page_words().session.waiting, name=view.persona_name))
        st.button("Try again", key="retry-answer", type="primary")


def _ended(view: SessionView) -> None:
    words = page_words().session
    with card("ended"):
        text(fill(words.left, name=view.persona_name) if view.ending == "leaves_early" else words.ended)
        if view.draft:
            text(words.unsent, style="pr-muted")
            text(view.draft)
        with st.container(horizontal=True, gap="small"):
            if st.button("Look back at it together", key="ended-debrief", type="primary"):
                go(DEBRIEF, {"session": view.id})
            take_back = _take_back_for(view)
            if take_back is not None and view.turns:
                st.button("Take my last reply back", key="ended-take-back", on_click=take_back)


draw()
