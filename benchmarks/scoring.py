"""How fast the embedded scorer is. Prints replies per second and milliseconds per reply over the rubric's own exemplars.

python -m benchmarks.scoring [--rubric core-relational] [--replies 3000]
"""

from __future__ import annotations

import argparse
import time
from itertools import cycle, islice

from core.transcript import Transcript, Utterance
from rubrics.appraiser import CueAppraiser
from rubrics.embedded_scorer import EmbeddedScorer
from rubrics.library import RubricLibrary
from rubrics.schema import Rubric

Case = tuple[tuple[Utterance, ...], str]


def cases(rubric: Rubric) -> list[Case]:
    """Every exemplar reply with what the client said before it."""
    return [
        (tuple(Transcript.of([("therapist", "Come in."), ("client", exemplar.client)])), reply)
        for criterion in rubric.criteria
        for exemplar in criterion.exemplars
        for reply in exemplar.replies
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rubric", default="core-relational")
    parser.add_argument("--replies", type=int, default=3000)
    options = parser.parse_args()
    rubric = RubricLibrary().get(options.rubric)
    appraiser = CueAppraiser()
    scorer = EmbeddedScorer(rubric, appraiser)
    replies = list(islice(cycle(cases(rubric)), options.replies))
    for context, reply in replies[:50]:  # first use compiles and fills caches
        scorer.score(context, reply)

    milliseconds: list[float] = []
    for context, reply in replies:
        started = time.perf_counter()
        scorer.score(context, reply)
        milliseconds.append((time.perf_counter() - started) * 1000)
    appraisals = [appraiser.appraise(context, reply) for context, reply in replies]
    started = time.perf_counter()
    for (context, reply), appraisal in zip(replies, appraisals, strict=True):
        scorer.score(context, reply, appraisal)
    levels_only = (time.perf_counter() - started) * 1000 / len(replies)

    milliseconds.sort()
    slow = milliseconds[int(len(replies) * 0.95)]
    mean = sum(milliseconds) / len(milliseconds)
    print(f"rubric {rubric.id} version {rubric.version}, {len(rubric.criteria)} criteria, {len(replies)} replies, one process")
    print(f"appraisal and levels  {1000 / mean:8.0f} replies/s   mean {mean:.2f} ms   95 % under {slow:.2f} ms")
    print(f"levels alone          {1000 / levels_only:8.0f} replies/s   mean {levels_only:.2f} ms")


if __name__ == "__main__":
    main()
