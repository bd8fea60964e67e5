"""The scorer that asks a language model: one strict call per reply, every quotation found again in the trainee's words or dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.appraisal import Appraiser, SkillAppraisal
from core.errors import ModelError
from core.evidence import locate_quote
from core.replies import clean_text, has_words
from core.transcript import Speaker, Utterance
from language_models.base import ChatMessage, ChatModel, ChatRequest, ModelRole
from language_models.prompts import PromptTemplate, fence, new_marker
from language_models.structured import ask
from rubrics.embedded_scorer import (
    ONLY_INSTRUCTIONS,
    caps_of,
    facets_of,
    harm_flags,
    judge,
    moment_of,
    rubric_hash,
    unscored_report,
    why_unreadable,
)
from rubrics.response_types import LONGEST_REASON, CriterionAnswer, RubricAnswer, answer_about, answer_type
from rubrics.schema import Criterion, Rubric
from rubrics.scores import QUOTE_NOT_FOUND, Confidence, CriterionScore, ScoreReport, verified
from rubrics.suspicion import instruction_spans, suspicion_flag, touches, without
from rubrics.tally import Moment, Tally

_PROMPTS = Path(__file__).with_name("prompts")
_WINDOW = 12
"""Utterances of transcript that are sent."""
_LONGEST_TURN = 700
"""Characters of an earlier utterance that are sent; the reply itself is sent whole."""
_MAX_TOKENS = 1800
_SPEAKERS = {Speaker.CLIENT: "Client", Speaker.THERAPIST: "Trainee"}

NOTHING_FOUND = "The model found nothing in this reply that this criterion is about, so no level is given."
_CONFIDENCE: dict[str, Confidence] = {"low": "high", "medium": "medium", "high": "low"}


class ModelScorer:
    """Scores replies by one rubric through a chat model. What is not in play and what is harmful is decided by code, as embedded."""

    def __init__(
        self, rubric: Rubric, model: ChatModel, appraiser: Appraiser, random_bytes: Callable[[int], bytes], *, session_id: str | None = None
    ) -> None:
        self.rubric = rubric
        self._model = model
        self._appraiser = appraiser
        self._random_bytes = random_bytes
        self._session_id = session_id
        self._fixed = PromptTemplate.load(_PROMPTS / "score_reply.md.j2")
        self._moment = PromptTemplate.load(_PROMPTS / "score_moment.md.j2")
        self._system = self._fixed.render(rubric=rubric)
        self._prompt_hash = _digest(self._fixed.sha256, self._moment.sha256, rubric_hash(rubric))
        self._fingerprint = "model:" + _digest(model.name, self._prompt_hash, appraiser.fingerprint)

    @property
    def prompt_hash(self) -> str:
        """Hash of both prompt files and the rubric; goes into every call's record."""
        return self._prompt_hash

    @property
    def fingerprint(self) -> str:
        """Changes with the model, the prompts, the rubric and the appraiser."""
        return self._fingerprint

    def score(self, context: Sequence[Utterance], reply: str, appraisal: SkillAppraisal | None = None) -> ScoreReport:
        """Score ``reply`` given what was said before it (oldest first).

        A model that fails leaves every criterion unscored, with the reason. Nothing is sent when no criterion is in play.
        """
        reason = why_unreadable(reply)
        if reason:
            return unscored_report(self.rubric, self.fingerprint, reason)
        moment = moment_of(self._appraiser, context, reply, appraisal)
        in_play = {c.id: tally for c in self.rubric.criteria if (tally := judge(moment, c)) is not None}
        flags = harm_flags(self.rubric, moment, set(in_play))
        if moment.spans:
            flags = (*flags, suspicion_flag(moment.spans))
        rest = without(reply, moment.spans)
        if not has_words(clean_text(rest).text):
            criteria = unscored_report(self.rubric, self.fingerprint, ONLY_INSTRUCTIONS).criteria
        elif not in_play:
            criteria = tuple(_not_applicable(criterion) for criterion in self.rubric.criteria)
        else:
            try:
                answer = ask(self._model, self._request(context, rest), answer_type(self.rubric))
            except ModelError as error:
                criteria = unscored_report(self.rubric, self.fingerprint, error.message).criteria
            else:
                criteria = self._criteria(moment, answer, in_play)
        return verified(
            ScoreReport(rubric=self.rubric.id, rubric_version=self.rubric.version, scorer=self.fingerprint, criteria=criteria, flags=flags),
            reply,
        )

    def _request(self, context: Sequence[Utterance], reply: str) -> ChatRequest:
        marker = new_marker(self._random_bytes)
        window = range(max(0, len(context) - _WINDOW), len(context))
        said = "\n".join(f"{_SPEAKERS[context[i].speaker]}: {_one_line(self._presentable(context, i))}" for i in window) or "(nothing yet)"
        body = self._moment.render(transcript=fence(said, marker), reply=fence(reply, marker))
        return ChatRequest(
            role=ModelRole.GRADER,
            messages=(ChatMessage("system", self._system), ChatMessage("user", body)),
            prompt_hash=self.prompt_hash,
            max_tokens=_MAX_TOKENS,
            temperature=0.0,
            session_id=self._session_id,
        )

    def _presentable(self, context: Sequence[Utterance], place: int) -> str:
        """An earlier utterance; what the person who is rated typed goes without its instruction-like parts."""
        utterance = context[place]
        if utterance.speaker is Speaker.CLIENT:
            return utterance.text
        return without(utterance.text, instruction_spans(self._appraiser, context[:place], utterance.text))

    def _criteria(self, moment: Moment, answer: RubricAnswer, in_play: Mapping[str, Tally]) -> tuple[CriterionScore, ...]:
        caps = caps_of(self.rubric, moment)
        return tuple(
            _score(moment, criterion, answer_about(criterion.id, answer), in_play[criterion.id].facets, caps.get(criterion.id))
            if criterion.id in in_play
            else _not_applicable(criterion)
            for criterion in self.rubric.criteria
        )


