"""Services for page tests: real sessions over a real database and the real clients; a coach, models and rubric the test controls."""

import threading
from pathlib import Path
from types import SimpleNamespace

from core.errors import ModelUnavailable, NotFound
from core.evidence import Evidence
from language_models.base import ModelRole
from language_models.probe import ProbeResult
from retrieval.citations import Citation
from rubrics.library import SHIPPED, RubricLibrary
from rubrics.scores import CriterionScore, ScoreReport
from simulator.outcomes import Feedback, TurnOutcome
from simulator.report import build_report
from tests.simulator.playing import LIBRARY, an_engine

RUBRIC = RubricLibrary((SHIPPED,)).get("core-relational")
CITATION = Citation(
    passage="early-advice#2", document="early-advice", title="Advice too early", heading="Stay one beat", start=0, end=42,
    quote="Stay with pain one beat before any idea.", passage_sha256="0" * 64,
)  # fmt: skip


class FakeCoach:
    """Feedback by the first word of a reply: ``advice`` costs, ``harm`` flags, ``quiet`` says nothing; anything else worked."""

    def __init__(self, sessions):
        self.sessions = sessions
        self.fails = False
        self.may_read = threading.Event()
        self.may_read.set()
        self.nudges = 0

    def outcomes(self, session_id):
        assert self.may_read.wait(timeout=20), "the test never let the coach read"
        if self.fails:
            raise ModelUnavailable("The coach cannot be reached just now.")
        return tuple(self._outcome(turn) for turn in self.sessions.view(session_id).turns if turn.client is not None)

    def _outcome(self, turn):
        quote = Evidence(quote=turn.therapist[:12], start=0, end=len(turn.therapist[:12]))
        first = turn.therapist.split()[0].casefold()
        kind = {"advice": "cost", "harm": "flag", "quiet": "quiet"}.get(first, "worked")
        feedback = Feedback(
            turn=turn.number, kind=kind, headline=f"headline about {turn.therapist[:40]}", quote=None if kind == "quiet" else quote,
            criterion="empathy", effect="Teo said more.", try_this="Say it, then wait.", alternatives=("One way.", "Another way."),
            why="It keeps company.", citation=CITATION, confidence="medium",
        )  # fmt: skip
        criteria = tuple(
            CriterionScore(criterion=c.id, status="scored", level=3, value=3.0, evidence=(quote,), anchor=f"{c.id}.3")
            if c.id == "empathy"
            else CriterionScore(criterion=c.id, status="not_applicable", reason=c.not_applicable)
            for c in RUBRIC.criteria
        )
        report = ScoreReport(rubric=RUBRIC.id, rubric_version=RUBRIC.version, scorer="fake", criteria=criteria)
        return TurnOutcome(turn_id=turn.id, number=turn.number, report=report, feedback=feedback)

    def report(self, session_id):
        return build_report(self.sessions.view(session_id), self.outcomes(session_id), self.sessions.persona_of(session_id), RUBRIC)

    def nudge(self, session_id):
        self.nudges += 1
        return "What was the last feeling word?"

    def examples(self, session_id):
        return ("Eleven years.", "That stings.")


class FakeModels:
    """One profile called ``desk`` that plays nothing until a test gives it a role."""

    def __init__(self):
        self.profiles = (SimpleNamespace(name="desk"),)
        self.roles: set[ModelRole] = set()
        self.probed: list[str] = []

    def profile_for(self, role):
        return self.profiles[0] if role in self.roles else None

    def probe(self, name):
        if name != "desk":
            raise NotFound(f"no profile {name}")
        self.probed.append(name)
        return ProbeResult(
            profile=name, destination="127.0.0.1", reachable=True, streams=True, keeps_schema=False, first_word_ms=12, reply_ms=40,
            problems=("structured answer: UnusableReply",),
        )  # fmt: skip


class FakeServices:
    """The doors of ``simulator.services.Services`` that pages use."""

    def __init__(self, folder: Path, voice=None):
        self.sessions = an_engine(folder, voice=voice)
        self.library = LIBRARY
        self.rubric = RUBRIC
        self.coach = FakeCoach(self.sessions)
        self.models = FakeModels()
        self.settings = SimpleNamespace(data_dir=folder)
        self.warmed = 0

    def engine_name(self, asked="auto"):
        return "embedded"

    def notices(self):
        return tuple(SimpleNamespace(role=role, plays="built in", leaves_machine="Nothing leaves this machine.") for role in ModelRole)

    def warm_up(self):
        self.warmed += 1

    def close(self):
        pass
