"""A deterministic OpenAI-compatible server on the loopback interface. It fails loudly and remembers everything that was sent.

It answers only what a rule answers: the first rule whose predicate accepts the request. A request that no rule accepts, that names a
field no real server knows, or that carries a schema strict mode would refuse, gets a 400 and is remembered as unexpected.

    with FakeOpenAI() as server:
        server.when(says("phone number"), "I was just wondering.")
        server.fail_next(rate_limited(retry_after="2"), server_error())
        ...
        server.assert_no_unexpected()

By hand: ``python -m tests.fakes.openai_server --port 8099 --rules rules.json`` where the file holds a list of
``{"contains": "words in any message", "reply": "text" or an object}``; an empty ``contains`` accepts every request.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.fakes.openai_shapes import (
    Refusal,
    Request,
    Words,
    chunk,
    completion,
    json_object,
    limited,
    problem_of,
    usage,
    words_of,
)

Predicate = Callable[[Request], bool]

_LONGEST_HOLD_SECONDS = 20.0


Reply = Words | Callable[[Request], Words]


@dataclass(frozen=True)
class Rule:
    """Requests that ``accepts`` are answered with ``reply``."""

    accepts: Predicate
    reply: Reply


@dataclass(frozen=True)
class Failure:
    """What happens to the next request instead of, or on the way to, a proper answer."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    hold: threading.Event | None = None
    cut_after: int | None = None
    hold_after: int | None = None
    finish: str | None = None
    words: str | None = None


@dataclass(frozen=True)
class Sent:
    """One request as it arrived. Header names are in lower case; ``body`` is None when it was no JSON object."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any] | None

    @property
    def text(self) -> str:
        """All words of all messages."""
        return words_of(self.body or {})


def always(_request: Request) -> bool:
    """Accept every request."""
    return True


def says(words: str) -> Predicate:
    """Accept requests with ``words`` in any message."""
    return lambda request: words in words_of(request)


def error(status: int, message: str = "failed on purpose", *, code: str | None = None, headers: Mapping[str, str] | None = None) -> Failure:
    """Any HTTP status, with a body shaped like OpenAI's."""
    body = json.dumps({"error": {"message": message, "type": "test", "param": None, "code": code}})
    return Failure(status=status, headers=dict(headers or {}), body=body)


def rate_limited(retry_after: str | None = None) -> Failure:
    """429, with or without Retry-After (seconds or a date, as text)."""
    return error(429, "too many requests", code="rate_limit_exceeded", headers={"retry-after": retry_after} if retry_after else {})


def server_error() -> Failure:
    """500."""
    return error(500, "the server had an error")


def bad_key() -> Failure:
    """401."""
    return error(401, "Incorrect API key provided", code="invalid_api_key")


def broken_json() -> Failure:
    """200 with half a JSON document."""
    return Failure(status=200, body='{"choices": [{"message": {"content": "hel')


def web_page() -> Failure:
    """200 with HTML, as a login page of a network sends it."""
    return Failure(status=200, body="<html><body>Please sign in</body></html>", headers={"content-type": "text/html"})


def content_filter() -> Failure:
    """The rule's reply, ended by a content filter."""
    return Failure(finish="content_filter")


def saying(words: str) -> Failure:
    """Other words than the rule's, once."""
    return Failure(words=words)


def held(event: threading.Event) -> Failure:
    """Nothing is answered before ``event`` is set."""
    return Failure(hold=event)


def cut_off(after: int) -> Failure:
    """The connection breaks after that many pieces of text (0: before any answer)."""
    return Failure(cut_after=after)


def held_after(pieces: int, event: threading.Event) -> Failure:
    """The stream pauses after that many pieces until ``event`` is set."""
    return Failure(hold_after=pieces, hold=event)


