"""What moved between trainee and client: three lines over the turns, and the same as a table."""

from __future__ import annotations

import altair as alt
import streamlit as st

from simulator.outcomes import ThreadPoint
from ui.components.plain_text import html_text

_SERIES = ("trust", "openness", "tension")
_TOP = 10
_NAME_HEIGHT = 0.8
_OPENNESS_TO_TEN = 2  # openness is 0-5; drawn on the same height as the others


def thread_chart(points: tuple[ThreadPoint, ...]) -> None:
    """The chart with its table behind a click. Lines differ by dash and by name at their end, not by colour alone."""
    last = max((p.turn for p in points), default=0)
    rows = [
        {"turn": p.turn, "what": what, "height": value, "note": p.note or "-"}
        for p in points
        for what, value in (("trust", p.trust), ("openness", p.openness * _OPENNESS_TO_TEN), ("tension", p.tension))
    ]
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "turn:Q", title="turn", axis=alt.Axis(values=list(range(last + 1)), format="d", grid=False),
            scale=alt.Scale(domain=[0, last + max(1, last * 0.12)], nice=False),
        ),
        y=alt.Y(
            "height:Q", title=None, scale=alt.Scale(domain=[0, _TOP]),
            axis=alt.Axis(values=[0, 5, 10], labelExpr="datum.value === 0 ? 'low' : datum.value === 10 ? 'high' : 'middle'"),
        ),
        color=alt.Color("what:N", sort=list(_SERIES), legend=None, scale=alt.Scale(domain=list(_SERIES))),
    )  # fmt: skip
    lines = base.mark_line(strokeWidth=2.5).encode(
        strokeDash=alt.StrokeDash("what:N", scale=alt.Scale(domain=list(_SERIES), range=[[1, 0], [7, 4], [2, 3]]), legend=None)
    )
    tooltip = [alt.Tooltip("turn:Q", format="d"), alt.Tooltip("what:N"), alt.Tooltip("note:N")]
    dots = base.mark_point(size=60, filled=True, opacity=1).encode(tooltip=tooltip)
    ends = _apart([row for row in rows if row["turn"] == last])
    names = (
        alt.Chart({"values": ends})
        .mark_text(align="left", dx=9, fontSize=13)
        .encode(x="turn:Q", y="height:Q", text="what:N", color=base.encoding.color)
    )
    st.altair_chart((lines + dots + names).properties(height=230, background="transparent"), alt=_spoken(points))
    with st.expander("The same as a table", key="thread-table"):
        st.html(_table(points))


def _apart(ends: list[dict[str, object]]) -> list[dict[str, object]]:
    """The names' places at the lines' ends, moved up where two would overlap."""
    placed: list[dict[str, object]] = []
    floor = -1.0
    for end in sorted(ends, key=lambda row: float(str(row["height"]))):
        height = max(float(str(end["height"])), floor)
        placed.append({**end, "height": height})
        floor = height + _NAME_HEIGHT
    return placed


def in_words(value: float) -> str:
    """A height of 0-10 in words."""
    return ("very low", "low", "middling", "high", "very high")[min(4, int(max(value, 0.0) // 2))]


def _spoken(points: tuple[ThreadPoint, ...]) -> str:
    if not points:
        return "No turns."
    first, last = points[0], points[-1]
    return (
        f"Trust went from {in_words(first.trust)} to {in_words(last.trust)}, "
        f"openness from {in_words(first.openness * _OPENNESS_TO_TEN)} to {in_words(last.openness * _OPENNESS_TO_TEN)}, "
        f"tension from {in_words(first.tension)} to {in_words(last.tension)}. The table below has every turn."
    )


def _table(points: tuple[ThreadPoint, ...]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{point.turn or "start"}</th><td>{in_words(point.trust)}</td>'
        f"<td>{in_words(point.openness * _OPENNESS_TO_TEN)}</td><td>{in_words(point.tension)}</td><td>{html_text(point.note)}</td></tr>"
        for point in points
    )
    return (
        '<table class="pr-table"><thead><tr><th scope="col">Turn</th><th scope="col">Trust</th><th scope="col">Openness</th>'
        f'<th scope="col">Tension</th><th scope="col">What moved it most</th></tr></thead><tbody>{rows}</tbody></table>'
    )
