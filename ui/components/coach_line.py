"""What the coach says about one reply: a line under it, and the reasons behind a click."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.evidence import Evidence
from retrieval.citations import Citation
from simulator.outcomes import Feedback
from simulator.views import TurnView
from ui.components.plain_text import html_text, label_text
from ui.texts import page_words

KIND_WORDS = {"worked": "Worked", "cost": "Cost", "flag": "Flag", "quiet": "Note"}
CONFIDENCE_WORDS = {
    "low": "The coach is not very sure of this one.",
    "medium": "The coach is fairly sure.",
    "high": "The coach is sure.",
}
_LONG = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class CoachActions:
    """What the buttons do; ``take_back`` is None where a reply can no longer be taken back."""

    disagree: Callable[[str, str], None]
    take_back: Callable[[], None] | None = None


def coach_line(turn: TurnView, feedback: Feedback, actions: CoachActions, *, appears_late: bool = False) -> None:
    """The line under one reply. ``appears_late``: the client's words are just coming, and come first."""
    key = f"coach-{feedback.kind}-{turn.id}"
    if appears_late:
        st.html(f"<style>@media (prefers-reduced-motion: no-preference) {{ .st-key-{key} {{ animation: pr-appear .4s 2.2s both; }} }}</style>")
    with st.container(key=key):
        if feedback.kind == "quiet":
            st.html(f'<p class="pr-coach-quiet">{html_text(feedback.headline)}</p>')
            return
        with st.expander(f"**{KIND_WORDS[feedback.kind]}** {label_text(feedback.headline)}", key=f"open-{turn.id}"):
            st.html(feedback_html(feedback, turn.therapist))
            with st.container(key=f"coach-actions-{turn.id}", horizontal=True, gap="small"):
                if actions.take_back is not None:
                    st.button("Take that back and try again", key=f"back-{turn.id}", on_click=actions.take_back)
                st.button("I see it differently", key=f"differ-{turn.id}", on_click=_toggle, args=(turn.id,))
            _disagreement(turn, actions)


def _toggle(turn_id: str) -> None:
    key = f"differing-{turn_id}"
    st.session_state[key] = "" if st.session_state.get(key) == "open" else "open"


def _disagreement(turn: TurnView, actions: CoachActions) -> None:
    state = st.session_state.get(f"differing-{turn.id}", "")
    words = page_words().session
    if state == "kept":
        st.html(f'<p class="pr-muted" role="note">{html_text(words.disagreed)}</p>')
    if state != "open":
        return
    field = f"differ-words-{turn.id}"

    def keep() -> None:
        said = str(st.session_state.get(field, "")).strip()
        if said:
            actions.disagree(turn.id, said)
            st.session_state[f"differing-{turn.id}"] = "kept"

    st.text_area("How do you see it?", key=field, help=words.disagree, max_chars=4000, height=100)
    st.button("Keep my view", key=f"differ-keep-{turn.id}", on_click=keep)


def feedback_html(feedback: Feedback, reply: str) -> str:
    """The reasons, as HTML in which every word of a person or of the guidance is plain text."""
    parts = [quoted_html(feedback.quote, reply)]
    did = " ".join(part for part in (feedback.effect,) if part)
    for title, words in (("What it did", did), ("What worked", feedback.worked), ("One cost", feedback.cost), ("Try", feedback.try_this)):
        if words and words != feedback.headline:
            parts.append(f"<h4>{title}</h4><p>{html_text(words)}</p>")
    if feedback.alternatives:
        ways = "".join(f'<li dir="auto">“{html_text(other)}”</li>' for other in feedback.alternatives)
        parts.append(f"<h4>{'Two other ways' if len(feedback.alternatives) == 2 else 'Other ways'}</h4><ul>{ways}</ul>")
    if feedback.why or feedback.citation is not None or feedback.why_no_citation:
        why = f"<p>{html_text(feedback.why)}</p>" if feedback.why else ""
        parts.append(f"<h4>Why</h4>{why}{citation_html(feedback.citation, feedback.why_no_citation)}")
    if feedback.confidence is not None:
        parts.append(f'<p class="pr-muted">{CONFIDENCE_WORDS[feedback.confidence]}</p>')
    return f'<div class="pr-reasons">{"".join(parts)}</div>'


def quoted_html(quote: Evidence | None, reply: str) -> str:
    """The reply with the quoted words marked; only the quotation when the reply is long; nothing when it does not stand there."""
    if quote is None or not quote.holds_in(reply):
        return ""
    marked = f"<mark>{html_text(quote.quote)}</mark>"
    if len(reply) <= _LONG:
        marked = html_text(reply[: quote.start]) + marked + html_text(reply[quote.end :])
    return f'<p class="pr-quoted" dir="auto"><span class="pr-muted">You wrote</span> {marked}</p>'


def citation_html(citation: Citation | None, why_not: str = "") -> str:
    """The sentence of the guidance and where it stands, or why there is none."""
    if citation is None:
        return f'<p class="pr-muted">{html_text(why_not)}</p>' if why_not else ""
    place = " – ".join(dict.fromkeys(part for part in (citation.title, citation.heading) if part))
    return (
        f'<figure class="pr-cite"><blockquote>{html_text(citation.quote)}</blockquote><figcaption>Guidance: {html_text(place)}</figcaption></figure>'
    )
