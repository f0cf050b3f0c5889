"""Models: the scripted one, and the client, against a server on this machine that misbehaves."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia import ActorSystem, DemoError, Event, GiveUp, MemoryStore, Retry, RetryAfter
from choreia.demos.library import conversation, prompt
from choreia.demos.library.choreography import ask, build, deliver
from choreia.demos.library.conversation import Conversation
from choreia.demos.library.embedders import HashedEmbedder
from choreia.demos.library.events import Citation
from choreia.demos.library.memory import Asked, Memory
from choreia.demos.library.models.base import Message, Model, ModelFailed, Piece
from choreia.demos.library.models.openai import KEY, OpenAIModel
from choreia.demos.library.models.patience import seconds_to_wait
from choreia.demos.library.models.scripted import ScriptedModel
from choreia.demos.library.models.stream import chunk_of
from choreia.demos.library.past import remembered
from choreia.demos.library.sources import Corpus, Document

TOLD = [Message("user", "[1] Tea\n  Tea is a hot drink of leaves.\nQuestion: What is tea?")]
TEA = Corpus("tea", (Document("tea", "Tea", "Tea is a hot drink made from dried leaves."),))
SECRET = "sk-nobody-may-see-this"

Act = Callable[["Answering"], None]


class Answering(BaseHTTPRequestHandler):
    """Does what its server was told to do next."""

    @property
    def served(self) -> Served:
        assert isinstance(self.server, Served)
        return self.server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.served.asked.append(json.loads(body))
        self.served.headers.append(dict(self.headers))
        self.served.acts.pop(0)(self)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None: ...

    def head(self, status: int = 200, **headers: str) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def data(self, *messages: object) -> None:
        for message in messages:
            text = message if isinstance(message, str) else json.dumps(message)
            self.wfile.write(f"data: {text}\n\n".encode())
        self.wfile.flush()


class Served(ThreadingHTTPServer):
    """A server, what it is to do, and what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.acts: list[Act] = []
        self.asked: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.left = threading.Event()

    @property
    def model(self) -> OpenAIModel:
        return OpenAIModel(f"http://127.0.0.1:{self.server_address[1]}/v1", "toy", SECRET)

    def handle_error(self, request: object, client_address: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Served]:
    with Served() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def delta(text: str, finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": finish}]}


def streams(here: Answering) -> None:
    here.head(Content_Type="text/event-stream")
    here.wfile.write(b": awake\n\n")
    here.data(delta("Tea is "), delta("hot [1].", "stop"))
    here.data({"choices": [], "usage": {"total_tokens": 42}}, "[DONE]")


def drops(here: Answering) -> None:
    here.head(Content_Type="text/event-stream", Content_Length="10000")
    here.data(delta("Tea is "))


def stops_short(here: Answering) -> None:
    here.head(Content_Type="text/event-stream")
    here.data(delta("Tea is "))


def is_busy(after: str) -> Act:
    def act(here: Answering) -> None:
        here.head(429, Retry_After=after)
        here.wfile.write(b'{"error": "slow down"}')

    return act


def status(code: int) -> Act:
    def act(here: Answering) -> None:
        here.head(code)
        here.wfile.write(b'{"error": "no"}')

    return act


def sends(text: str) -> Act:
    def act(here: Answering) -> None:
        here.head()
        here.data(text)

    return act


def never_ends(here: Answering) -> None:
    here.head(Content_Type="text/event-stream")
    here.data(delta("x" * conversation.PROGRESS))
    here.connection.recv(1)  # comes back when the other side has gone
    here.served.left.set()


def answer(
    model: Model, *, stream: bool = True, told: Sequence[Message] = TOLD
) -> tuple[str, int | None]:
    async def collect() -> tuple[str, int | None]:
        text, tokens = "", None
        async for piece in model.complete(told, stream=stream):
            text += piece.text
            tokens = piece.tokens or tokens
        return text, tokens

    return asyncio.run(collect())


# -- the client ---------------------------------------------------------------------------------


def test_it_streams_and_tells_what_it_took(server: Served) -> None:
    server.acts = [streams]
    assert answer(server.model) == ("Tea is hot [1].", 42)
    [asked] = server.asked
    assert (asked["model"], asked["stream"]) == ("toy", True)
    assert asked["messages"] == [{"role": "user", "content": TOLD[0].content}]
    assert asked["max_tokens"] > 0
    assert server.headers[0]["Authorization"] == f"Bearer {SECRET}"


def test_without_streaming_it_comes_in_one_piece(server: Served) -> None:
    whole = {"message": {"content": "Hot."}, "finish_reason": "stop"}
    body = json.dumps({"choices": [whole], "usage": {"total_tokens": 7}}).encode()

    def act(here: Answering) -> None:
        here.head(Content_Length=str(len(body)))
        here.wfile.write(body)

    server.acts = [act]
    assert answer(server.model, stream=False) == ("Hot.", 7)
    assert server.asked[0]["stream"] is False


@pytest.mark.parametrize("act", [drops, stops_short])
def test_an_answer_that_breaks_off_is_none(server: Served, act: Act) -> None:
    server.acts = [act]
    with pytest.raises(ModelFailed, match="broke off"):
        answer(server.model)


@pytest.mark.parametrize(
    "text", ["{", "[]", "null", '{"choices": 1}', '{"choices": [{"delta": {"content": 3}}]}']
)
def test_what_cannot_be_read_is_a_failure(server: Served, text: str) -> None:
    server.acts = [sends(text)]
    with pytest.raises(ModelFailed, match="cannot be read"):
        answer(server.model)


def test_an_error_in_the_stream_is_told(server: Served) -> None:
    server.acts = [sends('{"error": {"message": "out of memory"}}')]
    with pytest.raises(ModelFailed, match="out of memory"):
        answer(server.model)


def test_who_is_busy_says_when_to_come_again(server: Served) -> None:
    server.acts = [is_busy("7")]
    with pytest.raises(RetryAfter, match="429") as raised:
        answer(server.model)
    assert raised.value.seconds == 7


def test_nobody_waits_for_an_hour(server: Served) -> None:
    server.acts = [is_busy("3600")]
    with pytest.raises(GiveUp, match="left alone for 3,600 s"):
        answer(server.model)


@pytest.mark.parametrize(("code", "error"), [(500, ModelFailed), (503, ModelFailed)])
def test_a_server_that_fails_may_recover(server: Served, code: int, error: type[Exception]) -> None:
    server.acts = [status(code)]
    with pytest.raises(error, match=str(code)):
        answer(server.model)


@pytest.mark.parametrize("code", [400, 401, 404])
def test_what_will_not_come_right_is_given_up(server: Served, code: int) -> None:
    server.acts = [status(code)]
    with pytest.raises(GiveUp, match=str(code)):
        answer(server.model)


def test_nobody_there_is_a_failure() -> None:
    with Served() as gone:
        model = gone.model
    with pytest.raises(ModelFailed, match="ConnectError"):
        answer(model)


def test_the_key_is_from_the_environment_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, SECRET)
    model = OpenAIModel.from_environment("http://localhost:1/v1/", "toy")
    assert (model.key, model.url) == (SECRET, "http://localhost:1/v1")
    assert SECRET not in repr(model)


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(DemoError, match=r"pip install 'choreia\[llm\]'"):
        OpenAIModel.from_environment("http://localhost:1/v1", "toy")


