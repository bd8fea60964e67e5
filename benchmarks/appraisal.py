"""How fast the embedded appraiser reads, and how far its channels agree with public human labels.

    python -m benchmarks.appraisal                 speed, on the labelled replies of the tests
    python -m benchmarks.appraisal --data DIR      and agreement, on EPITOME, AnnoMI and ESConv files in DIR

Thresholds are chosen on folds 0 and 1 of each file and every figure is reported on folds 2 to 4.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from core.appraisal import SkillAppraisal
from core.transcript import Speaker, Transcript, Utterance
from rubrics.appraiser import CueAppraiser

CASES = Path(__file__).resolve().parent.parent / "tests" / "rubrics" / "appraiser_cases.yaml"
TUNING = frozenset({"0", "1"})
QUESTION = frozenset({"open_question", "closed_question"})
REFLECTION = frozenset({"simple_reflection", "complex_reflection", "interpretation", "summary", "parroting"})
INPUT = frozenset(
    [
        "advice_without_permission",
        "advice_with_permission",
        "information",
        "affirmation",
        "limit_set",
        "judging",
        "false_reassurance",
        "reason_given",
        "confidentiality_explained",
        "alternative_offered",
        "means_safety",
        "personal_disclosure",
        "professional_disclosure",
        "minimising",
        "autonomy_support",
    ]
)
ACTS = ("reflection", "question", "therapist_input", "other")
SHORT_WORDS, LONG_WORDS = 14, 60
"""A turn below the first is a back-channel unless something was found in it; above the second it is input even when it reflects."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled reply: what was said before, and which part of the file it belongs to."""

    context: tuple[Utterance, ...]
    reply: str
    label: str
    tuning: bool


def macro_f1(truth: Sequence[object], guess: Sequence[object], classes: Sequence[object]) -> float:
    """Mean F1 over ``classes``; a class never seen and never guessed counts 0."""
    scores = []
    for name in classes:
        hit = sum(t == name == g for t, g in zip(truth, guess, strict=True))
        wrong = sum((t == name) != (g == name) for t, g in zip(truth, guess, strict=True))
        scores.append(2 * hit / (2 * hit + wrong) if hit else 0.0)
    return sum(scores) / len(scores)


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Rank correlation, ties at their mean rank."""
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse], dtype=np.float64)


def act_of(found: SkillAppraisal, reply: str) -> str:
    """AnnoMI's four therapist acts from skills, by how much of the reply each kind covers."""
    asked, reflected, sure, given = (_cover(found, reply, *kind) for kind in ((QUESTION, 0.4), (REFLECTION, 0.4), (REFLECTION, 0.6), (INPUT, 0.5)))
    words = found.signals.get("words", 0.0)
    if asked > 0.2 and asked >= sure:
        return "question"
    if reflected > 0.12 and (given == 0 or 0.8 * reflected >= given):
        return "reflection" if words < LONG_WORDS else "therapist_input"
    return "therapist_input" if given > 0.1 or words >= SHORT_WORDS else "other"


def _cover(found: SkillAppraisal, reply: str, skills: frozenset[str], least: float) -> float:
    covered: set[int] = set()
    for rating in found.ratings:
        if rating.skill in skills and rating.strength >= least:
            covered.update(range(rating.evidence.start, rating.evidence.end))
    return len(covered) / max(1, len(reply))


