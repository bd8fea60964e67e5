"""Levels as bands of five with their anchor's words; the own rating beside them. Never a decimal, never a percentage."""

from __future__ import annotations

from simulator.outcomes import DimensionSummary
from ui.components.plain_text import html_text, shortened
from ui.texts import page_words

_LEVELS = range(1, 6)


def dimensions_html(dimensions: tuple[DimensionSummary, ...]) -> str:
    """All criteria, one row each."""
    return f'<div class="pr-dimensions">{"".join(_row(dimension) for dimension in dimensions)}</div>'


def _row(dimension: DimensionSummary) -> str:
    middle, right = (_band(dimension), _said(dimension)) if dimension.status == "scored" else (_no_level(dimension), _own(dimension))
    experimental = f'<p class="pr-muted">{html_text(page_words().debrief.experimental)}</p>' if dimension.experimental else ""
    return (
        f'<section class="pr-dimension"><h3 class="pr-h3">{html_text(dimension.label)}</h3>'
        f"<div>{middle}{_quotes(dimension)}</div><div>{right}{experimental}</div></section>"
    )


def _band(dimension: DimensionSummary) -> str:
    own = dimension.own_level
    said = f"Level {dimension.level} of 5." + (f" You rated {own}." if own else "")
    steps = "".join(f'<i class="{"pr-on" if level <= (dimension.level or 0) else ""}{" pr-own" if level == own else ""}"></i>' for level in _LEVELS)
    return f'<div class="pr-band" role="img" aria-label="{html_text(said)}">{steps}</div>'


def _said(dimension: DimensionSummary) -> str:
    spread = ""
    if dimension.low is not None and dimension.high is not None and dimension.low != dimension.high:
        spread = f" Most replies lay between {dimension.low} and {dimension.high}."
    return f"<p><strong>{dimension.level}</strong> – {html_text(dimension.anchor)}.{spread}</p>{_own(dimension)}"


def _own(dimension: DimensionSummary) -> str:
    return f'<p class="pr-own-said">You rated {dimension.own_level}.</p>' if dimension.own_level else ""


def _no_level(dimension: DimensionSummary) -> str:
    start = "Not in play" if dimension.status == "not_applicable" else "Not scored"
    ending = " This is normal." if dimension.status == "not_applicable" else ""
    reason = dimension.reason.strip().rstrip(".")
    return f'<p class="pr-muted">{start}: {html_text(reason)}.{ending}</p>'


def _quotes(dimension: DimensionSummary) -> str:
    """Where the level stands."""
    quotes = ((number, html_text(shortened(evidence.quote, limit=160))) for number, evidence in dimension.quotes)
    return "".join(f'<p class="pr-muted" dir="auto">Turn {number}: “{quote}”</p>' for number, quote in quotes)
