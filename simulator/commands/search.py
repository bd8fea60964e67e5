"""``search``: ask the guidance."""

from __future__ import annotations

import argparse
import json

from core.errors import InvalidInput
from retrieval.query import Query
from simulator.cli import DONE, say
from simulator.services import open_guidance_of
from simulator.settings import read_settings


def run(options: argparse.Namespace) -> int:
    """Print passages with ids, headings and the rank each channel gave them, or say that nothing supports the query."""
    if options.k < 1:
        raise InvalidInput("-k is the number of passages and must be at least 1.")
    if not options.query.strip():
        raise InvalidInput("There is nothing to search for. Write a few words.")
    guidance = open_guidance_of(read_settings())
    try:
        result = guidance.retriever.search(Query(options.query), k=options.k)
    finally:
        guidance.retriever.close()
    if options.json:
        hits = [
            {
                "rank": hit.rank,
                "passage": hit.passage.id,
                "document": hit.passage.document,
                "title": hit.passage.title,
                "heading": hit.passage.heading,
                "score": hit.score,
                "ranks": {channel.value: rank for channel, rank in hit.ranks.items()},
                "text": hit.passage.text,
            }
            for hit in result.hits
        ]
        print(json.dumps({"query": options.query, "abstained": result.abstained, "reason": result.reason, "passages": hits}, ensure_ascii=False))
        return DONE
    if result.abstained:
        say(result.reason)
    for hit in result.hits:
        ranks = ", ".join(f"{channel.value} {rank}" for channel, rank in hit.ranks.items())
        print(f"{hit.rank}. {hit.passage.title} - {hit.passage.heading}  [{hit.passage.id}; {ranks}]\n{hit.passage.text}\n")
    return DONE
