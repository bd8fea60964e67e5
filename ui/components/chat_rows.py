"""The conversation as rows. Words are plain text; a reply that has just come appears word by word.

The rhythm is drawn by the browser (style.css, ``pr-word``): the whole reply is in the page at once, nothing waits on the server, a
reload or a second run shows it complete, and ``prefers-reduced-motion`` turns it off.
"""

from __future__ import annotations

import re

import streamlit as st

from ui.components.plain_text import html_text

TYPING_SECONDS = 0.7
REVEAL_SECONDS = 1.7
"""Longest time the words take to appear after the typing state: 2.4 s together."""
_SLOWEST_STEP = 0.11


def client_row(name: str, words: str, *, turn: int, arriving: bool = False, newest: bool = False) -> None:
    """What the client said."""
    shown = _arriving(words) if arriving else html_text(words)
    dots = '<span class="pr-dots pr-dots-passing" aria-hidden="true"><i></i><i></i><i></i></span>' if arriving else ""
    marks = " pr-newest" if newest else ""
    st.html(
        f'<div class="pr-row pr-client{marks}" role="group" aria-label="{html_text(_spoke(name, turn))}">'
        f'<span class="pr-face" aria-hidden="true">{html_text(name[:1])}</span>'
        f'<div class="pr-words" dir="auto">{dots}{shown}</div></div>'
    )


def trainee_row(words: str, *, turn: int, newest: bool = False) -> None:
    """What the trainee wrote."""
    marks = " pr-newest" if newest else ""
    st.html(
        f'<div class="pr-row pr-trainee{marks}" role="group" aria-label="{html_text(_spoke("You", turn))}">'
        f'<span class="pr-face" aria-hidden="true">You</span>'
        f'<div class="pr-words" dir="auto">{html_text(words)}</div></div>'
    )


def typing_row(name: str) -> None:
    """The client has not answered yet."""
    st.html(
        '<div class="pr-row pr-client pr-newest pr-typing" aria-hidden="true">'
        f'<span class="pr-face">{html_text(name[:1])}</span>'
        '<div class="pr-words"><span class="pr-dots"><i></i><i></i><i></i></span></div></div>'
    )


def _spoke(name: str, turn: int) -> str:
    return f"{name} said, turn {turn}" if turn else f"{name} said, at the start"


def _arriving(words: str) -> str:
    """Each word with its moment, in seconds after the reply is drawn."""
    pieces = re.findall(r"\S+|\s+", words)
    count = sum(1 for piece in pieces if not piece.isspace())
    step = min(_SLOWEST_STEP, REVEAL_SECONDS / max(count, 1))
    shown, at = [], TYPING_SECONDS
    for piece in pieces:
        if piece.isspace():
            shown.append(html_text(piece))
            continue
        shown.append(f'<span class="pr-word" style="animation-delay:{at:.2f}s">{html_text(piece)}</span>')
        at += step
    return "".join(shown)