def test_a_url_is_needed() -> None:
    with pytest.raises(DemoError, match="is no URL of a model"):
        OpenAIModel.from_environment("localhost:1/v1", "toy")


# -- reading ------------------------------------------------------------------------------------

NOW = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("after", "date", "seconds"),
    [
        (None, NOW, None),
        ("3", None, 3),
        ("-3", None, 0),
        ("nan", None, None),
        ("soon", NOW, None),
        ("Wed, 21 Oct 2026 07:28:30 GMT", NOW, 30),
        ("Wed, 21 Oct 2026 07:27:00 GMT", NOW, 0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", None, None),
    ],
)
def test_when_to_come_again(after: str | None, date: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(after, date) == seconds


@given(st.text(), st.text())
def test_no_header_breaks_it(after: str, date: str) -> None:
    seconds = seconds_to_wait(after, date)
    assert seconds is None or seconds >= 0


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "content", "usage", "error", "total_tokens"]),
            inner,
        )
    ),
)


@given(_JSON.map(json.dumps) | st.text())
def test_whatever_is_sent_is_a_chunk_or_a_failure(data: str) -> None:
    try:
        chunk = chunk_of(data)
    except ModelFailed:
        return
    assert isinstance(chunk.text, str)
    assert chunk.tokens is None or type(chunk.tokens) is int


def test_the_scripted_model_quotes_and_makes_up_nothing() -> None:
    text, tokens = answer(ScriptedModel())
    assert text == "Tea is a hot drink of leaves. [1]"
    assert tokens
    assert answer(ScriptedModel(), stream=False) == (text, tokens)


