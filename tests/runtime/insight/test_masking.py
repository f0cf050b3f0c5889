"""Values at a path, without what is secret."""

from __future__ import annotations

import pytest

from choreia.runtime.events.payload import Json
from choreia.runtime.insight.masking import masked


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("payload.token", "abc", "***"),
        ("payload.card.apiKey", 7, "***"),
        ("payload.tokens.0", "abc", "abc"),
        ("payload.token.0", "abc", "***"),
        ("payload.secret.deep.value", "abc", "***"),
        ("payload.card", {"password": "abc", "owner": "eve"}, {"password": "***", "owner": "eve"}),
        ("payload.list", [{"token": "abc"}], [{"token": "***"}]),
        ("payload.sum", 5, 5),
        ("payload.0", {"token": 1}, {"token": "***"}),
        ("metadata.token", "abc", "***"),
        ("type", "order.placed", "order.placed"),
        ("$or", [{"payload.token": "abc"}], [{"payload.token": "***"}]),
    ],
)
def test_secrets_are_masked_by_path_and_inside(path: str, value: Json, shown: Json) -> None:
    assert masked(path, value) == shown
