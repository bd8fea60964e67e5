"""Scripted trainees against a client: how trust, openness and disclosure move, without a database and without a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import Field

from core.content import ContentModel, load_content
from core.transcript import Speaker, Transcript, last_client_text
from personas.schema import Persona
from personas.state import ClientState, draw, initial_state
from personas.voice import opening_line
from simulator.feedback import salient_word
from simulator.sessions import ClientEngine, Played, play_turn


class Trainees(ContentModel):
    """The scripted trainees."""

    version: int
    trainees: dict[str, tuple[str, ...]] = Field(min_length=1)


@cache
def trainees() -> Trainees:
    """The shipped scripts, read once."""
    return load_content(Path(__file__).with_name("trainees.yaml"), Trainees).value


@dataclass(frozen=True, slots=True)
class DryTurn:
    """One turn of a dry run."""

    number: int
    therapist: str
    played: Played


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """One scripted session."""

    trainee: str
    seed: int
    opening: str
    turns: tuple[DryTurn, ...]

    @property
    def end(self) -> ClientState:
        """The state after the last turn."""
        return self.turns[-1].played.state

    def tiers_told(self, persona: Persona) -> tuple[int, ...]:
        """How many facts of each tier were told whole."""
        return tuple(sum(1 for fact_id in self.end.told if persona.fact(fact_id).tier == tier) for tier in range(4))

    def deepest(self, persona: Persona) -> int:
        """The highest tier told; -1 when nothing was."""
        return max((persona.fact(fact_id).tier for fact_id in self.end.told), default=-1)


def dry_run(persona: Persona, trainee: str, lines: Sequence[str], *, turns: int, seed: int, engine: ClientEngine) -> DryRun:
    """Play one scripted trainee. Ends early when the client leaves."""
    state = initial_state(persona, seed=seed)
    opening = opening_line(persona, seed=seed)
    said = Transcript().then(Speaker.CLIENT, opening)
    played_turns: list[DryTurn] = []
    for number in range(1, turns + 1):
        words = _next_words(persona, state, lines, number, last_client_text(said.utterances), seed)
        played = play_turn(persona, state, said, words, engine=engine, seed=seed)
        played_turns.append(DryTurn(number, words, played))
        said = said.then(Speaker.THERAPIST, words).then(Speaker.CLIENT, played.reply.text, played.direction.marks)
        state = played.state
        if state.ended is not None:
            break
    return DryRun(trainee=trainee, seed=seed, opening=opening, turns=tuple(played_turns))


def _next_words(persona: Persona, state: ClientState, lines: Sequence[str], number: int, client: str, seed: int) -> str:
    """The next scripted line, its cue drawn from the lowest facts not told yet, as somebody who follows the client would come to them."""
    waiting = sorted((fact for fact in persona.facts if fact.id not in state.told), key=lambda f: (f.tier, f.id))[:4]
    chooser = draw(seed, number, "dry-run")
    cue = chooser.choice(chooser.choice(waiting).cues) if waiting else "What else is there?"
    question = cue[:1].upper() + cue[1:] + ("" if cue.endswith("?") else "?")
    return lines[(number - 1) % len(lines)].replace("{word}", salient_word(client) or "that").replace("{cue}", question)
