"""An embedded client turn, all included: appraisal, state, direction, voice, checks, two transactions. Then its scores and feedback."""

from functools import partial

from benchmarks.measuring import report, throwaway_services, timed
from core.clock import new_id
from simulator.dry_run import trainees
from simulator.views import Status

TURNS = 40


def main() -> None:
    turns: list[float] = []
    feedback: list[float] = []
    with throwaway_services() as services:
        services.warm_up()
        for persona in services.library.all():
            for name in ("skilled", "neutral", "poor"):
                view = services.sessions.start(persona.id, trainee="bench", seed=1, engine="embedded")
                lines = trainees().trainees[name]
                for number in range(TURNS):
                    words = (
                        lines[number % len(lines)]
                        .replace("{word}", "that")
                        .replace("{cue}", persona.facts[number % len(persona.facts)].cues[0])
                    )
                    session_id = view.id
                    turns.append(timed(partial(services.sessions.take_turn, session_id, words, key=new_id())))
                    feedback.append(timed(partial(services.coach.outcomes, session_id)))
                    view = services.sessions.view(session_id)
                    if view.status is Status.ENDED:
                        break
    report("embedded client turn", turns, "p95 <= 150 ms")
    report("scores and feedback after a turn", feedback, "no target; shown after the client's words")


if __name__ == "__main__":
    main()
