"""The turn loop: start, take a turn, resume, take back, try again, end (design section 3).

Order is the promise: the trainee's words are committed before anything that can fail; the client's side of a turn is one guarded
transaction; scoring comes after and can fail without touching the turn. Whoever resumes a session finishes its unfinished turn.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter

from core.appraisal import Appraiser, SkillAppraisal, appraisal_from_json, appraisal_to_json
from core.clock import new_id, now
from core.errors import Conflict, InvalidInput, NotFound
from core.replies import accept_reply
from core.transcript import Speaker, Transcript
from personas.change import apply_appraisal
from personas.direction import Direction, settle
from personas.director import decide
from personas.library import PersonaLibrary
from personas.matching import TopicMatcher
from personas.pools import pool_lines
from personas.schema import Persona
from personas.state import (
    ClientState,
    draw,
    initial_state,
    ledger_from_json,
    ledger_to_json,
    state_from_json,
    state_to_json,
)
from personas.voice import ClientReply, Cue, Voice, opening_line
from simulator import records
from simulator.records import SessionRow, TurnRow
from simulator.views import ALLOWED_MOVES, SessionView, Status, TurnView
from storage.database import Database

log = logging.getLogger(__name__)
RowT = TypeVar("RowT", SessionRow, TurnRow)
_DIRECTION = TypeAdapter(Direction)


@dataclass(frozen=True, slots=True)
class ClientEngine:
    """What it takes to play a client: the appraiser, the voice, and the persona's topics."""

    name: str
    appraiser: Appraiser
    voice: Voice
    matcher: Callable[[Persona], TopicMatcher]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Everything one turn computes, before it is stored."""

    appraisal: SkillAppraisal
    ledger: list[dict[str, Any]]
    direction: Direction
    reply: ClientReply
    state: ClientState


class SessionEngine:
    """Practice sessions over one database. Safe for several threads and several processes."""

    def __init__(self, database: Database, library: PersonaLibrary, engine_named: Callable[[str], ClientEngine], *, rubric: tuple[str, int]) -> None:
        self._database = database
        self._library = library
        self._engine_named = engine_named
        self._rubric = rubric

    def start(self, persona_id: str, *, trainee: str, seed: int, engine: str, focus: str = "", hints: bool = True) -> SessionView:
        """Open a session with a client. The persona is kept with the session as it is now."""
        persona = self._library.get(persona_id)
        with self._database.writing() as db:
            row = SessionRow(
                id=new_id(),
                trainee=trainee,
                created_at=now(),
                updated_at=now(),
                status=Status.OPEN.value,
                mode="practice",
                persona_id=persona.id,
                persona_version=persona.version,
                persona_hash=self._library.fingerprint(persona.id, persona.version),
                persona=persona.model_dump(mode="json"),
                rubric_id=self._rubric[0],
                rubric_version=self._rubric[1],
                seed=seed,
                engine=engine,
                focus=focus.strip()[:200],
                hints=hints,
                opening=opening_line(persona, seed=seed),
                start_state=state_to_json(initial_state(persona, seed=seed)),
            )
            db.add(row)
            session_id = row.id
        return self.view(session_id)

    def take_turn(self, session_id: str, words: str, *, key: str, turn: int | None = None) -> SessionView:
        """Store the trainee's words, then let the client answer.

        ``key`` names the click: sending the same key again changes nothing and returns the same turn. ``turn`` is the number the
        sender believes it is writing; when the session has moved on, ``Conflict`` is raised and the words are kept as a draft.
        Words that cannot be accepted are kept as a draft too, and ``InvalidInput`` says why.
        """
        try:
            accepted = accept_reply(words)
        except InvalidInput:
            self.add_to_draft(session_id, words.replace("\x00", "")[:100_000])
            raise
        try:
            turn_id = self._store(session_id, accepted, key=key, turn=turn)
        except Conflict:
            self.add_to_draft(session_id, accepted)
            raise
        if turn_id is not None:
            self._complete(session_id, turn_id)
        return self.view(session_id)

    def _store(self, session_id: str, words: str, *, key: str, turn: int | None) -> str | None:
        """Commit the words; None when this key was stored before and its turn is complete."""
        with self._database.writing() as db:
            session = records.find_session(db, session_id)
            known = records.find_turn_by_key(db, session_id, key)
            if known is not None:
                return known.id if known.status == "stored" else None
            status = Status(session.status)
            if status is Status.ENDED:
                raise Conflict("This session has ended. Your words are kept; start again from any turn in the debrief.")
            number = records.count_live(db, session_id) + 1
            if status is Status.AWAITING_CLIENT or (turn is not None and turn != number):
                raise Conflict("This session moved on in another window, or the client is still answering. Your words are kept below.")
            row = records.store_words(db, session, number=number, key=key, words=words)
            records.take_from_draft(db, session_id, words)
            return row.id

    def resume(self, session_id: str) -> SessionView:
        """Finish a turn that was interrupted, if there is one, and return the session."""
        view = self.view(session_id)
        if view.status is Status.AWAITING_CLIENT and view.turns and view.turns[-1].client is None:
            self._complete(session_id, view.turns[-1].id)
            return self.view(session_id)
        return view

    def _complete(self, session_id: str, turn_id: str) -> None:
        """Compute the client's side outside any transaction, then store it in one. Losing a race is fine: the winner's words stand."""
        view = self.view(session_id)
        turn = next((t for t in view.turns if t.id == turn_id), None)
        if turn is None or turn.client is not None:
            return
        persona = self.persona_of(session_id)
        played = self._play(view, turn, persona)
        with self._database.writing() as db:
            done = records.complete_turn(
                db,
                turn_id,
                {
                    "client": played.reply.text,
                    "voice": played.reply.voice,
                    "appraisal": appraisal_to_json(played.appraisal),
                    "ledger": played.ledger,
                    "state": state_to_json(played.state),
                    "direction": _DIRECTION.dump_python(played.direction, mode="json"),
                    "checks": {
                        "rejected": [[dataclasses.asdict(f) for f in draft] for draft in played.reply.rejected],
                        "setback": played.reply.setback,
                    },
                },
            )
            if not done:
                return
            session = records.find_session(db, session_id)
            if played.state.ended is not None:
                _move(session, Status.ENDED)
                session.ended_at, session.ending = now(), played.state.ended
            else:
                _move(session, Status.OPEN)
            session.updated_at = now()

    def _play(self, view: SessionView, turn: TurnView, persona: Persona) -> Played:
        before = next((t.state for t in reversed(view.turns) if t.number < turn.number and t.state is not None), view.start_state)
        engine = self._engine_named(view.engine)
        return play_turn(persona, before, view.transcript(before_turn=turn.number), turn.therapist, engine=engine, seed=view.seed, session_id=view.id)

    def take_back(self, session_id: str) -> SessionView:
        """Return to before the last reply. The attempt is kept; the client remembers nothing of it."""
        with self._database.writing() as db:
            session = records.find_session(db, session_id)
            live = records.turns_of(db, session_id)
            if session.mode == "graded":
                raise Conflict("Replies cannot be taken back in graded work.")
            if not live or (Status(session.status) is Status.ENDED and session.ending != "leaves_early"):
                raise Conflict("There is nothing to take back.")
            live[-1].status = "withdrawn"
            session.status, session.updated_at = Status.OPEN.value, now()
            session.ended_at = session.ending = None
            records.add_to_draft(db, session_id, live[-1].therapist)
        return self.view(session_id)

    def try_again(self, session_id: str, *, turn: int) -> SessionView:
        """Open a new session that is the same up to ``turn``, where the trainee writes anew. The earlier one stays as it is."""
        with self._database.writing() as db:
            old = records.find_session(db, session_id)
            if old.mode == "graded":
                raise Conflict("Graded work cannot be tried again from the middle.")
            live = [t for t in records.turns_of(db, session_id) if t.status == "complete"]
            if not 1 <= turn <= len(live):
                raise NotFound(f"This session has no turn {turn}.")
            new = _copy(
                old,
                SessionRow,
                id=new_id(),
                created_at=now(),
                updated_at=now(),
                ended_at=None,
                status=Status.OPEN.value,
                closing=None,
                ending=None,
                self_rating=None,
                parent_id=old.id,
                parent_turn=turn,
            )
            db.add(new)
            db.flush()
            for row in live[: turn - 1]:
                db.add(_copy(row, TurnRow, id=new_id(), session_id=new.id, key=f"copy-{row.id}", attempt=1))
            new_session = new.id
        return self.view(new_session)

    def end(self, session_id: str) -> SessionView:
        """End the session; the client says a last line that fits how it went. Ending twice changes nothing."""
        view = self.resume(session_id)
        if view.status is Status.ENDED:
            return view
        persona = self.persona_of(session_id)
        ending, line = closing_line(persona, view.state, seed=view.seed)
        with self._database.writing() as db:
            session = records.find_session(db, session_id)
            if Status(session.status) is not Status.ENDED:
                _move(session, Status.ENDED)
                session.closing, session.ending, session.ended_at, session.updated_at = line, ending, now(), now()
        return self.view(session_id)

    def add_to_draft(self, session_id: str, words: str) -> None:
        """Keep words that were typed and not sent, beside those kept before."""
        with self._database.writing() as db:
            records.find_session(db, session_id)
            records.add_to_draft(db, session_id, words)

    def keep_draft(self, session_id: str, words: str) -> None:
        """Keep the person's own edit of the words that were not sent; an empty text puts them aside."""
        with self._database.writing() as db:
            records.find_session(db, session_id)
            records.keep_draft(db, session_id, words)

    def rate_self(self, session_id: str, rating: dict[str, Any]) -> SessionView:
        """Keep the trainee's own rating, given before scores are shown."""
        with self._database.writing() as db:
            records.find_session(db, session_id).self_rating = rating
        return self.view(session_id)

    def disagree(self, turn_id: str, words: str) -> None:
        """Keep a trainee's disagreement with a piece of feedback."""
        with self._database.writing() as db:
            if db.get(TurnRow, turn_id) is None:
                raise NotFound("This turn does not exist any more.")
            db.add(records.DisagreementRow(id=new_id(), turn_id=turn_id, at=now(), words=words.replace("\x00", "")[:4000]))

    def delete(self, session_id: str) -> None:
        """Delete a session and everything that hangs on it."""
        with self._database.writing() as db:
            db.delete(records.find_session(db, session_id))

    def sessions(self, trainee: str) -> tuple[SessionView, ...]:
        """All sessions of a trainee, newest first."""
        with self._database.reading() as db:
            return tuple(
                _view(row, records.turns_of(db, row.id, withdrawn=True), records.draft_of(db, row.id)) for row in records.sessions_of(db, trainee)
            )

    def view(self, session_id: str) -> SessionView:
        """The session as it is stored now."""
        with self._database.reading() as db:
            row = records.find_session(db, session_id)
            return _view(row, records.turns_of(db, session_id, withdrawn=True), records.draft_of(db, session_id))

    def persona_of(self, session_id: str) -> Persona:
        """The persona as it was when the session began."""
        with self._database.reading() as db:
            return Persona.model_validate(records.find_session(db, session_id).persona)


