"""Home: carry on, choose a client, look back."""

from __future__ import annotations

import streamlit as st

from personas.schema import Persona
from simulator.views import SessionView, Status
from ui.components.page_frame import card, counted, friendly_date, heading, page_top, text
from ui.components.plain_text import html_text, label_text
from ui.components.session_deletion import delete_button
from ui.navigation import BEFORE, DEBRIEF, SESSION, go
from ui.services import TRAINEE, get_services
from ui.texts import page_words, setting_of

DIFFICULTY_WORDS = {1: "a good first client", 2: "asks more of you", 3: "demanding"}
_OPEN_SHOWN, _PAST_SHOWN, _FILTER_FROM = 3, 8, 6


def draw() -> None:
    """The whole page."""
    words = page_words().home
    services = get_services()
    page_top()
    st.html(f'<p class="pr-banner">{html_text(words.local_mode)}</p>')
    heading("Talk with a simulated client", level=1, below=words.purpose)
    sessions = services.sessions.sessions(TRAINEE)
    still_open = [s for s in sessions if s.status is not Status.ENDED]
    if still_open:
        heading("Carry on")
        shown = still_open if st.session_state.get("all-open") else still_open[:_OPEN_SHOWN]
        for session in shown:
            _open_session(session)
        _show_all("all-open", shown=len(shown), of=len(still_open))
    heading("Practise with a client")
    clients = _filtered(services.library.all())
    if not clients:
        text(words.no_clients, style="pr-muted")
    for start in range(0, len(clients), 3):
        for column, persona in zip(st.columns(3, gap="medium"), clients[start : start + 3], strict=False):
            with column:
                _client_card(persona)
    heading("Past sessions")
    _past([s for s in sessions if s.status is Status.ENDED])


def _filtered(clients: tuple[Persona, ...]) -> tuple[Persona, ...]:
    """The clients of one level, where there are many."""
    levels = sorted({persona.difficulty for persona in clients})
    if len(clients) <= _FILTER_FROM or len(levels) < 2:
        return clients
    level = st.pills("Show", levels, key="level", format_func=lambda number: _sentence(DIFFICULTY_WORDS[number]))
    return tuple(persona for persona in clients if level is None or persona.difficulty == level)


def _open_session(session: SessionView) -> None:
    with card(f"open-{session.id}"), st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<p class="pr-line"><strong>{html_text(session.persona_name)}</strong> '
            f'<span class="pr-muted">{counted(len(session.turns), "reply")} so far · {friendly_date(session.updated_at)}</span></p>',
            width="content",
        )
        st.space("stretch")
        if st.button(f"Carry on with {label_text(session.persona_name)}", key=f"carry-{session.id}", type="primary"):
            go(SESSION, {"session": session.id})
        delete_button(session, label="Delete")


def _client_card(persona: Persona) -> None:
    with card(f"client-{persona.id}"):
        st.html(
            f'<div class="pr-client-card"><h3 class="pr-h3"><span class="pr-face" aria-hidden="true">{html_text(persona.name[:1])}</span>'
            f"{html_text(persona.name)}, {persona.age}</h3>"
            f'<p class="pr-own-words">“{html_text(persona.presenting_problem)}”</p>'
            f"<dl><dt>Theme</dt><dd>{html_text(_sentence(persona.theme))}</dd>"
            f"<dt>Tends to be hard</dt><dd>{html_text(_sentence(persona.hard_part))}</dd>"
            f"<dt>Where</dt><dd>{html_text(setting_of(persona))}</dd>"
            f"<dt>Level</dt><dd>{html_text(_sentence(DIFFICULTY_WORDS[persona.difficulty]))}</dd>"
            f"<dt>May come up</dt><dd>{html_text(persona.content_note)}</dd></dl></div>"
        )
        if st.button(f"Practise with {label_text(persona.name)}", key=f"practise-{persona.id}", type="primary", width="stretch"):
            go(BEFORE, {"client": persona.id})


def _sentence(words: str) -> str:
    words = words.strip()
    return words[:1].upper() + words[1:].rstrip(".")


def _past(sessions: list[SessionView]) -> None:
    if not sessions:
        text(page_words().home.no_sessions, style="pr-muted")
        return
    shown = sessions if st.session_state.get("all-past") else sessions[:_PAST_SHOWN]
    for session in shown:
        with card(f"past-{session.id}"), st.container(horizontal=True, vertical_alignment="center", gap="small"):
            again = f" · tried again from turn {session.parent_turn}" if session.parent_turn else ""
            st.html(
                f'<p class="pr-line"><strong>{html_text(session.persona_name)}</strong> <span class="pr-muted">'
                f"{counted(len(session.turns), 'reply')} · {friendly_date(session.ended_at or session.updated_at)}{again}</span></p>",
                width="content",
            )
            st.space("stretch")
            if st.button("Open the debrief", key=f"debrief-{session.id}"):
                go(DEBRIEF, {"session": session.id})
            delete_button(session, label="Delete")
    _show_all("all-past", shown=len(shown), of=len(sessions))


def _show_all(flag: str, *, shown: int, of: int) -> None:
    if shown < of and st.button(f"Show all {of}", key=f"show-{flag}", type="tertiary"):
        st.session_state[flag] = True
        st.rerun()


draw()
