"""Help: what this is, what it is not, and where to turn in a crisis."""

from __future__ import annotations

import streamlit as st

from ui.components.page_frame import card, heading, page_top, text
from ui.components.plain_text import html_text
from ui.texts import CountryLines, crisis_resources, page_words


def draw() -> None:
    """The whole page."""
    resources, words = crisis_resources(), page_words().help
    page_top()
    heading("Help and crisis resources", level=1)
    with card("crisis-intro"):
        heading("If it is about you, now")
        text(resources.intro)
        text(resources.emergency)
    heading("Crisis lines by country", below=f"Numbers change: please check locally. Status of this list: {resources.checked}.")
    with card("crisis-lines"):
        st.html("".join(_country(country) for country in resources.countries))
    with card("afterwards"):
        heading("After a hard session")
        text(resources.afterwards)
    with card("about"):
        heading("About Practice Room")
        for paragraph in (words.what, words.limits, words.private):
            text(paragraph)


def _country(country: CountryLines) -> str:
    lines = "".join(
        f"<li><strong>{html_text(line.contact)}</strong> {html_text(line.name)}"
        + (f' <span class="pr-muted">{html_text(line.note)}</span>' if line.note else "")
        + "</li>"
        for line in country.lines
    )
    return f'<section class="pr-country"><h3 class="pr-h3">{html_text(country.country)}</h3><ul>{lines}</ul></section>'


draw()
