"""When something did not work: what happened, that the words are safe, and what to do. No stack traces, no blame."""

from __future__ import annotations

import streamlit as st

from ui.components.plain_text import html_text
from ui.navigation import HOME


def trouble(message: str, *, words_are_kept: str = "") -> None:
    """One card with the message; ``words_are_kept`` is said only where it is true and not in the message already."""
    lines = [message]
    if words_are_kept and "kept" not in message and "saved" not in message:
        lines.append(words_are_kept)
    body = "".join(f"<p>{html_text(line)}</p>" for line in lines)
    st.html(f'<div class="pr-trouble" role="alert"><strong>That did not work</strong>{body}</div>')


def nothing_here(message: str) -> None:
    """A page without its subject: say so, and show the way home."""
    st.html(f'<div class="pr-trouble" role="note"><strong>Nothing to show here</strong><p>{html_text(message)}</p></div>')
    st.page_link(HOME, label="Back to home")
