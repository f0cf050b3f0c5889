"""How Hypothesis makes events: ``st.from_type(Event)``, for the tests of every wire format."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from choreia.runtime.events import fields
from choreia.runtime.events.event import Event, Metadata
from choreia.runtime.events.payload import freeze

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WORDS = TEXTS.filter(bool)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=5)
# Names that mean something in one format or the other, beside arbitrary ones.
NAMES = TEXTS | st.sampled_from(
    ["traceparent", "subject", "dataschema", "version", "payload", "data", "time", "choreiafields"]
)
TIMES = st.floats(-62_135_596_800, 253_402_300_799) | st.floats(1e9, 2e9)
TYPES = st.lists(st.text("abZ09_-", min_size=1, max_size=4), min_size=1, max_size=4).map(".".join)


def others(taken: frozenset[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Fields that others defined, beside the ones that are `taken`."""
    return st.dictionaries(NAMES.filter(lambda name: name not in taken), JSON, max_size=3)


METADATA = st.builds(
    Metadata,
    correlation_id=st.none() | WORDS,
    causation_id=st.none() | WORDS,
    version=st.sampled_from(["1.0.0", "2.10.3"]),
    hops=st.integers(0, 2**31 - 1),
    causes=st.lists(WORDS, max_size=3).map(tuple),
    extensions=others(fields.METADATA_FIELDS).map(freeze),
)
EVENTS = st.builds(
    Event,
    TYPES,
    WORDS,
    OBJECTS,
    id=WORDS,
    timestamp=TIMES,
    metadata=METADATA,
    extra=others(fields.EVENT_FIELDS),
)

st.register_type_strategy(Metadata, METADATA)
st.register_type_strategy(Event, EVENTS)
