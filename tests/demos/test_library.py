"""The library: every document becomes memory once, every question has one answer that stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from choreia import ActorSystem, DemoError, MemoryStore, SqliteStore, on
from choreia.cli.app import app
from choreia.cli.failures import run
from choreia.demos.library import choreography, conversation, passages, words
from choreia.demos.library.audit import audit
from choreia.demos.library.choreography import arrive, ask, build, deliver
from choreia.demos.library.command import command
from choreia.demos.library.embedders import HashedEmbedder, SentenceEmbedder
from choreia.demos.library.embedding import Embedding
from choreia.demos.library.events import (
    DocumentProcessed,
    DocumentReceived,
    EmbeddingGenerated,
    MemoryUpdated,
    Vector,
)
from choreia.demos.library.index import Index
from choreia.demos.library.memory import Memory
from choreia.demos.library.past import before_last_run, remembered, said, shelved
from choreia.demos.library.reader import TOGETHER, Reader
from choreia.demos.library.result import Outcome, outcome, to_json
from choreia.demos.library.shelves import Shelves
from choreia.demos.library.sources import MAX_BYTES, Corpus, Document, folder, title_of, topics
from choreia.runtime.stores.base import EventStore

Mode = Literal["threads", "simulated"]
MODES: list[Mode] = ["threads", "simulated"]

TEA = Document("tea", "Tea", "Tea is a drink of leaves.\n\nWater for tea is nearly boiling.")
MUG = Document("mug", "Mugs", "A mug is a cup with a handle.\n\nMugs break when they fall.")
LONG = Document(
    "long", "Long", "\n\n".join(f"Sentence {n} of it. " + "word " * 150 for n in range(250))
)
SHELF = Corpus("shelf", (TEA, MUG))

TALK = (
    ("ada", "What is tea?"),
    ("ben", "Do mugs break?"),
    ("ada", "And how hot is its water?"),
    ("ben", "xyzzy?"),
)


def visit(
    store: EventStore,
    corpus: Corpus = SHELF,
    talk: Sequence[tuple[str, str]] = (),
    *,
    mode: Mode = "simulated",
    seed: int = 0,
) -> Outcome:
    """A run: deliver, let it rest, talk."""
    with ActorSystem(mode=mode, seed=seed, store=store) as system:
        after = store.head
        build(system)
        delivered = deliver(system, corpus, HashedEmbedder())
        system.wait_idle(timeout=60)
        for user in dict(talk):
            arrive(system, user)
        for user, text in talk:
            ask(system, user, text)
        system.wait_idle(timeout=60)
        return outcome(store, corpus, delivered, after, system.dead_letters())


def texts(made: Outcome) -> list[tuple[str, str, bool]]:
    return [(one.user, one.question, one.refused) for one in made.answers]


def count(store: EventStore, type: str) -> int:
    return sum(1 for _ in said(store, type))


# -- the whole ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_documents_become_answers_that_say_where_they_stand(mode: Mode) -> None:
    store = MemoryStore()
    made = visit(store, talk=TALK, mode=mode)
    assert [check for check in made.checks if not check.holds] == []
    assert texts(made) == [
        ("ada", "What is tea?", False),
        ("ada", "And how hot is its water?", False),
        ("ben", "Do mugs break?", False),
        ("ben", "xyzzy?", True),
    ]
    tea, water, mugs, nothing = made.answers
    assert [one["document_id"] for one in tea.citations] == ["tea"]
    assert 0 < tea.citations[0]["score"] <= 1
    assert "Tea is a drink of leaves." in tea.text
    assert "nearly boiling" in water.text
    assert "Mugs break when they fall." in mugs.text
    assert nothing.text == conversation.NOTHING


def test_the_same_questions_have_the_same_answers_on_both_dispatchers() -> None:
    results = [
        json.dumps(to_json(visit(MemoryStore(), talk=TALK, mode=mode, seed=seed)))
        for mode in MODES
        for seed in range(5)
    ]
    assert all(result == results[0] for result in results)


def test_nobody_is_told_what_to_do() -> None:
    """Each event is caused by the one before in the chain, and by no caller."""
    store = MemoryStore()
    visit(store, talk=TALK[:1])
    by_id = {one.event.id: one.event for one in store.read()}
    [answered] = said(store, "question.answered")
    chain = [answered]
    while chain[-1].metadata.causation_id in by_id:
        chain.append(by_id[str(chain[-1].metadata.causation_id)])
    assert [event.type for event in reversed(chain)] == [
        "question.asked",
        "search.requested",
        "query.embedded",
        "search.found",
        "question.answered",
    ]
    assert len({event.metadata.correlation_id for event in chain}) == 1


def test_a_long_document_is_cut_into_parts_and_all_of_it_is_found() -> None:
    store = MemoryStore()
    made = visit(store, Corpus("long", (LONG, TEA)), [("ada", "What is sentence 249 of it?")])
    assert made.adds_up
    assert count(store, "document.processed") > 2
    parts = [event.payload for event in said(store, "document.processed")]
    assert all(len(part["passages"]) <= TOGETHER for part in parts)
    assert made.answers[0].citations[0]["document_id"] == "long"
    assert "Sentence 249 of it." in made.answers[0].text


@pytest.mark.parametrize("seed", range(10))
def test_two_users_at_once_are_not_mixed_up(seed: int) -> None:
    talk = [("ada", "What is tea?"), ("ben", "What is a mug?")] + [
        (user, "And what about it?") for user in ("ada", "ben")
    ]
    made = visit(MemoryStore(), talk=talk, seed=seed)
    best = [answer.citations[0]["document_id"] for answer in made.answers]
    assert best == ["tea", "tea", "mug", "mug"]


# -- what is remembered ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_the_next_run_indexes_nothing_again_and_remembers(mode: Mode, tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "lib.db")) as store:
        visit(store, talk=TALK[:2], mode=mode)
        embedded = count(store, "embedding.generated")
        again = visit(store, talk=[("ada", "And how hot is its water?")], mode=mode)
        assert count(store, "embedding.generated") == embedded
    assert again.adds_up
    assert again.delivered == 0
    assert again.greetings == {"ada": ("What is tea?",)}
    assert "nearly boiling" in again.answers[0].text, "what `it` means was remembered"
    assert texts(again) == [("ada", "And how hot is its water?", False)]


def test_what_has_changed_is_read_again_and_what_is_gone_is_forgotten() -> None:
    store = MemoryStore()
    visit(store)
    colder = Document("tea", "Tea", "Tea is now served cold.")
    changed = visit(store, Corpus("shelf", (colder,)), [("ada", "How is tea served?")])
    assert (changed.adds_up, changed.delivered) == (True, 2)
    assert "Tea is now served cold." in changed.answers[0].text
    [entry] = shelved(store).entries()
    assert (entry.document_id, entry.version) == ("tea", 2)
    back = visit(store, SHELF, [("ben", "Is tea a drink?")])
    assert (back.adds_up, back.delivered) == (True, 2)
    assert "Tea is a drink of leaves." in back.answers[0].text
    assert len(list(shelved(store).entries())) == 2


def test_a_document_with_nothing_to_read_is_withdrawn_once() -> None:
    store, drawn = MemoryStore(), Corpus("drawn", (Document("x", "x", "=====\n\n-----\n"),))
    assert visit(store, drawn).adds_up
    assert count(store, "document.withdrawn") == 1
    assert visit(store, drawn).delivered == 0


def test_a_late_passage_of_an_old_version_is_not_indexed() -> None:
    with ActorSystem(mode="simulated", store=MemoryStore()) as system:
        system.spawn(Index, name="index")
        for version in (2, 1):
            passage = {"number": 1, "text": f"version {version}"}
            payload = {"document_id": "a", "version": version, "title": "A", "passage": passage}
            system.publish("embedding.generated", {**payload, "vector": {"1": 1.0}})
        system.wait_idle()
        [entry] = shelved(system.store).entries()
    assert entry.version == 2


def test_the_past_can_be_asked() -> None:
    store = MemoryStore()

    def ada(up_to: int | None = None) -> Memory:
        return remembered(store, "ada", up_to)

    visit(store, talk=TALK[:1])
    assert ada(before_last_run(store)).asked == ()
    end = store.head
    visit(store, talk=[("ada", "What is a mug?")])
    assert ada().asked == ("What is tea?", "What is a mug?")
    assert ada(before_last_run(store)).asked == ("What is tea?",)
    assert ada(before_last_run(store)).context == ("tea",)
    [opened] = store.page(before_last_run(store), 1)
    assert opened.event.type == "library.opened"
    assert ada(end) == ada(before_last_run(store))
    assert ada(0).asked == ()


def test_whoever_still_waits_for_an_answer_gets_it_in_the_next_run() -> None:
    store = MemoryStore()
    with ActorSystem(mode="simulated", store=store) as system:
        build(system)
        ask(system, "ben", "Do mugs break?")
        system.stop(drain=False)
    made = visit(store, talk=TALK[:1])
    assert made.adds_up
    assert {one.user for one in made.answers} == {"ada", "ben"}


def test_a_store_keeps_to_one_embedder() -> None:
    class Other(HashedEmbedder):
        name = "other"

    store = MemoryStore()
    visit(store)
    with (
        ActorSystem(mode="simulated", store=store) as system,
        pytest.raises(DemoError, match="was filled by the embedder 'hashed'"),
    ):
        build(system, embedder=Other())


# -- what does not add up is noticed -----------------------------------------------------------


class Forgetful(Reader):
    @on(DocumentReceived)
    def read(self, received: DocumentReceived) -> None:
        if received.document_id != "mug":
            super().read(received)


class Lazy(Embedding):
    @on(DocumentProcessed)
    def passages(self, processed: DocumentProcessed) -> None:
        for passage in processed.passages[1:]:
            id, version, title = processed.document_id, processed.version, processed.title
            self.emit(EmbeddingGenerated(id, version, title, passage, {"1": 1.0}))


class Stutters(Embedding):
    @on(DocumentProcessed)
    def passages(self, processed: DocumentProcessed) -> None:
        super().passages(processed)
        super().passages(processed)


class Leaky(Index):
    @on(EmbeddingGenerated)
    def remember(self, made: EmbeddingGenerated) -> None:
        if made.document_id != "mug":
            super().remember(made)


class Silent(Index):
    def look(self, query: Any) -> None:
        pass


class Broken(Index):
    retry = None

    def look(self, query: Any) -> None:
        raise ValueError("broken")


LONGER = Corpus("shelf", (Document("tea", "Tea", "Tea. " * 400), MUG))


@pytest.mark.parametrize(
    ("name", "agent", "wrong"),
    [
        ("Reader", Forgetful, {"documents"}),
        ("Embedding", Lazy, {"passages"}),
        ("Embedding", Stutters, {"passages", "index"}),
        ("Index", Leaky, {"index"}),
        ("Index", Silent, {"questions"}),
        ("Index", Broken, {"questions", "failures"}),
    ],
)
def test_an_agent_that_does_not_do_its_part_shows(
    monkeypatch: pytest.MonkeyPatch, name: str, agent: type, wrong: set[str]
) -> None:
    monkeypatch.setattr(choreography, name, agent)
    made = visit(MemoryStore(), LONGER, [("ada", "What is tea?")])
    assert {check.name for check in made.checks if not check.holds} >= wrong
    assert not made.adds_up


def test_two_answers_to_one_question_show() -> None:
    store = MemoryStore()
    visit(store, talk=TALK[:1])
    [answered] = said(store, "question.answered")
    with ActorSystem(mode="simulated", store=store) as system:
        system.publish("question.answered", answered.copy_payload())
        assert {check.name for check in audit(store, []) if not check.holds} == {"questions"}


@pytest.mark.parametrize("citations", [[], [{"document_id": "nowhere", "passage": 1}]])
def test_a_citation_that_does_not_exist_shows(citations: list[object]) -> None:
    store = MemoryStore()
    with ActorSystem(mode="simulated", store=store) as system:
        question = system.publish("question.asked", {"user": "ada", "text": "?"}).id
        payload = {"user": "ada", "question": question, "text": "So.", "citations": citations}
        system.publish("question.answered", payload)
    assert {check.name for check in audit(store, []) if not check.holds} == {"citations"}


# -- reading files -----------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    (root / "deep").mkdir(parents=True)
    (root / "bom.txt").write_bytes("\ufeffTea\r\n===\r\n\r\nTea is hot.\r\n".encode())
    (root / "deep" / "mug.md").write_text("# Mugs\n\nA mug is a cup.\n")
    (root / "code.py").write_text('"""Pours tea."""\n')
    (root / "rules.rst").write_text("=====\n-----\n")
    (root / "long.txt").write_text("x" * 5000)
    (root / "latin.txt").write_bytes(b"caf\xe9")
    (root / "binary.txt").write_bytes(b"a\x00b")
    (root / "empty.md").write_text("")
    (root / "blank.md").write_text(" \n\n")
    (root / "huge.txt").write_text("a" * (MAX_BYTES + 1))
    (root / "picture.png").write_bytes(b"\x89PNG")
    (root / ".hidden.txt").write_text("hidden")
    (root / "loop.txt").symlink_to(root / "bom.txt")
    os.mkfifo(root / "pipe.txt")
    return root


def test_what_cannot_be_read_is_told_with_its_reason(shelf: Path) -> None:
    corpus = folder(shelf)
    read = {one.id: one.title for one in corpus.documents}
    assert read == {
        "bom.txt": "Tea",
        "code.py": "code.py",
        "deep/mug.md": "Mugs",
        "long.txt": "long.txt",
        "rules.rst": "rules.rst",
    }
    reasons = {one.name: one.reason.split(":")[0] for one in corpus.skipped}
    assert reasons == {
        "latin.txt": "is not UTF-8",
        "binary.txt": "is not text",
        "empty.md": "is empty",
        "blank.md": "is empty",
        "huge.txt": "is too large",
        "loop.txt": "is a link",
        "pipe.txt": "is no regular file",
        "1 other files": "only .txt, .md, .rst, .py are read",
    }


@pytest.mark.parametrize("mode", MODES)
def test_awkward_files_add_up(shelf: Path, mode: Mode) -> None:
    made = visit(MemoryStore(), folder(shelf), [("ada", "What is a mug?")], mode=mode)
    assert made.adds_up
    assert made.answers[0].citations[0]["document_id"] == "deep/mug.md"


def test_the_largest_file_fits_into_a_payload(tmp_path: Path) -> None:
    (tmp_path / "quotes.txt").write_text('"\\\n' * (MAX_BYTES // 3))
    (tmp_path / "tea.txt").write_text("Tea is hot.")
    assert visit(MemoryStore(), folder(tmp_path)).adds_up


def test_a_folder_without_texts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="there is nothing to read in"):
        folder(tmp_path)
    with pytest.raises(DemoError, match="there is no folder"):
        folder(tmp_path / "nowhere")


def test_pythons_topics_are_there() -> None:
    corpus = topics()
    assert len(corpus.documents) > 70
    assert {one.id: one.title for one in corpus.documents}["lambda"] == "Lambdas"


def test_a_title_is_a_line_that_says_something() -> None:
    assert title_of("=====\n\n## *Tea* \n", "name") == "Tea"
    assert title_of("a" * 81, "name") == "name"


# -- words and passages ------------------------------------------------------------------------


@given(st.text())
def test_a_text_is_cut_without_losing_a_word(text: str) -> None:
    pieces = passages.cut(text)
    assert all(0 < len(piece) <= passages.LONGEST for piece in pieces)
    # What only draws may go; letters and digits may not.
    kept = [c for c in text if c.isalnum()]
    assert [c for piece in pieces for c in piece if c.isalnum()] == kept


@given(st.lists(st.sampled_from(["tea", "mug. ", "\n\n", "x" * 1700, "word " * 300, "==="])))
def test_however_long_the_pieces_are(pieces: list[str]) -> None:
    test_a_text_is_cut_without_losing_a_word.hypothesis.inner_test("".join(pieces))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("and what about its arguments?", True),
        ("Can it contain statements?", True),
        ("But why?", True),
        ("How about tea?", True),
        ("What is a lambda expression?", False),
        ("Which items are there?", False),
        ("Android?", False),
    ],
)
def test_a_question_that_leans_on_the_one_before_is_told(text: str, back: bool) -> None:
    assert words.refers_back(text) is back


def test_words_are_the_same_in_question_and_passage() -> None:
    assert words.terms("What are the Classes of entries, and __enter__?") == [
        "class",
        "entry",
        "enter",
    ]
    assert words.terms("x" * 65) == []


def test_a_follow_up_of_a_follow_up_is_about_the_same() -> None:
    store = MemoryStore()
    talk = [("ada", q) for q in ("What is tea?", "And its water?", "Is it hot?")]
    visit(store, talk=talk)
    queries = [event.payload["query"] for event in said(store, "search.requested")]
    assert queries == ["tea", "water tea", "hot tea"]


# -- embedders ---------------------------------------------------------------------------------


def test_hashing_is_the_same_in_every_process() -> None:
    [vector] = HashedEmbedder().embed(["tea tea water"])
    assert vector == {"186290": 0.861037, "201946": 0.508542}
    code = (
        "from choreia.demos.library.embedders import HashedEmbedder as H;"
        "print(H().embed(['tea tea water'])[0])"
    )
    done = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert done == [f"{vector}\n"] * 2


def test_a_word_that_is_rare_weighs_more() -> None:
    common = [Document(f"d{n}", f"d{n}", "Water is everywhere, water again.") for n in range(9)]
    rare = Document("rare", "rare", "Tea has water.")
    made = visit(MemoryStore(), Corpus("x", (*common, rare)), [("ada", "Water, tea?")])
    assert made.answers[0].citations[0]["document_id"] == "rare"


def test_a_real_embedder_that_is_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(DemoError, match="pip install sentence-transformers"):
        SentenceEmbedder()


def test_a_real_embedder_is_used_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Toy:
        def __init__(self, name: str) -> None: ...

        def encode(self, texts: list[str], **_: object) -> list[list[float]]:
            return [[float("tea" in text.lower()), float("mug" in text.lower())] for text in texts]

    module = SimpleNamespace(SentenceTransformer=Toy)
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    assert SentenceEmbedder().embed(["Tea", "tea, mug"]) == [
        {"0": 1.0, "1": 0.0},
        {"0": 0.707107, "1": 0.707107},
    ]


@given(st.dictionaries(st.sampled_from("abcdef"), st.floats(0.1, 1), min_size=1))
def test_a_score_is_at_most_one(vector: Vector) -> None:
    from choreia.demos.library.embedders import unit

    state = Shelves()
    for number, one in enumerate((unit(vector), {"a": 1.0}), 1):
        value = {"document_id": "d", "version": 1, "title": "D", "number": number}
        state = state.updated(MemoryUpdated("passage", {**value, "text": "", "vector": one}))
    found = state.find(unit(vector), 4)
    assert all(0 < one.score <= 1.0001 for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


# -- the command -------------------------------------------------------------------------------


def demo(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_it_says_what_to_watch_for_and_that_it_adds_up() -> None:
    result = demo("--seed", "1")
    assert result.exit_code == 0, result.output
    assert "documents (Python's help topics), and nobody in charge. Watch for" in result.stdout
    assert "? What is a lambda expression?" in result.stdout
    assert "cannot contain statements" in result.stdout, "the follow-up is understood"
    assert "from lambda, passage 1" in result.stdout
    assert result.stdout.endswith("Documents, passages and answers add up.\n")
    assert "\x1b" not in result.stdout


def test_the_outcome_as_json_is_the_same_in_every_run(shelf: Path) -> None:
    arguments = ("--docs", str(shelf), "--user", "ada", "--ask", "What is a mug?", "--json", "-")
    threads, simulated = demo(*arguments), demo(*arguments, "--seed", "3")
    assert json.loads(threads.stdout) == json.loads(simulated.stdout)
    data = json.loads(threads.stdout)
    assert data["adds_up"] is True
    assert data["answers"][0]["citations"][0]["document_id"] == "deep/mug.md"
    assert len(data["skipped"]) == 8
    assert "skipped latin.txt: is not UTF-8" in threads.stderr


def test_a_second_run_on_the_same_store_remembers(shelf: Path, tmp_path: Path) -> None:
    arguments = ("--docs", str(shelf), "--store", str(tmp_path / "lib.db"), "--user", "ada")
    assert demo(*arguments, "--ask", "What is tea?").exit_code == 0
    again = demo(*arguments, "--ask", "And is it hot?")
    assert again.exit_code == 0
    assert "Nothing new to read" in again.stdout
    assert "ada: welcome back; you asked before:\n    What is tea?" in again.stdout
    past = demo("--store", str(tmp_path / "lib.db"), "--user", "ada", "--as-of", "last-run")
    assert "  What is tea?" in past.stdout
    assert "And is it hot?" not in past.stdout
    assert '"it" would mean: tea' in past.stdout
    now = demo("--store", str(tmp_path / "lib.db"), "--as-of", "999999")
    assert "And is it hot?" in now.stdout


def test_the_books_that_do_not_add_up_are_exit_code_1(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choreography, "Index", Silent)
    result = demo("--docs", str(shelf), "--ask", "What is tea?", "--quiet")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "It does not add up: questions.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--as-of", "1"], 2, "name it with --store"),
        (["--as-of", "soon", "--store", "{store}"], 2, "give a position in the log"),
        (["--docs", "{store}.d"], 1, "there is no folder"),
        (["--model-url", "nowhere"], 1, "is no URL of a model"),
        (["--model-url", "http://x/v1", "--seed", "1"], 1, "virtual time"),
        (["--json", "{store}.d/x.json", "--seed", "1"], 1, "cannot be written"),
    ],
)
def test_wrong_usage_is_one_message(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    store = tmp_path / "lib.db"
    with ActorSystem(store=store):
        pass
    wanted = [one.format(store=store) for one in arguments]
    assert run(app, ["demo", "library", *wanted]) == code
    assert said in capsys.readouterr().err


def test_text_from_files_cannot_drive_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("[red]tea[/red]\u202e is \x9b31m hot tea water.")
    result = demo("--docs", str(tmp_path), "--ask", "Is tea hot?\x1b[31m")
    assert result.exit_code == 0
    assert "[red]tea[/red]" in result.stdout
    assert not set("\x1b\x9b\u202e") & set(result.stdout)


def test_killed_at_any_time_and_started_again_it_adds_up(tmp_path: Path) -> None:
    chance = Random(0)
    arguments = [sys.executable, "-m", "choreia", "demo", "library", "--quiet", "--store"]
    for _ in range(4):
        with subprocess.Popen([*arguments, str(tmp_path / "lib.db")]) as process:
            try:
                process.wait(0.3 + chance.random() * 0.6)  # a random instant is what is wanted
            except subprocess.TimeoutExpired:
                process.kill()
    done = subprocess.run(
        [*arguments, str(tmp_path / "lib.db")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