def play_turn(
    persona: Persona,
    state: ClientState,
    transcript: Transcript,
    words: str,
    *,
    engine: ClientEngine,
    seed: int,
    session_id: str | None = None,
) -> Played:
    """One turn as data: words to appraisal to state to direction to reply. Reads and writes nothing but what the engine's model does."""
    appraisal = engine.appraiser.appraise(transcript.utterances, words)
    update = apply_appraisal(state, appraisal, persona, seed=seed)
    matches = engine.matcher(persona).match(words)
    direction = decide(persona, update, appraisal, matches, seed=seed)
    context = transcript.then(Speaker.THERAPIST, words)
    reply = engine.voice.speak(
        Cue(persona=persona, state=update.after, direction=direction, context=context.utterances, seed=seed, session_id=session_id)
    )
    settled = settle(update.after, direction, persona, reply.used)
    return Played(appraisal=appraisal, ledger=ledger_to_json(update.ledger), direction=direction, reply=reply, state=settled)


def closing_line(persona: Persona, state: ClientState, *, seed: int) -> tuple[str, str]:
    """Which ending this is, and the client's last words."""
    earned = [persona.fact(fact_id) for fact_id in state.told]
    partial = state.rupture is None and state.trust >= persona.start.trust + 0.8 and any(f.tier >= 1 for f in earned)
    ending = "partial" if partial else "stuck"
    return ending, draw(seed, state.turn, "closing").choice(pool_lines(persona, f"endings.{ending}"))


