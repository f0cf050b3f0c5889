"""The end of a server: said to its clients, once, and nothing is left; and what others may not
end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from choreia.runtime.inspection.binding import bind
from choreia.runtime.inspection.meter import Meter
from choreia.runtime.inspection.places import listens
from choreia.runtime.inspection.server import Server

if TYPE_CHECKING:
    from tests.runtime.inspection.conftest import Connect, Desk, MakeFeed, Serve, Until

BYE = {"id": None, "verb": "bye", "ok": True, "data": {"reason": "stopped"}}


def threads() -> set[str]:
    return {one.name for one in threading.enumerate() if one.name.startswith("choreia-")}


def test_clients_are_told_and_nothing_is_left(
    serve: Serve, connect: Connect, path: Path, feed: MakeFeed
) -> None:
    made = feed(every=60)
    server = serve()
    assert threads() == {"choreia-inspect"}
    quiet, looking = connect(), connect()
    assert quiet.answer("hello")["ok"]
    looking.ask("feed", 7)
    assert looking.reply()["id"] == 7
    server.stop("stopped")
    assert not threads()
    assert not path.exists()
    assert quiet.reply() == BYE
    assert quiet.line() is None
    assert looking.reply() == BYE
    assert looking.line() is None
    assert made.closed == 1


def test_stopping_twice_is_stopping_once(serve: Serve, connect: Connect) -> None:
    server = serve()
    client = connect()
    assert client.answer("hello")["ok"]
    stopping = [threading.Thread(target=server.stop, args=("stopped",)) for _ in range(4)]
    for thread in stopping:
        thread.start()
    for thread in stopping:
        thread.join()
    server.stop("again")
    assert client.reply() == BYE
    assert client.line() is None


def test_one_that_has_never_begun_can_be_stopped(path: Path, desk: Desk) -> None:
    server = Server(path, desk, Meter())
    server.stop("stopped")
    assert not path.exists()
    server.stop("stopped")


def test_one_that_cannot_begin_leaves_nothing(
    path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    server = Server(path, desk, Meter())
    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(RuntimeError, match="can't start"):
        server.start()
    assert not path.exists()


def test_beginning_twice_ends_nothing(serve: Serve, connect: Connect) -> None:
    server = serve()
    with pytest.raises(RuntimeError):
        server.start()
    assert connect().answer("hello")["ok"]


@pytest.mark.parametrize("slow", [False, True])
def test_an_answer_may_stop_it(serve: Serve, connect: Connect, desk: Desk, slow: bool) -> None:
    def stop(_: object) -> dict[str, object]:
        server.stop("stopped")
        return {"done": True}

    desk.verbs["stop"] = stop
    desk.slow |= {"stop"} if slow else set()
    server = serve()
    client = connect()
    client.ask("stop")
    said = [client.reply()]
    while (line := client.line()) is not None:
        said.append(line)
    assert BYE in said
    server.thread.join(20)
    assert not server.thread.is_alive()


def test_a_stream_may_stop_it(serve: Serve, connect: Connect, feed: MakeFeed) -> None:
    def stop() -> None:
        server.stop("stopped")

    made = feed(piece=stop)
    server = serve()
    client = connect()
    client.ask("feed")
    assert client.reply() == BYE
    assert client.line() is None
    server.thread.join(20)
    assert made.closed == 1


def test_a_slow_answer_that_ends_soon_is_waited_for(
    serve: Serve, connect: Connect, desk: Desk, until: Until
) -> None:
    go_on = threading.Event()
    desk.verbs["x"] = lambda _: {"went": go_on.wait(20)}
    desk.slow.add("x")
    server = serve()
    client = connect()
    client.ask("x")
    until(lambda: desk.asked)
    stopping = threading.Thread(target=server.stop, args=("stopped",))
    stopping.start()
    assert client.reply() == BYE
    go_on.set()
    stopping.join()
    assert not threads()


def test_one_that_hangs_does_not_hold_up_the_end(
    serve: Serve, connect: Connect, desk: Desk, feed: MakeFeed, path: Path, until: Until
) -> None:
    made, go_on = feed(), threading.Event()
    begin = desk.verbs["feed"]
    desk.verbs["feed"] = lambda args: begin({"went": go_on.wait(20)})
    desk.slow.add("feed")
    server = serve()
    client = connect()
    client.ask("feed")
    until(lambda: desk.asked)
    server.stop("stopped")
    assert not path.exists()
    assert client.reply() == BYE
    assert threads() == {"choreia-inspect-slow"}
    go_on.set()
    until(lambda: not threads())
    assert made.closed == made.begun == 1  # though nobody was left to look


def test_a_client_that_does_not_read_does_not_hold_up_the_end(
    serve: Serve, connect: Connect, desk: Desk, until: Until
) -> None:
    desk.verbs["big"] = lambda _: {"text": "x" * 1_000_000}
    server = serve()
    deaf, other = connect(), connect()
    assert other.answer("hello")["ok"]
    deaf.ask("big")
    until(lambda: "big" in desk.asked)
    server.stop("stopped")
    assert not server.thread.is_alive()
    assert other.reply() == BYE


def test_another_system_that_has_the_path_by_now_keeps_it(serve: Serve, path: Path) -> None:
    server = serve()
    path.unlink()  # by whoever tidies up
    door = bind(path)
    server.stop("stopped")
    assert listens(path)
    door.shut()


def test_a_fault_of_the_servers_own_switches_it_off(
    serve: Serve, connect: Connect, path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    server = serve()
    client = connect()
    assert client.answer("hello")["ok"]

    def fail() -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(server, "_feed", fail)
    client.ask("hello")
    server.thread.join(20)
    assert not path.exists()
    assert "is switched off" in caplog.text


# -- other processes -------------------------------------------------------------------------------

SERVING = """
import os, sys, threading
from pathlib import Path
from choreia.runtime.inspection.meter import Meter
from choreia.runtime.inspection.server import Server

