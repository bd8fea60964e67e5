"""The conversation's live region and memory for unsent words: the one place that needs its own script (nothing native serves)."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_SCRIPT = Path(__file__).with_suffix(".js")


@st.cache_resource(show_spinner=False)
def _component():  # type: ignore[no-untyped-def]  # Streamlit's renderer type is not public
    return st.components.v2.component(
        "practice_room_companion",
        html='<div class="pr-announcer" role="status" aria-live="polite"></div>',
        js=_SCRIPT.read_text(encoding="utf-8"),
        isolate_styles=False,
    )


def conversation_companion(*, session_id: str, turn: int, mark: str, announce: str = "", words: str = "") -> None:
    """Mount it. ``mark`` changes when a new row should come into view; ``announce`` is the id of a reply that has just come.

    ``turn`` is the turn being written: unsent words belong to it and are forgotten when it is over.
    """
    _component()(
        key="companion",
        data={"announce": announce, "words": words, "mark": mark, "slot": f"practice-room:{session_id}#{turn}"},
    )
