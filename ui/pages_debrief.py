"""The debrief: the own view first, then what was seen, quoted and cited; and another try from any turn."""

from __future__ import annotations

import logging

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import NotFound, SimulatorError
from simulator.export import session_json
from simulator.outcomes import SessionReport, TurnOutcome
from simulator.views import SessionView, Status
from simulator.wording import fill
from ui.components.bands import dimensions_html
from ui.components.coach_line import citation_html, feedback_html
from ui.components.coach_reading import answered, coach_reader, look_again
from ui.components.moments import three_moments
from ui.components.page_frame import card, counted, friendly_date, heading, text, top_bar
from ui.components.plain_text import html_text, label_text, shortened
from ui.components.self_rating import self_rating
from ui.components.session_deletion import delete_button
from ui.components.thread_chart import thread_chart
from ui.components.trouble import nothing_here, trouble
from ui.navigation import BEFORE, HOME, SESSION, asked, go
from ui.services import get_services
from ui.texts import page_words

log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 3.0


def draw() -> None:
    """The whole page, as far as the session has come."""
    session_id = asked("session")
    services = get_services()
    try:
        view = services.sessions.view(session_id)
    except NotFound:
        top_bar()
        nothing_here("This session does not exist, or it was deleted. Home lists the sessions there are.")
        return
    chosen = st.session_state.pop("try-again", None)
    if isinstance(chosen, int):
        _open_again(view, chosen)
    with top_bar([f"Debrief: {view.persona_name}, {counted(len(view.turns), 'turn')}", friendly_date(view.ended_at or view.updated_at)]):
        st.page_link(HOME, label="Home")
        actions = st.container(key="debrief-actions", horizontal=True, gap="small", width="content")
    if view.status is not Status.ENDED:
        _still_open(view)
    elif not view.turns:
        _empty(view)
    elif view.self_rating is None:
        _last_words(view)
        rating = self_rating(view, services.rubric)
        if rating is not None:
            services.sessions.rate_self(session_id, rating)
            st.rerun()
    else:
        _debrief(view, actions)


def _still_open(view: SessionView) -> None:
    with card("still-open"):
        text(page_words().debrief.open)
        if st.button(f"Carry on with {label_text(view.persona_name)}", key="carry-on", type="primary"):
            go(SESSION, {"session": view.id})


def _empty(view: SessionView) -> None:
    with card("empty"):
        text(page_words().debrief.empty)
        with st.container(horizontal=True, gap="small"):
            if st.button("Start again", key="start-again", type="primary"):
                go(BEFORE, {"client": view.persona_id})
            delete_button(view, label="Delete this session", then_home=True)


def _last_words(view: SessionView) -> None:
    if view.closing:
        who = f'<span class="pr-who">{html_text(view.persona_name)}, at the end:</span>'
        st.html(f'<p class="pr-strip pr-closing" dir="auto">{who} {html_text(view.closing)}</p>')
    elif view.ending == "leaves_early":
        text(fill(page_words().session.left, name=view.persona_name), style="pr-muted")


def _debrief(view: SessionView, actions: DeltaGenerator) -> None:
    coach = get_services().coach
    try:
        with st.spinner(f"The coach is reading {counted(len(view.turns), 'reply')} …"):
            outcomes, complete = coach_reader().read(view.id, answered(view), patience=_PATIENCE_SECONDS)
            report = coach.report(view.id) if complete else None
    except SimulatorError as error:
        log.warning("no debrief: %s %s", error.message, error.details)
        trouble(error.message, words_are_kept=page_words().session.kept)
        return
    if report is None:
        with card("still-reading"):
            text(fill(page_words().debrief.reading, replies=counted(len(view.turns), "reply")))
        look_again(view.id)
        return
    words = page_words().debrief
    message = st.session_state.pop("again-trouble", "")
    if message:
        trouble(message)
    with actions:
        _export_button(view)
        worth = next((moment.turn for moment in report.moments if moment.kind != "best"), None)
        if worth is not None:
            st.button(f"Try again from turn {worth}", key="again-top", type="primary", on_click=_try_again, args=(worth,))
    _flags(report)
    heading("Three moments" if len(report.moments) == 3 else "Moments", level=1, below=words.moments)
    three_moments(view, report.moments, again=_try_again)
    _own_moment(view)
    heading("What moved between you", below=words.thread)
    with card("thread"):
        thread_chart(report.thread)
    _told(report)
    heading("The dimensions", below=words.dimensions)
    with card("dimensions"):
        st.html(dimensions_html(report.dimensions) + _talk(report))
    heading(f"How it was for {view.persona_name}", below=fill(words.client_view, name=view.persona_name))
    with card("client-view"):
        answers = ((html_text(statement), html_text(answer)) for statement, answer in report.client_view)
        st.html("".join(f'<p class="pr-line"><span class="pr-muted">{statement}:</span> {said}</p>' for statement, said in answers))
        _last_words(view)
    _turn_by_turn(view, outcomes)
    _next(report)
    delete_button(view, label="Delete this session", then_home=True)


