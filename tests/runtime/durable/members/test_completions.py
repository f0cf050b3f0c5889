"""How far a family has come: never beyond what is not done, and on disk."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from choreia.runtime.durable.members.completions import Completions

Step = tuple[str, int]


@given(
    st.lists(
        st.tuples(st.sampled_from(["deal", "pass", "complete", "commit", "lag", "catch up"]),
                  st.integers(0, 5)),
        max_size=60,
    )
)  # fmt: skip
def test_the_mark_is_below_whatever_is_not_done(steps: list[Step]) -> None:
    dealt = [0]
    completions = Completions("family", lambda: dealt[0])
    completions.begin(1, 0, ())
    open_: set[int] = set()
    on_their_way: list[int] = []
    lagging: list[int] = []
    for what, which in steps:
        if what == "deal":
            completions.take(dealt[0] + 1)
            open_.add(dealt[0] + 1)
            dealt[0] += 1
        elif what == "pass":
            dealt[0] += 1
        elif what == "lag" and not lagging:
            lagging.append(dealt[0])
            completions.lagging["it"] = lambda: lagging[0]
            dealt[0] += 1
        elif what == "catch up" and lagging:
            completions.take(lagging[0] + 1)
            open_.add(lagging.pop() + 1)
            del completions.lagging["it"]
        elif what == "complete" and open_ - set(on_their_way):
            position = sorted(open_ - set(on_their_way))[which % len(open_ - set(on_their_way))]
            complete = completions.completing([position])
            on_their_way.append(position)
            assert complete.positions == (position,)
            # What others have on its way may still fail.
            not_done = open_ - {position} | {one + 1 for one in lagging}
            assert complete.low < min(not_done, default=dealt[0] + 1)
            if not not_done:
                assert complete.low == dealt[0], "and not lower than need be"
        elif what == "commit" and on_their_way:
            position = on_their_way.pop(which % len(on_their_way))
            completions.completed([position])
            open_.discard(position)
    for position in on_their_way:
        completions.completed([position])
        open_.discard(position)
    moved = completions.moved_on()
    mark = completions.low if moved is None else moved.low
    assert mark == min([*open_, *(one + 1 for one in lagging), dealt[0] + 1]) - 1
    assert completions.pending == len(open_)
