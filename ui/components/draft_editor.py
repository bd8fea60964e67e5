"""Words that were written and not sent: shown ready to change and send."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.replies import MAX_REPLY_CHARACTERS
from ui.components.page_frame import card, text
from ui.texts import page_words


def draft_editor(place: str, draft: str, *, send: Callable[[str], None], keep: Callable[[str], None]) -> None:
    """The draft in a text area; ``place`` names session and turn. A change is kept when the field is left; ``keep("")`` puts it aside."""
    field = f"draft-{place}"

    def send_now() -> None:
        send(str(st.session_state.get(field, draft)))

    def keep_change() -> None:
        keep(str(st.session_state.get(field, "")))

    with card("draft"):
        text(page_words().session.draft, style="pr-muted")
        words = st.text_area("Your words", value=draft, key=field, height=140, on_change=keep_change) or ""
        if len(words) > MAX_REPLY_CHARACTERS:
            text(f"{len(words):,} of at most {MAX_REPLY_CHARACTERS:,} characters.", style="pr-notice")
        with st.container(horizontal=True, gap="small"):
            st.button("Send", key="draft-send", type="primary", on_click=send_now)
            st.button("Put aside", key="draft-aside", on_click=keep, args=("",))
