"""What those who say and hear events are called."""

from __future__ import annotations

import pytest

from choreia.runtime.insight.naming import agent_in, family, lifeline, speaker


@pytest.mark.parametrize(
    ("source", "agent", "spoken", "line"),
    [
        ("did:choreia:local:stock", "stock", "stock", "stock"),
        ("did:choreia:node.1:orders:42", "orders:42", "orders:42", "orders"),
        ("did:choreia:local:outside", "outside", "outside", "outside"),
        ("did:choreia:local", None, "outside (did:choreia:local)", "outside (did:choreia:local)"),
        ("stock", None, "outside (stock)", "outside (stock)"),
        ("urn:crm:1", None, "outside (urn:crm:1)", "outside (urn:crm:1)"),
    ],
)
def test_names(source: str, agent: str | None, spoken: str, line: str) -> None:
    assert (agent_in(source), speaker(source), lifeline(source)) == (agent, spoken, line)


def test_a_member_belongs_to_its_family() -> None:
    assert family("orders:42") == family("orders") == "orders"
