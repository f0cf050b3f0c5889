"""Who is at the other end."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from choreia.runtime.inspection.peers import Peer, peer_of


@pytest.mark.skipif(sys.platform != "linux", reason="SO_PEERCRED is Linux's")
def test_linux_tells_process_and_user() -> None:
    near, far = socket.socketpair()
    with near, far:
        assert peer_of(near) == Peer(os.getpid(), os.geteuid())


def test_elsewhere_the_modes_are_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    near, far = socket.socketpair()
    with near, far:
        peer = peer_of(near)
    assert peer == Peer(None, None)
    assert peer.trusted
    assert peer.user == "somebody"


def test_the_same_user_and_root_are_trusted() -> None:
    assert Peer(1, os.geteuid()).trusted
    assert Peer(1, 0).trusted
    assert not Peer(1, os.geteuid() + 1).trusted


def test_a_user_has_a_name_or_a_number() -> None:
    assert Peer(1, 0).user == "root"
    assert Peer(1, 2**31 - 7).user == str(2**31 - 7)
