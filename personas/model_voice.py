"""A chat model speaks the client. What it is given is decided here and nowhere else.

It sees surface facts, facts already told or unlocked for this turn, the direction, style and length, the last turns and a few lines
for the sound. Never the rubric, never a locked fact, never how a trainee should behave. Before a request leaves, ``guard`` searches
it for every locked fact; a find stops the request. Every draft is checked; after two re-asks the authored voice takes the turn.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import model_validator

from core.content import ContentModel, load_content
from core.errors import ModelError, SimulatorError
from core.transcript import Speaker, Utterance
from language_models.base import ChatMessage, ChatModel, ChatRequest, ModelRole
from language_models.prompts import PromptTemplate, fence, new_marker
from personas.checks import Finding, check_reply, leaked_facts
from personas.direction import Move
from personas.gates import locked_facts
from personas.pools import pool_lines
from personas.schema import Fact, Persona
from personas.state import draw
from personas.voice import AuthoredVoice, ClientReply, Cue

_PROMPTS = Path(__file__).with_name("prompts")
_WINDOW, _WINDOW_STEP = 16, 8
"""Utterances sent, and the step by which old ones drop out: in steps, so that the prompt keeps the same beginning for several turns."""
_RE_ASKS = 2


class LeakPrevented(SimulatorError):
    """A request held a locked fact and was not sent. This is a defect to repair, never a thing to tell a trainee."""


class MoveWords(ContentModel):
    """Words for each move."""

    version: int
    moves: dict[Move, str]

    @model_validator(mode="after")
    def _all_moves_have_words(self) -> MoveWords:
        missing = [move.value for move in Move if move not in self.moves]
        if missing:
            raise ValueError(f"moves without words: {', '.join(missing)}")
        return self


@cache
def _move_words() -> MoveWords:
    return load_content(Path(__file__).with_name("moves.yaml"), MoveWords).value


@cache
def _templates() -> tuple[PromptTemplate, PromptTemplate]:
    return PromptTemplate.load(_PROMPTS / "client_turn.md.j2"), PromptTemplate.load(_PROMPTS / "client_moment.md.j2")


class ModelVoice:
    """A client spoken by a chat model, with the authored voice behind it."""

    def __init__(self, model: ChatModel, fallback: AuthoredVoice) -> None:
        self._model = model
        self._fallback = fallback

    def speak(self, cue: Cue) -> ClientReply:
        """Draft, check, re-ask at most twice; then, or when the model fails, the authored line for the same direction."""
        locked = locked_facts(cue.persona, cue.state, unlocked_now=cue.direction.unlocked)
        longest = max(12, 2 * cue.direction.target_words + 8, cue.persona.style.words_per_turn.p95)
        rejected: list[tuple[Finding, ...]] = []
        complaint = ""
        for attempt in range(_RE_ASKS + 1):
            try:
                text = _tidy(self._draft(cue, locked, complaint, attempt), cue.persona)
            except (ModelError, LeakPrevented) as error:
                return self._instead(cue, rejected, setback=type(error).__name__)
            findings = check_reply(text, cue.persona, locked=locked, longest=longest)
            if not findings and _said_before(text, cue.context):
                findings = (Finding("repeated", "repeats an earlier line"),)
            if not findings:
                return ClientReply(text=text, voice="model", rejected=tuple(rejected))
            rejected.append(findings)
            complaint = "; ".join(dict.fromkeys(finding.words for finding in findings))
        return self._instead(cue, rejected, setback="checks")

    def _instead(self, cue: Cue, rejected: list[tuple[Finding, ...]], *, setback: str) -> ClientReply:
        line = self._fallback.speak(cue)
        return ClientReply(text=line.text, voice="authored_after_model", used=line.used, rejected=tuple(rejected), setback=setback)

    def _draft(self, cue: Cue, locked: tuple[Fact, ...], complaint: str, attempt: int) -> str:
        request = build_request(cue, locked, complaint=complaint, attempt=attempt)
        guard(request, cue.context, locked)
        return "".join(self._model.stream(request))


def build_request(cue: Cue, locked: tuple[Fact, ...], *, complaint: str = "", attempt: int = 0) -> ChatRequest:
    """The whole request for one draft: static persona first, then the conversation, then this moment."""
    static, moment = _templates()
    marker = new_marker(draw(cue.seed, 0, "fence").randbytes)
    messages = [ChatMessage("system", static.render(**_surface(cue.persona, locked)))]
    for utterance in _window(cue.context):
        if utterance.speaker is Speaker.THERAPIST:
            messages.append(ChatMessage("user", fence(utterance.text, marker)))
        else:
            messages.append(ChatMessage("assistant", utterance.text))
    known = [cue.persona.fact(fact_id).gist for fact_id in cue.state.told if fact_id not in cue.direction.unlocked]
    now = "; ".join(cue.persona.fact(fact_id).gist for fact_id in cue.direction.unlocked)
    if cue.direction.move is Move.HALF_TELL and cue.direction.fact is not None:
        now = "a hint and no more, such as: " + " / ".join(cue.persona.fact(cue.direction.fact).half[:2])
    messages.append(
        ChatMessage(
            "system",
            moment.render(
                name=cue.persona.name,
                told=known,
                now=now,
                stance=cue.direction.stance,
                move=_move(cue),
                words=cue.direction.target_words,
                complaint=complaint,
            ),
        )
    )
    return ChatRequest(
        role=ModelRole.CLIENT,
        messages=tuple(messages),
        prompt_hash=f"{static.sha256[:12]}+{moment.sha256[:12]}",
        max_tokens=max(60, 4 * cue.direction.target_words),
        temperature=0.9,
        seed=cue.seed * 100 + cue.state.turn * 10 + attempt,
        session_id=cue.session_id,
    )


def guard(request: ChatRequest, context: tuple[Utterance, ...], locked: tuple[Fact, ...]) -> None:
    """Refuse to send a request that gives a locked fact away anywhere outside the trainee's own words."""
    # Line by line: the end of one line and the start of the next were never said together.
    lines = (line for message in request.messages if message.role != "user" for line in message.content.splitlines())
    leaks = sorted({fact_id for line in lines for fact_id in leaked_facts(line, locked)})
    if leaks:
        raise LeakPrevented(
            "The client's next words were taken from the file instead of a model.", details=f"locked facts in a request: {', '.join(leaks)}"
        )


