"""The three moments of a session: a strip of what was said, a sentence, and the reasons behind a click."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from simulator.outcomes import Moment
from simulator.views import SessionView
from ui.components.coach_line import feedback_html
from ui.components.page_frame import text
from ui.components.plain_text import html_text, shortened
from ui.texts import page_words

TITLES = {"best": "Best", "costliest": "Costly", "missed_opening": "Missed opening"}
_STRIP = 180


def three_moments(view: SessionView, moments: tuple[Moment, ...], *, again: Callable[[int], None]) -> None:
    """Cards side by side; ``again`` opens a new try from a turn."""
    if not moments:
        text(page_words().debrief.no_moments, style="pr-muted")
        return
    replies = {turn.number: turn.therapist for turn in view.turns}
    for column, moment in zip(st.columns(3, gap="medium"), moments, strict=False):
        with column, st.container(key=f"card-moment-{moment.kind}"):
            reply = replies.get(moment.turn, "")
            st.html(_strip(view.persona_name, moment, reply))
            if moment.feedback is not None:
                with st.expander("Open: why, and other ways", key=f"moment-{moment.kind}"):
                    st.html(feedback_html(moment.feedback, reply))
            st.button(f"Try again from turn {moment.turn}", key=f"again-moment-{moment.kind}", on_click=again, args=(moment.turn,))


def _strip(name: str, moment: Moment, reply: str) -> str:
    wrote = moment.quote.quote if moment.quote is not None and moment.quote.holds_in(reply) else reply
    said = [(name, moment.before), ("You", wrote), (name, moment.after)]
    lines = "".join(
        f'<p class="pr-strip" dir="auto"><span class="pr-who">{html_text(who)}</span> {html_text(shortened(words, limit=_STRIP))}</p>'
        for who, words in said
        if words.strip()
    )
    title = f'<h3 class="pr-h3">{TITLES[moment.kind]} – turn {moment.turn}</h3>'
    return f'{title}{lines}<p class="pr-moment-words">{html_text(moment.words)}</p>'