def _not_applicable(criterion: Criterion) -> CriterionScore:
    return CriterionScore(criterion=criterion.id, status="not_applicable", reason=criterion.not_applicable)


def _score(
    moment: Moment, criterion: Criterion, answer: CriterionAnswer, facets: Mapping[str, int], cap: tuple[int, tuple[str, ...]] | None
) -> CriterionScore:
    if answer.level is None:
        return CriterionScore(criterion=criterion.id, status="unscored", reason=NOTHING_FOUND)
    found = [quote for words in answer.quotes if (quote := locate_quote(words, moment.reply)) and has_words(quote.quote)]
    evidence = [quote for quote in dict.fromkeys(found) if not touches(quote, moment.spans)]
    if not evidence:
        return CriterionScore(criterion=criterion.id, status="unscored", reason=QUOTE_NOT_FOUND)
    level: int = answer.level
    if cap is not None and cap[0] < level:
        level = cap[0]
        harmful = moment.appraisal.rating(*cap[1])
        if harmful is not None:
            evidence = [harmful.evidence, *(quote for quote in evidence if quote != harmful.evidence)]
    confidence: Confidence = _CONFIDENCE[answer.uncertainty]
    if criterion.experimental and confidence == "high":
        confidence = "medium"
    if moment.spans or len(evidence) < len(set(answer.quotes)):
        confidence = "low"
    anchor = criterion.anchors[level]
    reason = _one_line(answer.reason)[:LONGEST_REASON] if level == answer.level else ""
    return CriterionScore(
        criterion=criterion.id,
        status="scored",
        level=level,
        value=float(level),
        facets=facets_of(moment, criterion, facets),
        evidence=tuple(evidence),
        anchor=f"{criterion.id}.{level}",
        reason=reason or f"The reply {anchor.words}.",
        confidence=confidence,
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _one_line(text: str) -> str:
    """``text`` without line ends, so that nobody's words can open a turn of their own; very long turns lose their middle."""
    line = " ".join(clean_text(text).text.split())
    half = _LONGEST_TURN // 2
    return line if len(line) <= _LONGEST_TURN else f"{line[:half]} [...] {line[-half:]}"