def _move(session: SessionRow, to: Status) -> None:
    status = Status(session.status)
    if to is not status and to not in ALLOWED_MOVES[status]:
        raise Conflict(f"A session that is {status.value} cannot become {to.value}.")
    session.status = to.value


def _copy(row: RowT, table: type[RowT], **changes: Any) -> RowT:
    values = {column.key: getattr(row, column.key) for column in table.__table__.columns}
    return table(**{**values, **changes})


def _view(row: SessionRow, turns: list[TurnRow], draft: str) -> SessionView:
    views = [_turn_view(turn) for turn in turns]
    return SessionView(
        id=row.id,
        trainee=row.trainee,
        status=Status(row.status),
        mode=row.mode,
        persona_id=row.persona_id,
        persona_version=row.persona_version,
        persona_name=str(row.persona["name"]),
        rubric_id=row.rubric_id,
        rubric_version=row.rubric_version,
        seed=row.seed,
        engine=row.engine,
        focus=row.focus,
        hints=row.hints,
        opening=row.opening,
        start_state=state_from_json(row.start_state),
        created_at=row.created_at,
        updated_at=row.updated_at,
        ended_at=row.ended_at,
        closing=row.closing,
        ending=row.ending,
        self_rating=row.self_rating,
        parent_id=row.parent_id,
        parent_turn=row.parent_turn,
        turns=tuple(v for v in views if v.live),
        withdrawn=tuple(v for v in views if not v.live),
        draft=draft,
    )


def _turn_view(row: TurnRow) -> TurnView:
    return TurnView(
        id=row.id,
        number=row.number,
        attempt=row.attempt,
        therapist=row.therapist,
        therapist_at=row.therapist_at,
        client=row.client,
        voice=row.voice,
        appraisal=appraisal_from_json(row.appraisal) if row.appraisal is not None else None,
        ledger=ledger_from_json(row.ledger or []),
        state=state_from_json(row.state) if row.state is not None else None,
        direction=row.direction or {},
        checks=row.checks or {},
        live=row.status != "withdrawn",
    )
