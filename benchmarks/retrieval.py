"""Guidance search: time per query, start-up, index build, and how good it is on the gold queries.

    python -m benchmarks.retrieval [--folder corpus] [--verbose]

Prints figures; asserts nothing. Every timed query is new to the embedding model, so that none is answered from its memory.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if not __package__:  # run by its path: this folder would hide the package of the same name
    sys.path[0] = str(ROOT)

from core.skills import Polarity, skill_catalogue  # noqa: E402
from language_models.base import EmbeddingModel  # noqa: E402
from language_models.embeddings import load_embedding_model  # noqa: E402
from language_models.tokens import OfflineTokenCounter  # noqa: E402
from retrieval.citations import cite, verify_citation  # noqa: E402
from retrieval.evaluation import GoldQuery, evaluate, load_gold, support_figures  # noqa: E402
from retrieval.opening import Guidance, open_guidance  # noqa: E402
from retrieval.query import Query, compose_query  # noqa: E402

ROUNDS = 8


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "corpus")
    parser.add_argument("--verbose", action="store_true", help="list every gold query with its figures")
    parser.add_argument("--start", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.start:
        time_start(options.folder, options.start)
        return
    choice = load_embedding_model()
    print(f"embedding model: {choice.model.fingerprint if choice.model else choice.reason}")
    with tempfile.TemporaryDirectory() as place:
        guidance = timed("index build", lambda: opened(options.folder, Path(place), choice.model))
        guidance.retriever.close()
        for run in ("first", "second"):
            arguments = ["--folder", str(options.folder), "--start", place]
            answer = subprocess.run(
                [sys.executable, "-m", "benchmarks.retrieval", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
            )
            print(f"{run} start with a built index, in a new process: {answer.stdout.strip()}")
        guidance = opened(options.folder, Path(place), choice.model)
        report(guidance, options.folder / "gold_queries.yaml", verbose=options.verbose)
        guidance.retriever.close()
    print(f"greatest memory of this process: {memory()} MB")


def opened(folder: Path, place: Path, embedding: EmbeddingModel | None) -> Guidance:
    """The guidance with its index below ``place``."""
    return open_guidance(folder, tokens=OfflineTokenCounter(place / "tokens"), embedding=embedding, index_folder=place / "index")


def time_start(folder: Path, place: Path) -> None:
    """What a new process pays: imports are counted by the parent's clock, so only opening and the first search are here."""
    begin = time.perf_counter()
    guidance = opened(folder, place, load_embedding_model().model)
    ready = time.perf_counter()
    guidance.retriever.search(Query("a first question about silence"))
    first = time.perf_counter()
    print(f"open {ready - begin:.2f} s, first search {first - ready:.2f} s, index {guidance.retriever.index_kind}, {memory()} MB")
    guidance.retriever.close()


def report(guidance: Guidance, gold_path: Path, *, verbose: bool) -> None:
    """Time per query and quality."""
    retriever = guidance.retriever
    gold = load_gold(gold_path, guidance.corpus)
    sizes = sorted(passage.tokens for passage in retriever.passages.values())
    print(
        f"{len(guidance.corpus.documents)} documents, {len(sizes)} passages of {sizes[0]} to {sizes[-1]} tokens; {'; '.join(retriever.notes)}"
    )
    short = [Query(f"{item.query} (case {turn})") for turn in range(ROUNDS) for item in gold]
    durations("gold queries, embedding included", short, lambda query: retriever.search(query))
    long = composed_queries()
    durations("queries made from scored replies, embedding included", long, lambda query: retriever.search(query))
    print(evaluate(retriever, gold).table())
    show_composed(guidance)
    show_citations(guidance, gold)
    if verbose:
        for item, ranking in support_figures(retriever, gold):
            figures = f"cosine {ranking.best_cosine or 0:.3f} strength {ranking.best_strength:.3f}"
            documents = ", ".join(hit.passage.document for hit in ranking.hits)
            print(f"{item.kind:14} {item.id} {figures} {item.query[:60]!r}: {documents}")


def composed_queries() -> list[Query]:
    """One query per example in the skill catalogue, as a scored reply would make it."""
    return [
        compose_query(skills=(skill.code,), criterion="empathy", client_text="I don't know, it has been hard lately.", reply_quote=example)
        for skill in skill_catalogue().skills
        for example in (*skill.examples, *skill.counter_examples)
    ]


def show_composed(guidance: Guidance) -> None:
    """How often a costing or harming skill that some document speaks about brings such a document up."""
    tagged = {code for passage in guidance.retriever.passages.values() for code in passage.skills}
    first = top = total = 0
    for skill in skill_catalogue().skills:
        if skill.polarity not in (Polarity.COSTS, Polarity.HARMS) or skill.code not in tagged:
            continue
        for example in skill.examples:
            query = compose_query(skills=(skill.code,), criterion="empathy", client_text="", reply_quote=example)
            found = [skill.code in hit.passage.skills for hit in guidance.retriever.search(query).hits]
            total, first, top = total + 1, first + bool(found and found[0]), top + any(found)
    print(f"queries from examples of costing skills: tagged document first in {first} of {total}, among five in {top}")


def show_citations(guidance: Guidance, gold: Sequence[GoldQuery]) -> None:
    """Every hit of every gold query is cited and the citation verified."""
    made = none = failed = 0
    for item in gold:
        for hit in guidance.retriever.search(Query(item.query)).hits:
            citation = cite(hit.passage, item.query)
            if citation is None:
                none += 1
            else:
                made += 1
                failed += not verify_citation(citation, guidance.retriever.passages)
    print(f"citations: {made} made, {none} passages without a quotable sentence, {failed} failed verification")


def durations(name: str, queries: Sequence[Query], search: Callable[[Query], object]) -> None:
    """Warm time per query in milliseconds."""
    for query in queries[:5]:
        search(Query(f"{query.text} warming up"))
    times = []
    for query in queries:
        begin = time.perf_counter()
        search(query)
        times.append((time.perf_counter() - begin) * 1000)
    times.sort()
    print(f"{name}: p50 {times[len(times) // 2]:.1f} ms, p95 {times[int(len(times) * 0.95)]:.1f} ms over {len(times)}")


def timed(name: str, work: Callable[[], Guidance]) -> Guidance:
    """Do it, print how long it took."""
    begin = time.perf_counter()
    result = work()
    took = time.perf_counter() - begin
    print(f"{name}: {took:.2f} s, {len(result.retriever.passages) / took:.0f} passages/s")
    return result


def memory() -> int:
    """Greatest resident size so far, in MB (Linux counts in KB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