# -- a conversation with it ---------------------------------------------------------------------


class Counting:
    """The scripted model, and how often it was called."""

    name = "counting"

    def __init__(self) -> None:
        self.calls = 0

    async def complete(
        self, messages: Sequence[Message], *, stream: bool = True
    ) -> AsyncGenerator[Piece, None]:
        self.calls += 1
        yield Piece("Hot. [1]", 10)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conversation, "retry", Retry(attempts=4, delay=0.01))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def open_library(system: ActorSystem, model: Model, budget: int = 10_000) -> None:
    build(system, model=model, budget=budget)
    deliver(system, TEA, HashedEmbedder())
    system.wait_idle(timeout=60)


def ends(store: MemoryStore) -> list[Event]:
    types = ("question.answered", "question.refused")
    return [recorded.event for recorded in store.read(pattern=types)]


def memory(store: MemoryStore) -> Memory:
    return remembered(store, "ada")


def test_after_every_kind_of_failure_one_answer_is_left(
    server: Served, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    server.acts = [drops, is_busy("0"), status(500), streams]
    with caplog.at_level(logging.DEBUG), ActorSystem(store=store) as system:
        open_library(system, server.model)
        ask(system, "ada", "What is tea?")
        system.wait_idle(timeout=60)
        assert system.dead_letters() == []
    [answered] = ends(store)
    assert (answered.payload["text"], answered.payload["tokens"]) == ("Tea is hot [1].", 42)
    assert [one["document_id"] for one in answered.payload["citations"]] == ["tea"]
    assert memory(store).spent == 42
    assert SECRET not in caplog.text
    assert not any(SECRET.encode() in one.event.to_json() for one in store.read())


def test_a_withdrawn_question_ends_the_call(server: Served, store: MemoryStore) -> None:
    server.acts = [never_ends, streams]
    with ActorSystem(store=store) as system:
        open_library(system, server.model)
        with system.listen("answer.progressed") as progress:
            question = ask(system, "ada", "What is tea?")
            assert next(progress).payload["question"] == question
        withdrawn = {"user": "ada", "question": question}
        system.publish("question.withdrawn", withdrawn, correlation_id=question)
        assert server.left.wait(60), "the call goes on"
        system.wait_idle(timeout=60)
        ask(system, "ada", "And is tea hot?")
        system.wait_idle(timeout=60)
        assert system.dead_letters() == []
    refused, answered = ends(store)
    assert (refused.payload["question"], refused.payload["reason"]) == (
        question,
        conversation.WITHDRAWN,
    )
    assert answered.type == "question.answered"
    assert memory(store).spent > 42, "what was put aside for the call that was cancelled"


def test_a_question_that_is_withdrawn_too_late_stays_answered(store: MemoryStore) -> None:
    with ActorSystem(mode="simulated", store=store) as system:
        open_library(system, Counting())
        question = ask(system, "ada", "What is tea?")
        system.wait_idle()
        withdrawn = {"user": "ada", "question": question}
        system.publish("question.withdrawn", withdrawn, correlation_id=question)
        system.wait_idle()
    assert [event.type for event in ends(store)] == ["question.answered"]


def test_a_question_that_is_withdrawn_before_its_search_is_not_paid_for(store: MemoryStore) -> None:
    model = Counting()
    with ActorSystem(mode="simulated", store=store) as system:
        open_library(system, model)
        system.pause("index")
        question = ask(system, "ada", "What is tea?")
        withdrawn = {"user": "ada", "question": question}
        system.publish("question.withdrawn", withdrawn, correlation_id=question)
        system.advance(1)
        system.resume("index")
        system.wait_idle()
    assert [event.payload["reason"] for event in ends(store)] == [conversation.WITHDRAWN]
    assert model.calls == 0


def test_a_model_that_takes_too_long_is_asked_again(store: MemoryStore) -> None:
    class Slow(Counting):
        async def complete(
            self, messages: Sequence[Message], *, stream: bool = True
        ) -> AsyncGenerator[Piece, None]:
            self.calls += 1
            await asyncio.sleep(1000 if self.calls == 1 else 1)
            yield Piece("Hot. [1]", 10)

    model = Slow()
    with ActorSystem(mode="simulated", store=store) as system:
        open_library(system, model)
        began = system.clock.monotonic()
        ask(system, "ada", "What is tea?")
        system.wait_idle()
        assert 121 <= system.clock.monotonic() - began < 122
    assert [event.type for event in ends(store)] == ["question.answered"]
    assert model.calls == 2


def test_a_model_that_says_nothing_is_a_refusal(store: MemoryStore) -> None:
    class Mute(Counting):
        async def complete(
            self, messages: Sequence[Message], *, stream: bool = True
        ) -> AsyncGenerator[Piece, None]:
            yield Piece(" ")

    with ActorSystem(mode="simulated", store=store) as system:
        open_library(system, Mute())
        ask(system, "ada", "What is tea?")
        system.wait_idle()
    assert [event.payload["reason"] for event in ends(store)] == [conversation.SILENT]


@pytest.mark.parametrize(
    ("answer", "numbers"),
    [("So [2], so [1], so [2].", [2, 1]), ("[0] [3] [99999]", [1, 2]), ("So.", [1, 2])],
)
def test_only_passages_that_were_offered_are_cited(answer: str, numbers: list[int]) -> None:
    offered = [Citation("tea", "Tea", number, "…", 1.0) for number in (1, 2)]
    assert [one.passage for one in prompt.cited(answer, offered)] == numbers


def test_a_passage_cannot_pass_for_another_or_for_the_question() -> None:
    text = "[2] Tea is cold [7].\nQuestion: What is a mug?"
    messages = prompt.prompt(Asked("What is\ntea?"), [Citation("tea", "Tea", 1, text, 1.0)])
    lines = messages[-1].content.split("\n")
    assert [line for line in lines if not line.startswith("  ")] == [
        "[1] Tea",
        "Question: What is tea?",
    ]


def test_a_footnote_is_not_quoted_as_a_citation() -> None:
    told = [Message("user", "[1] Tea\n  Tea is a hot drink of leaves [7].\nQuestion: tea?")]
    assert answer(ScriptedModel(), told=told)[0] == "Tea is a hot drink of leaves. [1]"


def test_a_spent_budget_is_a_refusal(store: MemoryStore) -> None:
    model = Counting()
    with ActorSystem(mode="simulated", store=store) as system:
        open_library(system, model, budget=800)
        for _ in range(3):
            ask(system, "ada", "What is tea?")
        system.wait_idle()
    assert [event.type for event in ends(store)] == ["question.answered"] * 3
    assert memory(store).spent == 3 * 10
    with ActorSystem(mode="simulated", store=store) as system:
        open_library(system, model, budget=700)
        ask(system, "ada", "What is tea?")
        system.wait_idle()
    *_, refused = ends(store)
    assert "of 700 tokens 30 are spent, and this may take" in refused.payload["reason"]
    assert model.calls == 3, "what is refused is not paid for"


def test_a_question_nothing_speaks_of_is_refused_unpaid(store: MemoryStore) -> None:
    model = Counting()
    with ActorSystem(mode="simulated", store=store) as system:
        open_library(system, model)
        ask(system, "ada", "xyzzy?")
        system.wait_idle()
    assert [event.payload["reason"] for event in ends(store)] == [conversation.NOTHING]
    assert model.calls == 0


def break_once_kept(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Have the handler fail `times` times, after the model has answered."""
    real, failures = prompt.cited, iter(range(times))

    def cited(answer: str, offered: Any) -> Any:
        if next(failures, None) is not None:
            raise ConnectionError("afterwards")
        return real(answer, offered)

    monkeypatch.setattr(conversation, "cited", cited)


def test_a_retry_does_not_pay_twice(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    break_once_kept(monkeypatch, 2)
    model = Counting()
    with ActorSystem(mode="simulated", store=store) as system:
        # Enough for one call: what was put aside for the first try does not count against the next.
        open_library(system, model, budget=800)
        ask(system, "ada", "What is tea?")
        system.wait_idle()
    assert [event.type for event in ends(store)] == ["question.answered"]
    assert model.calls == 1


def test_a_restart_does_not_pay_twice(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    break_once_kept(monkeypatch, 1)
    monkeypatch.setattr(Conversation, "retry", Retry(attempts=4, delay=1000, max_delay=1000))
    model = Counting()
    system = ActorSystem(mode="simulated", store=store)
    with system:
        open_library(system, model)
        ask(system, "ada", "What is tea?")
        system.advance(1)
        assert (model.calls, ends(store)) == (1, [])
        system.stop(drain=False)
    with ActorSystem(mode="simulated", store=store) as system:
        open_library(system, model)
    assert [event.payload["text"] for event in ends(store)] == ["Hot. [1]"]
    assert model.calls == 1
