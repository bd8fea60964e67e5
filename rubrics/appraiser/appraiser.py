"""The embedded appraiser: patterns, counts and context, no model. The same reply always gives the same appraisal."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from core.appraisal import SkillAppraisal, SkillRating
from core.replies import has_words
from core.transcript import Utterance
from rubrics.appraiser.asking import asking_findings, mark_questions
from rubrics.appraiser.channels import signals
from rubrics.appraiser.client import client_words, content, feelings, uptake
from rubrics.appraiser.cues import Lists, load_cues
from rubrics.appraiser.findings import Finding, Reply, SentenceView
from rubrics.appraiser.fitting import fitting_findings
from rubrics.appraiser.reading import Reading, masked, read
from rubrics.appraiser.reflecting import reflecting_findings
from rubrics.appraiser.rules import rule_findings
from rubrics.appraiser.selfhood import disclosure_findings, story_findings
from rubrics.appraiser.words import tokens

CODE_VERSION = 1
"""Raise with every change of the code that could change an appraisal; the cues file is hashed by itself."""

DEFAULT_CUES = Path(__file__).resolve().parent.parent / "library" / "cues.yaml"
MAX_CHARACTERS = 8000
"""Longer replies are read up to here; the gate for trainees refuses them at half of this."""

_QUOTED = re.compile(r'"[^"\n]{1,1000}"|(?<![\w])\'[^\'\n]{3,300}\'(?!\w)')
_SHORT_QUOTE = 2
"""A quotation of at most so many words ('monster') is the therapist's own use of a word and stays readable."""


class CueAppraiser:
    """Implements ``core.appraisal.Appraiser`` with cues.yaml. Immutable after construction and safe to share between threads."""

    def __init__(self, cues: Path | None = None) -> None:
        """Load and compile the cues. Raises ``ContentError`` naming every problem in the file."""
        self._cues = load_cues(cues or DEFAULT_CUES)
        digest = hashlib.sha256(f"{CODE_VERSION}:{self._cues.sha256}".encode()).hexdigest()
        self._fingerprint = f"cues-{CODE_VERSION}-{digest[:16]}"

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same reply could be appraised differently."""
        return self._fingerprint

    def appraise(self, context: Sequence[Utterance], reply: str) -> SkillAppraisal:
        """Find the skills in ``reply`` given ``context`` (oldest first). Odd text is reported in ``unappraised``, never raised."""
        reading = read(reply[:MAX_CHARACTERS])
        if not reading.sentences or not has_words(reading.text):
            return SkillAppraisal(appraiser=self._fingerprint, unappraised="There are no words in this reply that could be read.")
        instructions = self._instruction_spans(reading)
        reading = masked(reading, [*instructions, *_quotations(reading)])
        understood = self._reply(context, reading)
        found = self._findings(understood)
        return SkillAppraisal(
            ratings=_ratings(reading, found),
            signals=MappingProxyType(signals(understood, found, instruction_like=min(1.0, 0.5 + 0.25 * len(instructions)) if instructions else 0.0)),
            appraiser=self._fingerprint,
        )

    def _findings(self, reply: Reply) -> list[Finding]:
        """Run the detectors in the order in which they need each other's results."""
        if not reply.views:
            return []
        mark_questions(reply)
        found = rule_findings(reply)
        found += disclosure_findings(reply)
        found += reflecting_findings(reply)
        found += asking_findings(reply)
        found += story_findings(reply)
        found += fitting_findings(reply)
        return found

    def _reply(self, context: Sequence[Utterance], reading: Reading) -> Reply:
        lists = self._cues.lists
        client = client_words(context, self._cues)
        views: list[SentenceView] = []
        for sentence in reading.sentences:
            if all(set(word) <= {"_"} for word in sentence.words):
                continue
            plain = reading.plain[sentence.start : sentence.end]
            carried = content(sentence.words, lists)
            views.append(SentenceView(sentence, carried, _picked(plain, sentence.words, client.known, lists), feelings(sentence.words, lists)))
        return Reply(
            reading=reading,
            views=tuple(views),
            client=client,
            cues=self._cues,
            content=frozenset().union(*(v.content for v in views)),
            picked=frozenset().union(*(v.picked for v in views)),
            feelings=frozenset().union(*(v.feelings for v in views)),
            words=sum(len(v.sentence.words) for v in views),
        )

    def _instruction_spans(self, reading: Reading) -> list[tuple[int, int]]:
        """Sentences that speak to the software instead of the client."""
        spans: list[tuple[int, int]] = []
        innocent = self._cues.frames["instruction_innocent"]
        for match in self._cues.frames["instruction"].finditer(reading.text):
            sentence = reading.sentence_at(match.start()) or reading.sentence_at(match.end() - 1)
            span = (sentence.start, sentence.end) if sentence else (match.start(), match.end())
            span = (min(span[0], match.start()), max(span[1], match.end()))
            if innocent.search(reading.text, span[0], span[1]) or (spans and spans[-1] == span):
                continue
            spans.append(span)
        return spans


def _quotations(reading: Reading) -> list[tuple[int, int]]:
    """Spans between quotation marks, unless short or the whole reply stands in them."""
    whole = reading.text.strip()
    spans: list[tuple[int, int]] = []
    for match in _QUOTED.finditer(reading.text):
        if len(match.group()) >= len(whole) - 1 or len(match.group().split()) <= _SHORT_QUOTE:
            continue
        spans.append((match.start(), match.end()))
    return spans


def _picked(plain: str, words: tuple[str, ...], known: frozenset[str], lists: Lists) -> frozenset[str]:
    """Client words in a sentence; quoting the client's words counts as taking them up."""
    return uptake(tokens(plain) if '"' in plain else words, lists) & known


def _ratings(reading: Reading, found: list[Finding]) -> tuple[SkillRating, ...]:
    """One rating per skill and place, in order of place; the strongest wins where a skill was found twice in one place."""
    best: dict[tuple[str, int, int], SkillRating] = {}
    for finding in found:
        evidence = reading.evidence(finding.start, finding.end)
        if evidence is None or finding.strength <= 0:
            continue
        key = (finding.skill, evidence.start, evidence.end)
        if key not in best or best[key].strength < finding.strength:
            best[key] = SkillRating(skill=finding.skill, strength=min(1.0, finding.strength), evidence=evidence)
    return tuple(sorted(best.values(), key=lambda r: (r.evidence.start, r.evidence.end, r.skill)))
