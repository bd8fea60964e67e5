"""What is asked of the guidance, and how a question is made from a scored reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.skills import SkillCatalogue, skill_catalogue
from retrieval.documents import Dimension
from retrieval.settings import QuerySettings, retrieval_settings


@dataclass(frozen=True, slots=True)
class Query:
    """Words to search for. The tags lift passages that carry them too; they hide nothing unless ``strict_dimensions``."""

    text: str
    dimensions: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    situations: tuple[str, ...] = ()
    strict_dimensions: bool = False


def compose_query(
    *, skills: Sequence[str], criterion: str, client_text: str, reply_quote: str, situations: Sequence[str] = (),
    catalogue: SkillCatalogue | None = None, settings: QuerySettings | None = None,
) -> Query:  # fmt: skip
    """A query about what a reply did, not about its words alone.

    ``skills`` are codes, most important first; their labels and definitions lead the text, then the criterion, then the end
    of what the client had said and the start of the quoted reply. Codes that are not in the catalogue are left out.
    """
    catalogue = skill_catalogue() if catalogue is None else catalogue
    settings = retrieval_settings().query if settings is None else settings
    known = tuple(dict.fromkeys(code for code in skills if code in catalogue.codes))[: settings.skills]
    seen = [catalogue.get(code) for code in known]
    client = client_text.split()
    parts = [f"{skill.label}. {skill.definition}" for skill in seen]
    parts.append(criterion.replace("_", " "))
    parts.append(" ".join(client[max(0, len(client) - settings.client_words) :]))
    parts.append(" ".join(reply_quote.split()[: settings.reply_words]))
    dimensions = (criterion,) if criterion in set(Dimension) else ()
    text = "\n".join(part for part in parts if part)
    return Query(text, dimensions=dimensions, skills=known, situations=tuple(dict.fromkeys(situations)))