class Desk:
    def is_slow(self, verb): return False
    def answer(self, verb, args, peer): return {"node": "n1", "pid": os.getpid()}

server = Server(Path(sys.argv[1]), Desk(), Meter())
server.start()
"""


def run(code: str, path: Path) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SERVING + code, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


@pytest.mark.parametrize(
    "end", ["os._exit(0)", "sys.exit(0)", "server.stop('stopped'); sys.exit(0)"]
)
def test_a_child_of_the_process_takes_nothing_away(path: Path, connect: Connect, end: str) -> None:
    code = f"""
child = os.fork()
if child == 0:
    {end}
os.waitpid(child, 0)
print("ready", flush=True)
sys.stdin.read()
server.stop("stopped")
"""
    with run(code, path) as system:
        client = connect()
        assert client.answer("hello")["data"]["pid"] == system.pid
        assert system.stdin is not None
        system.stdin.close()
        assert client.reply() == BYE
    assert not path.exists()


def test_a_child_that_lives_longer_does_not_seem_to_be_the_system(
    path: Path, connect: Connect, until: Until
) -> None:
    code = """
print("ready", flush=True)
sys.stdin.readline()
child = os.fork()
if child == 0:
    sys.stdin.readline()
    os._exit(0)
print(child, flush=True)
threading.Event().wait()
"""
    with run(code, path) as system:
        assert system.stdin is not None
        assert system.stdout is not None
        client = connect()
        assert client.answer("hello")["ok"]
        system.stdin.write("\n")
        system.stdin.flush()
        child = int(system.stdout.readline())
        os.kill(system.pid, signal.SIGKILL)
        assert client.line() is None  # at once: the child holds no end of it
        os.kill(child, 0)
        until(lambda: not listens(path))
        assert not path.exists()  # it was stale
        os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("mode", "says"), [(0o600, "PermissionError"), (0o666, "refused")])
def test_another_user_is_kept_out_by_the_mode_or_else_by_the_check(
    serve: Serve, path: Path, room: Path, mode: int, says: str
) -> None:
    server = serve()
    room.chmod(0o755)
    path.chmod(mode)
    code = """if True:
        import os, socket, sys
        os.setuid(65534)
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(sys.argv[1])
            print(client.makefile().readline())
        except OSError as error:
            print(type(error).__name__)
    """
    ran = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    said = ran.stdout.strip()
    assert (json.loads(said)["error"]["code"] if said.startswith("{") else said) == says
    assert server.thread.is_alive()
