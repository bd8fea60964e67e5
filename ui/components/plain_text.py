"""Words of people drawn as what they are: plain text. Stored text is never changed; it is escaped here, at the moment of drawing.

Two ways, because Streamlit draws in two ways: ``html_text`` for our own HTML, ``label_text`` for labels that Streamlit reads as Markdown.
"""

from __future__ import annotations

import html
import re

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_WORD_JOINER = "\u2060"


def html_text(text: str) -> str:
    """``text`` for use inside an HTML element or a quoted attribute: every character means itself; line ends stay (drawn by CSS)."""
    return html.escape(text, quote=True)


def label_text(text: str, *, limit: int = 300) -> str:
    """``text`` as one line of Markdown in which every character means itself, cut at ``limit`` characters.

    Backslashes stop Markdown, HTML, LaTeX and colour directives. Emoji names such as ``:smile:`` are replaced after Markdown was
    read, so a colon gets an invisible joiner behind it that no name can contain.
    """
    line = " ".join(text.split())
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return _PUNCTUATION.sub(r"\\\1", line).replace("\\:", "\\:" + _WORD_JOINER)


def shortened(text: str, *, limit: int) -> str:
    """``text`` on one line, cut between words at ``limit`` characters."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    return line[:limit].rsplit(" ", 1)[0].rstrip(" ,;:.") + " …"