def _flags(report: SessionReport) -> None:
    if report.flags:
        listed = "".join(f"<li>Turn {turn}: {html_text(label)}</li>" for turn, label in report.flags)
        st.html(f'<div class="pr-flags" role="note"><strong>Look at this first</strong><ul>{listed}</ul></div>')


def _own_moment(view: SessionView) -> None:
    moment = (view.self_rating or {}).get("moment")
    if isinstance(moment, int) and any(turn.number == moment for turn in view.turns):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f'<p class="pr-line">You wished for turn {moment} again.</p>', width="content")
            st.button(f"Go back to turn {moment}", key="again-own", on_click=_try_again, args=(moment,))


def _told(report: SessionReport) -> None:
    words = page_words().debrief
    left, right = st.columns(2, gap="medium")
    with left, card("told"):
        heading("What was told, and when", level=3)
        if report.told:
            told = "".join(f"<li><strong>Turn {turn}</strong> {html_text(gist)}</li>" for turn, gist in report.told)
            st.html(f'<ul class="pr-plain">{told}</ul>')
        else:
            text(words.told_nothing, style="pr-muted")
    with right, card("sealed"):
        heading("What stayed sealed", level=3, below=words.sealed)
        if report.sealed:
            st.html("<ul class='pr-plain'>" + "".join(f"<li>{html_text(hint)}</li>" for hint in report.sealed) + "</ul>")


def _talk(report: SessionReport) -> str:
    """Reflections, questions and share of words, as one would say them."""
    parts = [f"You gave something back {counted(report.reflections, 'time')} and asked {counted(report.questions, 'question')}."]
    if report.talk_share is not None:
        share = "You spoke less than the client." if report.talk_share < 0.4 else "You spoke about as much as the client."
        parts.append(share if report.talk_share <= 0.6 else "You spoke more than the client.")
    return f'<p class="pr-muted pr-talk">{html_text(" ".join(parts))}</p>'


def _turn_by_turn(view: SessionView, outcomes: tuple[TurnOutcome, ...]) -> None:
    heading("Turn by turn", below=page_words().debrief.again)
    turns = {turn.number: turn for turn in view.turns}
    feedback = {outcome.turn_id: outcome.feedback for outcome in outcomes}
    with card("turns"):
        number = st.selectbox(
            "Read a turn", list(turns), index=None, placeholder="Choose a turn", key="read-turn",
            format_func=lambda n: f"Turn {n}: “{shortened(turns[n].therapist, limit=70)}”" if n in turns else "",
        )  # fmt: skip
        turn = turns.get(number) if number is not None else None
        if turn is None:
            return
        before = view.opening if turn.number == 1 else (turns[turn.number - 1].client or "")
        for who, said in ((view.persona_name, before), ("You", turn.therapist), (view.persona_name, turn.client or "")):
            st.html(f'<p class="pr-strip" dir="auto"><span class="pr-who">{html_text(who)}</span> {html_text(said)}</p>')
        if turn.id in feedback:
            shown = feedback[turn.id]
            st.html(f'<p class="pr-moment-words">{html_text(shown.headline)}</p>' + feedback_html(shown, turn.therapist))
        st.button(f"Try again from turn {turn.number}", key="again-turn", type="primary", on_click=_try_again, args=(turn.number,))


def _next(report: SessionReport) -> None:
    heading("What next")
    with card("next"):
        text(report.practise)
        if report.reading:
            heading("Two things to read" if len(report.reading) == 2 else "Something to read", level=3)
            st.html("".join(citation_html(reading.citation) for reading in report.reading))


def _try_again(turn: int) -> None:
    """Note the wish; the page opens the new session once its callback is over."""
    st.session_state["try-again"] = turn


def _open_again(view: SessionView, turn: int) -> None:
    try:
        new = get_services().sessions.try_again(view.id, turn=turn)
    except SimulatorError as error:
        st.session_state["again-trouble"] = error.message
        return
    go(SESSION, {"session": new.id})


def _export_button(view: SessionView) -> None:
    services = get_services()
    st.download_button(
        "Export", lambda: session_json(services.sessions, services.coach, view.id), key="export", on_click="ignore",
        file_name=f"practice-room-{view.persona_id}-{view.created_at:%Y-%m-%d}.json", mime="application/json",
        help="Everything said, scored and noted in this session, as a JSON file.",
    )  # fmt: skip


draw()
