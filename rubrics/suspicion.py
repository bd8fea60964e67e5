"""Words in a reply that speak to a program and not to the client. They are never evidence and never reach a model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from core.appraisal import Appraiser
from core.evidence import Evidence
from core.transcript import Utterance
from rubrics.scores import HarmFlag

SUSPECTED_INSTRUCTION = "suspected_instruction"
LEFT_OUT = "[...]"

_LABEL = "Words that speak to the program"
_SENTENCE = re.compile(r"[^\s.!?\n](?:[^.!?\n]|[.!?](?!\s|$))*[.!?]*")
_NEIGHBOURS = 3
"""An instruction that shows in no single sentence is looked for in runs of up to so many."""


def instruction_spans(
    appraiser: Appraiser, context: Sequence[Utterance], reply: str, *, suspected: float | None = None
) -> tuple[Evidence, ...]:
    """The sentences of ``reply`` that the appraiser finds instruction-like, in order; empty when there are none.

    ``suspected`` is the whole reply's measure when it is known already. When no shorter run explains the suspicion, the span is the
    whole reply: better to score nothing than to let an instruction through.
    """
    if not (suspected if suspected is not None else _suspicion(appraiser, context, reply)):
        return ()
    sentences = [(found.start(), found.end()) for found in _SENTENCE.finditer(reply)]
    for length in range(1, min(_NEIGHBOURS, len(sentences)) + 1):
        runs = [(sentences[first][0], sentences[first + length - 1][1]) for first in range(len(sentences) - length + 1)]
        found = [run for run in runs if _suspicion(appraiser, context, reply[run[0] : run[1]])]
        if found:
            return tuple(Evidence(quote=reply[start:end], start=start, end=end) for start, end in _joined(found))
    return (Evidence(quote=reply, start=0, end=len(reply)),)


def suspicion_flag(spans: Sequence[Evidence]) -> HarmFlag:
    """The flag that sends the reply to a person. It caps no criterion."""
    return HarmFlag(id=SUSPECTED_INSTRUCTION, label=_LABEL, criterion="", evidence=spans[0])


def touches(quote: Evidence, spans: Sequence[Evidence]) -> bool:
    """Whether ``quote`` shares a character with one of ``spans`` of the same text."""
    return any(quote.start < span.end and span.start < quote.end for span in spans)


def without(reply: str, spans: Sequence[Evidence]) -> str:
    """``reply`` with each span (in order, apart from each other) replaced by a mark that something was left out."""
    kept: list[str] = []
    position = 0
    for span in spans:
        kept += [reply[position : span.start], LEFT_OUT]
        position = span.end
    return "".join([*kept, reply[position:]])


def _suspicion(appraiser: Appraiser, context: Sequence[Utterance], text: str) -> float:
    return appraiser.appraise(context, text).signals.get("instruction_like", 0.0)


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start, end = spans[0]
    for next_start, next_end in spans[1:]:
        if next_start > end:
            yield start, end
            start = next_start
        end = max(end, next_end)
    yield start, end