def _surface(persona: Persona, locked: tuple[Fact, ...]) -> dict[str, object]:
    """What a model may always know. Example lines come from pools that carry no fact, and are searched all the same."""
    pools = ("reactions.half_met", "reactions.felt_met", "deflections.guarded", "deflections.joking", "resistance.any", "reactions.advised")
    examples = [line for pool in pools for line in pool_lines(persona, pool)[:3] if not leaked_facts(line, persona.facts)]
    return {
        "name": persona.name,
        "age": persona.age,
        "pronouns": persona.pronouns,
        "setting": persona.setting,
        "presenting": persona.presenting_problem,
        "ordinary": [f"{key.replace('_', ' ')}: {value}" for key, value in persona.ordinary_life.items()],
        "strengths": ", ".join(persona.strengths),
        "culture": persona.culture,
        "habits": list(persona.style.habits),
        "principles": list(persona.principles),
        "never_says": "; ".join(f'"{phrase}"' for phrase in persona.never_says),
        "examples": examples[:14],
    }


def _move(cue: Cue) -> str:
    words = _move_words().moves[cue.direction.move]
    if cue.direction.move is Move.TEST:
        lines = pool_lines(cue.persona, cue.direction.pools[0])
        return words.replace("{line}", draw(cue.seed, cue.state.turn, "test").choice(lines))
    return words


def _window(context: tuple[Utterance, ...]) -> tuple[Utterance, ...]:
    overflow = max(0, len(context) - _WINDOW)
    return context[-(-overflow // _WINDOW_STEP) * _WINDOW_STEP :]


def _tidy(text: str, persona: Persona) -> str:
    """Drop what models wrap around a line: the name, quotation marks, white space."""
    text = text.strip()
    if text.lower().startswith(f"{persona.name.lower()}:"):
        text = text[len(persona.name) + 1 :].strip()
    if len(text) > 1 and text[0] in '"\u201c' and text[-1] in '"\u201d':
        text = text[1:-1].strip()
    return text


def _said_before(text: str, context: tuple[Utterance, ...]) -> bool:
    plain = text.strip().lower().rstrip(".!?… ")
    return len(plain.split()) > 3 and any(u.speaker is Speaker.CLIENT and u.text.strip().lower().rstrip(".!?… ") == plain for u in context)
