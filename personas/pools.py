"""Groups of a persona's own lines by name, as a direction names them, and the short id by which a spoken line is remembered."""

from __future__ import annotations

import hashlib

from personas.schema import Lines, Persona


def line_id(line: str) -> str:
    """Short stable id of an authored line."""
    return hashlib.sha256(line.encode()).hexdigest()[:10]


def pool_lines(persona: Persona, pool: str) -> Lines:
    """The persona's lines of one pool; ``KeyError`` for a pool that does not exist."""
    if pool == "edge":
        return persona.edge
    if pool == "openings":
        return persona.openings
    if pool == "resistance.any":
        return tuple(line for pattern in persona.resistance.mix for line in persona.resistance.lines[pattern])
    kind, _, rest = pool.partition(":")
    if kind == "talk":
        return next((talk.lines for talk in persona.talk if talk.id == rest), ())
    if kind == "fact":
        fact_id, _, part = rest.partition(".")
        return persona.fact(fact_id).told if part == "told" else persona.fact(fact_id).half
    if kind == "pull":
        pull_id, _, part = rest.partition(".")
        lines: Lines = getattr(next(p for p in persona.pulls if p.id == pull_id), part)
        return lines
    group, _, name = pool.partition(".")
    if group == "reactions":
        lines = getattr(persona.reactions, name)
        return lines
    if group == "deflections":
        return next((lines for kind_, lines in persona.deflections.items() if kind_ == name), ())
    if group == "resistance":
        return next((lines for pattern, lines in persona.resistance.lines.items() if pattern.value == name), ())
    if group == "rupture":
        lines = getattr(persona.rupture, name)
        return lines
    if group == "endings":
        lines = getattr(persona.endings, name).lines
        return lines
    raise KeyError(pool)
