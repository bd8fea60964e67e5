"""The trainee's own view, asked for before anything is shown (and never forced)."""

from __future__ import annotations

from typing import Any

import streamlit as st

from rubrics.schema import Criterion, Rubric
from simulator.views import SessionView
from ui.components.page_frame import card, heading
from ui.components.plain_text import label_text, shortened
from ui.texts import page_words

_NOT_IN_PLAY = 0
_LEVELS = (1, 2, 3, 4, 5)


def self_rating(view: SessionView, rubric: Rubric) -> dict[str, Any] | None:
    """The form. Returns the rating once it is given or skipped, as it is stored: levels by criterion, and the turn to have again."""
    words = page_words().debrief
    heading(words.rate_first, level=1, below=words.rate_why)
    with st.form("self-rating", border=False):
        levels = {}
        for criterion in rubric.criteria:
            with card(f"rate-{criterion.id}"):
                levels[criterion.id] = _ask(criterion)
        with card("rate-moment"):
            moment = _moment(view)
        with st.container(horizontal=True, gap="small"):
            given = st.form_submit_button("Show me the debrief", type="primary", key="rate-given")
            skipped = st.form_submit_button("Skip this time", key="rate-skipped")
    if not (given or skipped):
        return None
    chosen = {criterion: level for criterion, level in levels.items() if level} if given else {}
    return {"levels": chosen, "moment": moment if given else None, "skipped": bool(skipped)}


def _ask(criterion: Criterion) -> int | None:
    def words_of(level: int) -> str:
        if level == _NOT_IN_PLAY:
            return "It was not in play"
        anchor = criterion.anchors[level]
        return f"**{level}** {label_text(anchor.name)}: {label_text(anchor.words)}"

    heading(criterion.label, below=criterion.question)
    offered = [*(level for level in _LEVELS if level in criterion.anchors), _NOT_IN_PLAY]
    label = f"{label_text(criterion.label)}, your own view"
    return st.radio(label, offered, index=None, key=f"rate-{criterion.id}", format_func=words_of, label_visibility="collapsed")


def _moment(view: SessionView) -> int | None:
    replies = {turn.number: turn.therapist for turn in view.turns if turn.client is not None}
    heading("The moment I would like again")
    return st.selectbox(
        "The moment I would like again", list(replies), index=None, placeholder="None in particular", key="rate-moment",
        label_visibility="collapsed",
        format_func=lambda number: f"Turn {number}: “{shortened(replies[number], limit=70)}”" if number in replies else "",
    )  # fmt: skip
