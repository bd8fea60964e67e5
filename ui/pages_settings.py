"""Settings: what plays each part, what leaves this computer, where the data is, and deleting it."""

from __future__ import annotations

import streamlit as st

from core.errors import SimulatorError
from simulator.views import SessionView
from ui.components.page_frame import card, counted, friendly_date, heading, page_top, text
from ui.components.plain_text import html_text, label_text
from ui.components.session_deletion import delete_button
from ui.components.trouble import trouble
from ui.services import TRAINEE, get_services

ROLE_WORDS = {
    "client": "Plays the client",
    "appraiser": "Reads what a reply did",
    "grader": "Weighs a reply against the rubric",
    "feedback": "Words the feedback",
}
_NO_MODEL = (
    "No language model is set up. To use one, set OPENAI_API_KEY or PRACTICE_ROOM_BASE_URL before starting, "
    "or write a models.yaml into the data folder."
)


def draw() -> None:
    """The whole page."""
    page_top()
    heading("Settings", level=1)
    _engines()
    _data()
    _delete()


def _engines() -> None:
    services = get_services()
    heading("Who plays what", below="“Built in” works without a key and without a network.")
    with card("engines"):
        rows = "".join(
            f'<tr><th scope="row">{html_text(ROLE_WORDS[notice.role.value])}</th><td>{html_text(notice.plays)}</td>'
            f"<td>{html_text(notice.leaves_machine)}</td></tr>"
            for notice in services.notices()
        )
        st.html(
            '<table class="pr-table"><thead><tr><th scope="col">Part</th><th scope="col">Played by</th>'
            f'<th scope="col">What leaves this computer</th></tr></thead><tbody>{rows}</tbody></table>'
        )
        profiles = services.models.profiles
        if not profiles:
            text(_NO_MODEL, style="pr-muted")
        for profile in profiles:
            if st.button(f"Test the connection of “{label_text(profile.name)}”", key=f"probe-{profile.name}"):
                _probe(profile.name)


def _probe(name: str) -> None:
    """Two small, harmless questions to the model; the answer in words."""
    try:
        with st.spinner("Asking two short questions …"):
            found = get_services().models.probe(name)
    except SimulatorError as error:
        trouble(error.message)
        return
    checks = (("answers", found.reachable), ("sends its words as they come", found.streams), ("keeps to a given form", found.keeps_schema))
    listed = "".join(f"<li>{'Yes' if good else 'No'}: {label}</li>" for label, good in checks)
    times = f"<p>First word after {found.first_word_ms} ms, whole reply after {found.reply_ms} ms.</p>" if found.reply_ms else ""
    problems = "".join(f"<li>{html_text(problem)}</li>" for problem in found.problems)
    verdict = "It can play every part." if found.usable else "It cannot play every part yet."
    st.html(f'<div class="pr-notice" role="note"><strong>{verdict}</strong><ul>{listed}</ul>{times}<ul>{problems}</ul></div>')


def _data() -> None:
    services = get_services()
    heading("Where your data is")
    with card("data"):
        text("Sessions, scores and caches are in this folder on this computer:")
        st.html(f'<p><code class="pr-path">{html_text(str(services.settings.data_dir))}</code></p>')
        text("Nothing is sent to the makers of Practice Room. There are no usage statistics.", style="pr-muted")


def _delete() -> None:
    sessions = get_services().sessions.sessions(TRAINEE)
    heading("Delete a session")
    with card("delete-data"):
        if not sessions:
            text("There are no sessions to delete.", style="pr-muted")
            return
        by_id = {session.id: session for session in sessions}
        chosen = st.selectbox(
            "Session", list(by_id), index=None, placeholder="Choose a session", key="delete-choice",
            format_func=lambda i: _summary(by_id[i]) if i in by_id else "",
        )  # fmt: skip
        if chosen in by_id:
            delete_button(by_id[chosen], label="Delete this session")


def _summary(session: SessionView) -> str:
    return f"{session.persona_name}, {counted(len(session.turns), 'reply')}, {friendly_date(session.created_at)}"


draw()
