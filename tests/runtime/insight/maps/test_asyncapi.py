"""The AsyncAPI document: it validates against the published schema, whatever it holds."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from choreia.actors.choreography import load
from choreia.runtime.insight.maps.asyncapi import to_asyncapi
from tests.runtime.insight.maps.conftest import HOSTILE, SHOP, hostile

SCHEMA = Path(__file__).with_name("asyncapi-3.0.0.json")


@cache
def _validator() -> Any:
    return import_module("jsonschema").Draft7Validator(json.loads(SCHEMA.read_text()))


def _check(document: dict[str, object]) -> Any:
    read = json.loads(json.dumps(document))
    errors = [error.message[:200] for error in _validator().iter_errors(read)]
    assert not errors
    return read


def test_channels_are_types_and_operations_what_agents_do() -> None:
    document = _check(to_asyncapi(SHOP))

    assert document["asyncapi"] == "3.0.0"
    assert document["info"] == {"title": "shop", "version": "1.0.0"}
    assert set(document["channels"]) == {
        "order.placed",
        "order.opened",
        "order.late",
        "parcel.packed.rest",
    }
    packed = document["channels"]["parcel.packed.rest"]
    assert packed["address"] == "parcel.packed.{part3}"
    assert set(packed["parameters"]) == {"part3"}
    placed = document["components"]["messages"]["order.placed"]
    assert placed["payload"]["required"] == ["id"]
    assert {id: one["action"] for id, one in document["operations"].items()} == {
        "clerk.hears.order.placed": "receive",
        "clerk.says.order.opened": "send",
        "clerk.says.order.late": "send",
        "packer.hears.order.opened": "receive",
        "packer.hears.order.late": "receive",
        "packer.says.parcel.packed.rest": "send",
    }


@pytest.mark.parametrize("demo", ["incident", "library", "orders", "review"])
def test_the_demos_validate(demo: str) -> None:
    _check(to_asyncapi(load(f"choreia.demos.{demo}")))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_breaks_nothing(text: str) -> None:
    document = _check(to_asyncapi(hostile(text)))

    assert len(json.dumps(document)) < 10_000