def speed(appraiser: CueAppraiser) -> None:
    """Replies a second on one core, for chat-size replies and for the longest the gate lets through."""
    cases = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    chat = [(Transcript.of([("client", cases["clients"][c["client"]])]).utterances, c["reply"]) for c in cases["cases"]]
    text = " ".join(reply for _, reply in chat)
    long = [(chat[i][0], text[i * 500 : i * 500 + 4000]) for i in range(8)]
    for name, rows in (("chat replies", chat * 3), ("4,000-character replies", long * 3)):
        taken = []
        for context, reply in rows:
            start = time.process_time()
            appraiser.appraise(context, reply)
            taken.append(time.process_time() - start)
        ms = np.asarray(taken) * 1000
        print(f"{name}: {len(rows) / sum(taken):.0f}/s, median {np.median(ms):.2f} ms, 95th percentile {np.percentile(ms, 95):.2f} ms")


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def epitome(appraiser: CueAppraiser, folder: Path) -> None:
    """Macro-F1 of the rounded channels and Spearman, per mechanism; total without fitting."""
    rows = [r for r in _table(folder / "epitome_reddit.csv") if r["fold"] not in TUNING]
    found = [appraiser.appraise(Transcript.of([("client", r["seeker_post"])]).utterances, r["response_post"]).signals for r in rows]
    for channel in ("ER", "IP", "EX"):
        guess = [s.get(channel.lower(), 0.0) for s in found]
        truth = [int(r[channel]) for r in rows]
        levels = [int(np.clip(np.rint(g), 0, 2)) for g in guess]
        print(f"EPITOME {channel}: n={len(rows)} macro-F1 {macro_f1(truth, levels, (0, 1, 2)):.3f} spearman {spearman(guess, truth):.3f}")
    total = [s.get("er", 0.0) + s.get("ip", 0.0) + s.get("ex", 0.0) for s in found]
    print(f"EPITOME total: spearman {spearman(total, [int(r['total']) for r in rows]):.3f}")


def acts(appraiser: CueAppraiser, folder: Path) -> None:
    """Therapist acts of motivational interviewing, with the eight turns before as context."""
    rows = [r for r in _annomi(folder) if not r.tuning]
    guess = [act_of(appraiser.appraise(r.context, r.reply), r.reply) for r in rows]
    print(f"AnnoMI acts: n={len(rows)} macro-F1 {macro_f1([r.label for r in rows], guess, ACTS):.3f}")


def _annomi(folder: Path) -> Iterator[Row]:
    table = sorted(_table(folder / "annomi.csv"), key=lambda r: (int(r["transcript_id"]), int(r["utterance_id"])))
    session, said = "", list[tuple[Speaker, str]]()
    for r in table:
        if r["transcript_id"] != session:
            session, said = r["transcript_id"], []
        speaker = Speaker(r["interlocutor"])
        if speaker is Speaker.THERAPIST and r["main_therapist_behaviour"]:
            yield Row(Transcript.of(said[-8:]).utterances, r["text"], r["main_therapist_behaviour"], r["fold"] in TUNING)
        said.append((speaker, r["text"]))


def disclosure(appraiser: CueAppraiser, folder: Path) -> None:
    """Self-disclosure of peer supporters; the threshold comes from the tuning folds."""
    table = [r for half in "ab" for r in _table(folder / f"esconv_strategies_{half}.csv")]
    score = [_disclosed(appraiser, r) for r in table]
    labels = [r["self_disclosure"] == "1" for r in table]
    tuning = [r["fold"] in TUNING for r in table]

    def f1(threshold: float, wanted: bool) -> float:
        pairs = [(y, s > threshold) for y, s, t in zip(labels, score, tuning, strict=True) if t is wanted]
        return macro_f1([y for y, _ in pairs], [g for _, g in pairs], (True,))

    best = max(np.quantile(score, np.linspace(0.5, 0.99, 50)), key=lambda t: f1(float(t), True))
    print(f"ESConv self-disclosure: n={tuning.count(False)} F1 {f1(float(best), False):.3f} at the tuned threshold {best:.2f}")


def _disclosed(appraiser: CueAppraiser, row: dict[str, str]) -> float:
    found = appraiser.appraise(Transcript.of([("client", row["context"])]).utterances, row["reply"])
    return found.strength("personal_disclosure") + 0.5 * found.signals.get("shared_experience", 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with epitome_reddit.csv, annomi.csv, esconv_strategies_a.csv and _b.csv")
    folder: Path | None = parser.parse_args().data
    appraiser = CueAppraiser()
    print(appraiser.fingerprint)
    speed(appraiser)
    if folder is not None:
        measures: tuple[Callable[[CueAppraiser, Path], None], ...] = (epitome, acts, disclosure)
        for measure in measures:
            measure(appraiser, folder)


if __name__ == "__main__":
    main()
