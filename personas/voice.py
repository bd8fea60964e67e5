"""How a client's words are found. A voice renders a Direction; what it may know is decided before it is asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from core.transcript import Utterance
from personas.checks import Finding, check_reply
from personas.direction import Direction
from personas.gates import locked_facts
from personas.pools import line_id, pool_lines
from personas.schema import Persona
from personas.state import ClientState, draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """Everything a voice is given for one turn."""

    persona: Persona
    state: ClientState
    direction: Direction
    context: tuple[Utterance, ...]
    seed: int
    session_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientReply:
    """The client's words and how they came about.

    ``voice`` is ``authored``, ``model`` or ``authored_after_model``. ``used`` are ids of authored lines; ``rejected`` the findings of
    each draft that was thrown away, in order; ``setback`` says for the record why a model was replaced.
    """

    text: str
    voice: str
    used: tuple[str, ...] = ()
    rejected: tuple[tuple[Finding, ...], ...] = ()
    setback: str | None = None


class Voice(Protocol):
    """Renders a direction into words."""

    def speak(self, cue: Cue) -> ClientReply:
        """The client's reply; always says something, never raises for a failing model."""
        ...


_LAST_RESORT = (
    "deflections.tired",
    "deflections.guarded",
    "deflections.unsure",
    "deflections.joking",
    "resistance.any",
    "reactions.half_met",
)
_SILENCES = ("...", "Mm.", "...mm.", "Yeah.", "I don't know.", "Dunno.")


class AuthoredVoice:
    """Speaks only the persona's own lines: never one twice in a session, never the same opening word twice in a row."""

    def speak(self, cue: Cue) -> ClientReply:
        """Pick a line of the direction's pools; at the edge of its lines, deflect in character; at the very end, say next to nothing."""
        locked = locked_facts(cue.persona, cue.state, unlocked_now=cue.direction.unlocked)
        pools = (*cue.direction.pools, *_LAST_RESORT)
        for pool in pools:
            line = self._pick(
                cue,
                pool,
                cue.direction.target_words,
                locked_out=lambda text: bool(check_reply(text, cue.persona, locked=locked, longest=200)),
            )
            if line is not None:
                lead_in = self._lead_in(cue, line, pool)
                text = f"{lead_in} {line}" if lead_in else line
                return ClientReply(text=text, voice="authored", used=tuple(line_id(part) for part in (lead_in, line) if part))
        quiet = draw(cue.seed, cue.state.turn, "quiet").choice(_SILENCES[:3] if cue.state.rupture else _SILENCES)
        return ClientReply(text=quiet, voice="authored")

    def _lead_in(self, cue: Cue, line: str, pool: str) -> str | None:
        """A short reaction before the main line, when the direction asks for one and the main pool itself was not replaced."""
        if cue.direction.lead_in is None or pool != cue.direction.pools[0]:
            return None
        short = [
            text for text in pool_lines(cue.persona, cue.direction.lead_in)
            if len(text.split()) <= 3 and line_id(text) not in cue.state.used_lines and _first_word(text) != _first_word(line)
        ]  # fmt: skip
        return draw(cue.seed, cue.state.turn, "lead-in").choice(short) if short else None

    def _pick(self, cue: Cue, pool: str, target_words: int, locked_out: _Rejects) -> str | None:
        before = next((u.text for u in reversed(cue.context) if u.speaker == "client"), "")
        fresh = [line for line in pool_lines(cue.persona, pool) if line_id(line) not in cue.state.used_lines and not locked_out(line)]
        varied = [line for line in fresh if _first_word(line) != _first_word(before)] or fresh
        if not varied:
            return None
        weights = [math.exp(-abs(len(line.split()) - target_words) / 5) + 0.02 for line in varied]
        return draw(cue.seed, cue.state.turn, f"line-{pool}").choices(varied, weights)[0]


class _Rejects(Protocol):
    def __call__(self, text: str) -> bool: ...


def _first_word(line: str) -> str:
    words = line.lower().lstrip(".… ").split()
    return words[0].strip(".,!?") if words else ""


def opening_line(persona: Persona, *, seed: int) -> str:
    """What the client says when the session opens."""
    return draw(seed, 0, "opening").choice(persona.openings)
