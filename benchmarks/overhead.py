"""What the app adds around a model call: a turn against a loopback server that answers at once, less the time of the bare call."""

from functools import partial
from itertools import count

from benchmarks.measuring import report, skilled_words, throwaway_services, timed
from core.clock import new_id
from language_models.base import ChatMessage, ChatRequest, ModelRole
from tests.fakes.openai_server import FakeOpenAI

TURNS = 60


def main() -> None:
    with FakeOpenAI() as server:
        numbers = count(1)
        server.when(lambda request: True, lambda request: f"Yeah. Number {next(numbers)}, I suppose.")
        with throwaway_services(base_url=server.base_url) as services:
            services.warm_up()
            model = services.models.model("default")
            bare_request = ChatRequest(role=ModelRole.CLIENT, messages=(ChatMessage("user", "Hello."),), prompt_hash="bench")
            bare = [timed(lambda: "".join(model.stream(bare_request))) for _ in range(TURNS)]
            view = services.sessions.start("teo", trainee="bench", seed=1, engine="default")
            whole = [timed(partial(services.sessions.take_turn, view.id, skilled_words(n), key=new_id())) for n in range(TURNS)]
            calls = services.models.usage_of(view.id).calls
    typical = sorted(bare)[len(bare) // 2]
    print(f"model calls a turn: {calls / TURNS:.2f}")
    report("bare call to a server that answers at once", bare, "-")
    report("app overhead around a model call", [value - typical * calls / TURNS for value in whole], "p95 <= 50 ms")


if __name__ == "__main__":
    main()
