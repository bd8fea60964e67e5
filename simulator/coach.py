"""Scores and feedback of a session: computed once a turn and kept; checked again whenever shown."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from core.appraisal import SkillAppraisal
from core.clock import new_id, now
from core.skills import skill_catalogue
from core.transcript import Utterance, last_client_text
from language_models.base import EmbeddingModel
from personas.direction import Move
from retrieval.citations import Citation, best_citation, verify_citation
from retrieval.opening import Guidance
from retrieval.query import compose_query
from rubrics.embedded_scorer import EmbeddedScorer
from rubrics.model_scorer import ModelScorer
from rubrics.schema import Rubric
from rubrics.scores import CriterionScore, ScoreReport, verified
from simulator import records
from simulator.feedback import Exchange, alternatives, compose_feedback
from simulator.outcomes import Feedback, SessionReport, TurnOutcome
from simulator.report import build_report
from simulator.sessions import SessionEngine
from simulator.views import SessionView, TurnView
from simulator.wording import choose, wording
from storage.database import Database

log = logging.getLogger(__name__)
_FEEDBACK = TypeAdapter(Feedback)
_LATELY = 6


class Coach:
    """Feedback for trainees. A failing scorer never touches a turn: the turn is stored before it is asked.

    ``model`` makes the model scorer of one session, so that its calls count towards that session's budget.
    """

    def __init__(
        self,
        database: Database,
        sessions: SessionEngine,
        rubric: Rubric,
        embedded: EmbeddedScorer,
        model: Callable[[str], ModelScorer] | None,
        *,
        guidance: Callable[[], Guidance],
        embedding: EmbeddingModel | None,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._rubric = rubric
        self._embedded = embedded
        self._model = model
        self._guidance = guidance
        self._embedding = embedding

    def warm_up(self) -> None:
        """Open the guidance before the first feedback needs it."""
        self._guidance()

    def outcomes(self, session_id: str) -> tuple[TurnOutcome, ...]:
        """Scores and feedback of every live, answered turn, in order; what is missing is computed and kept now."""
        view = self._sessions.view(session_id)
        with self._database.reading() as db:
            kept = {turn_id: (row.report, row.feedback) for turn_id, row in records.scores_of(db, session_id).items()}
        outcomes: list[TurnOutcome] = []
        for turn in view.turns:
            if turn.client is None:
                continue
            if turn.id in kept:
                outcomes.append(self._shown(turn, *kept[turn.id]))
            else:
                lately = [o.feedback.headline for o in outcomes[-_LATELY:]]
                outcomes.append(self._score(view, turn, lately))
        return tuple(outcomes)

    def _score(self, view: SessionView, turn: TurnView, lately: Sequence[str]) -> TurnOutcome:
        context = view.transcript(before_turn=turn.number).utterances
        appraisal = turn.appraisal or SkillAppraisal(unappraised="it was not appraised when it was written")
        report = self._report_of(view.id, context, turn, appraisal)
        exchange = Exchange(
            turn=turn.number,
            seed=view.seed,
            client_id=view.persona_id,
            client_name=view.persona_name,
            before=last_client_text(context),
            reply=turn.therapist,
            after=turn.client or "",
            move=Move(turn.direction["move"]) if turn.direction else None,
            ledger=turn.ledger,
        )
        feedback = compose_feedback(exchange, appraisal, report, self._rubric, self.find_citation, said_lately=lately)
        with self._database.writing() as db:
            if records.score_of(db, turn.id, report.scorer) is None:
                db.add(
                    records.ScoreRow(
                        id=new_id(),
                        turn_id=turn.id,
                        fingerprint=report.scorer,
                        at=now(),
                        report=json.loads(report.to_json()),
                        feedback=_FEEDBACK.dump_python(feedback, mode="json"),
                    )
                )
        return TurnOutcome(turn_id=turn.id, number=turn.number, report=report, feedback=feedback)

    def _report_of(self, session_id: str, context: Sequence[Utterance], turn: TurnView, appraisal: SkillAppraisal) -> ScoreReport:
        """The model's report when a grader is set and said anything at all; else the embedded one. Never a mixture."""
        if self._model is not None:
            report = verified(self._model(session_id).score(context, turn.therapist, appraisal), turn.therapist)
            if any(score.status != "unscored" for score in report.criteria):
                return report
            log.warning("the grader gave no usable score for a turn; the embedded scorer takes it")
        return verified(self._embedded.score(context, turn.therapist, appraisal), turn.therapist)

    def _shown(self, turn: TurnView, report: dict[str, Any], feedback: dict[str, Any]) -> TurnOutcome:
        """What was kept, with every quotation and citation checked again against today's texts."""
        checked = verified(ScoreReport.from_json(json.dumps(report)), turn.therapist)
        kept = _FEEDBACK.validate_python(feedback)
        if kept.quote is not None and not kept.quote.holds_in(turn.therapist):
            kept = Feedback(turn=turn.number, kind="quiet", headline=wording().quiet)
        return TurnOutcome(turn_id=turn.id, number=turn.number, report=checked, feedback=kept)

    def citation_holds(self, citation: Citation) -> bool:
        """Whether the guidance still says today what this citation quotes; pages mark one that no longer does."""
        return verify_citation(citation, self._guidance().retriever.passages)

    def find_citation(self, skills: Sequence[str], criterion: str, client_text: str, quote: str, why: str = "") -> tuple[Citation | None, str]:
        """A verified quotation from the guidance that supports ``why`` (or what the skills mean); None with the reason.

        Passages about one of the skills are asked first; of those, the sentence nearest to the reason is quoted.
        """
        retriever = self._guidance().retriever
        query = compose_query(skills=skills, criterion=criterion, client_text=client_text, reply_quote=quote)
        result = retriever.search(query, k=4)
        passages = [hit.passage for hit in result.hits]
        about_it = [passage for passage in passages if set(skills) & set(passage.skills)]
        citation = best_citation(about_it or passages, why or self.about(*skills), embedding=self._embedding)
        return citation, "" if citation is not None else result.reason or "No supporting passage was found."

    def about(self, *skills: str) -> str:
        """The words a citation for ``skills`` should support: their definitions and the rubric's reasons."""
        catalogue = skill_catalogue()
        texts = [f"{catalogue.get(code).label}. {catalogue.get(code).definition}" for code in skills if code in catalogue.codes]
        return " ".join([*texts, *(" ".join(self._rubric.feedback.why.get(code, ())[:1]) for code in skills)])

    def nudge(self, session_id: str) -> str:
        """A hint for the next reply that leaves the words to the trainee."""
        view = self._sessions.view(session_id)
        last = view.turns[-1] if view.turns else None
        stance = str(last.direction.get("move", "")) if last else "opening"
        options = self._nudges.get(stance) or wording().nudges
        return choose(options, seed=view.seed, turn=len(view.turns), purpose="nudge")

    @cached_property
    def _nudges(self) -> dict[str, tuple[str, ...]]:
        return {str(key): tuple(value) for key, value in self._rubric.feedback.nudges.items() if not any("{" in v for v in value)}

    def examples(self, session_id: str) -> tuple[str, ...]:
        """Two differing replies the trainee might give now; none when there is no pair that fits."""
        view = self._sessions.view(session_id)
        context = view.transcript().utterances
        exchange = Exchange(
            turn=view.next_number,
            seed=view.seed,
            client_id=view.persona_id,
            client_name=view.persona_name,
            before=last_client_text(context),
            reply="",
            after="",
            move=None,
            ledger=(),
        )
        move = str(view.turns[-1].direction.get("move", "")) if view.turns else ""
        skills = ("yielding", "cold_refusal") if move == Move.TEST else ("advice_without_permission", "question_volley", "swap_test_failure")
        for skill in (*skills, "formula", "false_reassurance"):
            found = alternatives(exchange, skill, self._rubric.feedback)
            if found:
                return found
        return ()

    def report(self, session_id: str) -> SessionReport:
        """The debrief."""
        view = self._sessions.view(session_id)
        return build_report(view, self.outcomes(session_id), self._sessions.persona_of(session_id), self._rubric)


def leading_skill(score: CriterionScore, appraisal: SkillAppraisal) -> str | None:
    """The skill whose words a score stands on: the strongest rating whose quote is among the score's evidence."""
    quotes = {(e.start, e.end) for e in score.evidence}
    standing = [r for r in appraisal.ratings if (r.evidence.start, r.evidence.end) in quotes]
    return max(standing, key=lambda r: (r.strength, r.skill)).skill if standing else None
