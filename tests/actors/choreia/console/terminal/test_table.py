"""The table for pipes and programs."""

from __future__ import annotations

from choreia.console.terminal.table import as_text


def row(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "state": "idle", "size": 1, "capacity": 10, "incarnation": 1, **more}


def test_columns_are_aligned_and_gaps_are_dashes() -> None:
    system = {"node": "n", "pid": 7, "uptime": 150.0, "agents": 2, "handled": 3}
    agents = [row("a", in_rate=1.5, out_rate=None, p95=0.002), row("longer", incarnation=3)]
    found = {"system": system, "agents": agents}
    assert as_text(found, ascii=False) == [
        "n, process 7, up 2m, agents 2, handled 3, failed 0, dropped 0, dead letters 0",
        "",
        "agent   state  mailbox  in/s  out/s    p95  failed  dropped  restarts  beat  suspected",
        "a       idle      1/10   1.5      -  2.0ms       0        0         0     -",
        "longer  idle      1/10     -      -      -       0        0         2     -",
    ]


def test_what_comes_from_the_system_is_harmless() -> None:
    found = {"agents": [row("\x1b[31mé\n寿", suspected="hangs\x07")]}
    text = as_text(found, ascii=False)[-1]
    assert text.startswith("[31mé 寿")
    assert text.endswith("hangs")
    assert as_text(found, ascii=True)[-1].startswith("[31m? ??")


def test_a_system_without_agents() -> None:
    assert len(as_text({"agents": []}, ascii=True)) == 3
