"""A session engine over a real database and the real client, with an appraiser the test scripts."""

from pathlib import Path

from core.appraisal import SkillAppraisal
from personas.library import PersonaLibrary
from personas.matching import TopicMatcher
from personas.voice import AuthoredVoice
from simulator.sessions import ClientEngine, SessionEngine
from storage.upgrade import ready_database
from tests.fakes.appraisals import an_appraisal

LIBRARY = PersonaLibrary()
_MATCHERS: dict[str, TopicMatcher] = {}


class ScriptedAppraiser:
    """Sees the skills named in brackets at the end of the words: ``I hear you [formula open_question]``."""

    fingerprint = "scripted"

    def appraise(self, context, reply) -> SkillAppraisal:
        skills = reply.rpartition("[")[2].rstrip("]").split() if reply.endswith("]") else []
        return an_appraisal(*skills, quote=reply[:1], words=float(len(reply.split())), questions=float(reply.count("?")))


def matcher(persona):
    if persona.id not in _MATCHERS:
        _MATCHERS[persona.id] = TopicMatcher.for_persona(persona, None)
    return _MATCHERS[persona.id]


def an_engine(folder: Path, *, voice=None, appraiser=None) -> SessionEngine:
    engine = ClientEngine("embedded", appraiser or ScriptedAppraiser(), voice or AuthoredVoice(), matcher)
    return SessionEngine(
        ready_database(f"sqlite:///{folder / 'records.sqlite3'}"), LIBRARY, lambda name: engine, rubric=("core-relational", 1)
    )