class FakeOpenAI:
    """The server. Use as a context manager; ``base_url`` is valid inside."""

    def __init__(self, *, port: int = 0, models: Sequence[str] = ("fake-model",)) -> None:
        self.models = tuple(models)
        self._rules: list[Rule] = []
        self._failures: deque[Failure] = deque()
        self._sent: list[Sent] = []
        self._unexpected: list[str] = []
        self._lock = threading.Lock()
        self.client_left = threading.Event()
        self._http = _Server(("127.0.0.1", port), _Handler)
        self._http.fake = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> FakeOpenAI:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(timeout=5)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def requests(self) -> list[Sent]:
        """Everything that was sent, in order of arrival."""
        with self._lock:
            return list(self._sent)

    @property
    def last(self) -> Mapping[str, Any]:
        """The body of the latest chat request."""
        bodies = [sent.body for sent in self.requests if sent.body is not None and sent.path.endswith("/chat/completions")]
        assert bodies, "no chat request was sent"
        return bodies[-1]

    def when(self, accepts: Predicate, reply: Reply) -> None:
        """Add a rule after those already there."""
        with self._lock:
            self._rules.append(Rule(accepts, reply))

    def fail_next(self, *failures: Failure) -> None:
        """Queue failures; each is used by one chat request, before any rule is looked at."""
        with self._lock:
            self._failures.extend(failures)

    def assert_no_unexpected(self) -> None:
        """Fail with a list of the requests nobody had a rule for."""
        with self._lock:
            found = list(self._unexpected)
        assert not found, "the fake server got requests it has no rule for:\n" + "\n".join(found)

    def remember(self, sent: Sent) -> None:
        with self._lock:
            self._sent.append(sent)

    def next_failure(self) -> Failure | None:
        with self._lock:
            return self._failures.popleft() if self._failures else None

    def unexpected(self, why: str) -> None:
        with self._lock:
            self._unexpected.append(why)

    def answer_for(self, request: Request) -> Words | None:
        with self._lock:
            rules = list(self._rules)
        for rule in rules:
            if rule.accepts(request):
                return rule.reply(request) if callable(rule.reply) else rule.reply
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    fake: FakeOpenAI

    def handle_error(self, request: Any, client_address: Any) -> None:
        if isinstance(sys.exc_info()[1], ConnectionError):
            self.fake.client_left.set()
        else:
            self.fake.unexpected(f"the fake server itself failed: {sys.exc_info()[1]!r}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: assertions look at what was remembered."""

    def do_GET(self) -> None:
        fake = self.server.fake
        fake.remember(Sent(self.path, self._lower_headers(), None))
        if self.path.endswith("/models"):
            self._json(200, {"object": "list", "data": [{"id": m, "object": "model", "created": 0, "owned_by": "test"} for m in fake.models]})
        else:
            self._refuse(f"GET {self.path}", status=404)

    def do_POST(self) -> None:
        fake = self.server.fake
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json_object(raw)
        fake.remember(Sent(self.path, self._lower_headers(), body))
        if not self.path.endswith("/chat/completions"):
            self._refuse(f"POST {self.path}", status=404)
            return
        failure = fake.next_failure() or Failure()
        if failure.hold is not None and failure.hold_after is None:
            self._wait(failure.hold)
        if failure.cut_after == 0:
            self._hang_up()
        elif failure.status is not None:
            self._text(failure.status, failure.body or "", {"content-type": "application/json", **failure.headers})
        elif body is None or (problem := problem_of(body)) is not None:
            self._refuse("not a JSON object" if body is None else f"{problem}: {json.dumps(body)[:300]}")
        else:
            answer = failure.words if failure.words is not None else fake.answer_for(body)
            if answer is None:
                self._refuse(f"no rule for {json.dumps(body)[:600]}")
            elif body.get("stream"):
                self._stream(body, answer, failure)
            else:
                self._json(200, completion(body, answer, finish=failure.finish))

    def _stream(self, body: Request, answer: Words, failure: Failure) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        pieces, finish = limited(body, answer)
        key = "refusal" if isinstance(answer, Refusal) else "content"
        self._event(chunk(body, {"role": "assistant", "content": ""}))
        for number, piece in enumerate(pieces):
            if failure.cut_after == number:
                self._hang_up()
                return
            if failure.hold_after == number and failure.hold is not None:
                self._wait(failure.hold)
            self._event(chunk(body, {key: piece}))
        self._event(chunk(body, {}, finish=failure.finish or finish))
        if (body.get("stream_options") or {}).get("include_usage"):
            self._event({**chunk(body, {}), "choices": [], "usage": usage(body, pieces)})
        self._write_chunk(b"data: [DONE]\n\n")
        self._write_chunk(b"")

    def _event(self, data: Mapping[str, Any]) -> None:
        self._write_chunk(b"data: " + json.dumps(data).encode() + b"\n\n")

    def _write_chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _wait(self, event: threading.Event) -> None:
        """Wait for ``event``, and notice when the client goes away meanwhile."""
        waited = 0.0
        while not event.wait(0.02):
            waited += 0.02
            readable, _, _ = select.select([self.connection], [], [], 0)
            if (readable and not self.connection.recv(1, socket.MSG_PEEK)) or waited > _LONGEST_HOLD_SECONDS:
                raise ConnectionAbortedError("the client left")

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def _refuse(self, why: str, *, status: int = 400) -> None:
        self.server.fake.unexpected(why)
        self._json(status, {"error": {"message": f"no rule: {why}", "type": "invalid_request_error", "param": None, "code": None}})

    def _json(self, status: int, body: object) -> None:
        self._text(status, json.dumps(body), {"content-type": "application/json"})

    def _text(self, status: int, body: str, headers: Mapping[str, str]) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _lower_headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}


def _rules_from(path: Path) -> list[Rule]:
    entries = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(entries, list):
        raise SystemExit(f"{path}: a list of rules is needed")
    rules = []
    for number, entry in enumerate(entries, start=1):
        fits = isinstance(entry, dict) and set(entry) == {"contains", "reply"} and isinstance(entry["contains"], str)
        if not fits or not isinstance(entry["reply"], str | dict):
            raise SystemExit(f'{path}: rule {number} must be {{"contains": "words", "reply": "text" or an object}}')
        rules.append(Rule(says(entry["contains"]), entry["reply"]))
    return rules


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted, and print what no rule answered."""
    parser = argparse.ArgumentParser(description="An OpenAI-compatible server that answers from a file of rules.")
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--rules", type=Path, help="JSON file with rules; without it every request is refused")
    options = parser.parse_args(arguments)
    rules = _rules_from(options.rules) if options.rules else []
    with FakeOpenAI(port=options.port) as server:
        for rule in rules:
            server.when(rule.accepts, rule.reply)
        print(f"serving {len(rules)} rules at {server.base_url} (Ctrl+C ends)", file=sys.stderr)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            server.assert_no_unexpected()


if __name__ == "__main__":
    main()
