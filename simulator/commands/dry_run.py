"""``dry-run``: scripted trainees against a client, as a table or JSON."""

from __future__ import annotations

import argparse
import json
from statistics import mean

from core.errors import InvalidInput
from personas.schema import Persona
from personas.state import state_to_json
from simulator.cli import DONE
from simulator.dry_run import DryRun, dry_run, trainees
from simulator.services import open_services
from simulator.settings import read_settings


def run(options: argparse.Namespace) -> int:
    """All scripts, seeds 1 to N."""
    if options.turns < 1 or options.seeds < 1:
        raise InvalidInput("--turns and --seeds are numbers of at least 1.")
    with open_services(read_settings()) as services:
        persona = services.library.get(options.persona)
        engine = services.engine("embedded")
        runs = [
            dry_run(persona, name, lines, turns=options.turns, seed=seed, engine=engine)
            for name, lines in trainees().trainees.items()
            for seed in range(1, options.seeds + 1)
        ]
        if options.json:
            for one in runs:
                print(json.dumps(_record(one), ensure_ascii=False))
            return DONE
        print(f"{persona.name}: {options.turns} turns, seeds 1-{options.seeds} (means)")
        print(f"{'trainee':10} {'trust':>6} {'told by tier 0/1/2/3':>22} {'deepest':>8} {'held back':>10} {'ruptures':>9} {'left':>5}")
        for name in trainees().trainees:
            _row(name, [one for one in runs if one.trainee == name], persona)
    return DONE


def _row(name: str, runs: list[DryRun], persona: Persona) -> None:
    tiers = [mean(one.tiers_told(persona)[tier] for one in runs) for tier in range(4)]
    told = "/".join(f"{value:.1f}" for value in tiers)
    held = mean(one.end.holding_back is not None for one in runs)
    ruptured = mean(any(turn.played.state.rupture is not None for turn in one.turns) for one in runs)
    left = mean(one.end.ended is not None for one in runs)
    deepest = mean(one.deepest(persona) for one in runs)
    print(f"{name:10} {mean(one.end.trust for one in runs):6.1f} {told:>22} {deepest:8.1f} {held:10.0%} {ruptured:9.0%} {left:5.0%}")


def _record(one: DryRun) -> dict[str, object]:
    turns = []
    for turn in one.turns:
        state = state_to_json(turn.played.state)
        turns.append(
            {
                "turn": turn.number,
                "trainee": turn.therapist,
                "client": turn.played.reply.text,
                "move": turn.played.direction.move.value,
                "trust": state["trust"],
                "openness": state["openness"],
                "told": state["told"],
            }
        )
    return {"trainee": one.trainee, "seed": one.seed, "opening": one.opening, "turns": turns}
