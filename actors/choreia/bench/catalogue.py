"""Every workload of the suite, with the ratio it should reach.

Counts make the slower side run for one to three seconds on a small machine; both sides of a
workload always do the same number of units.
"""

from __future__ import annotations

from typing import Final

from choreia.bench.workload import Side, Workload


def _choreia(module: str, function: str) -> Side:
    return Side("choreia", f"choreia.bench.choreia_{module}:{function}")


def _pykka(function: str) -> Side:
    return Side("pykka", f"choreia.bench.pykka_side:{function}")


def _aiopubsub(function: str) -> Side:
    return Side("aiopubsub", f"choreia.bench.aiopubsub_side:{function}")


WORKLOADS: Final = (
    Workload(
        name="tell",
        title="a flood to one actor; pykka's inbox is unbounded",
        unit="messages",
        count=300_000,
        short_count=500,
        choreia=_choreia("messages", "tell"),
        peer=_pykka("tell"),
        reach=5,
    ),
    Workload(
        name="tell-bounded",
        title="the same, pykka's inbox bounded to 1,000 too",
        unit="messages",
        count=100_000,
        short_count=500,
        choreia=_choreia("messages", "tell"),
        peer=_pykka("tell_bounded"),
    ),
    Workload(
        name="ask",
        title="a question from outside, and its answer",
        unit="round trips",
        count=30_000,
        short_count=100,
        choreia=_choreia("messages", "ask"),
        peer=_pykka("ask"),
    ),
    Workload(
        name="ping-pong",
        title="two actors that tell each other",
        unit="round trips",
        count=80_000,
        short_count=100,
        choreia=_choreia("messages", "ping_pong"),
        peer=_pykka("ping_pong"),
        reach=8,
    ),
    Workload(
        name="ping-pong-events",
        title="by events: made, routed, delivered; pykka's by tell",
        unit="round trips",
        count=80_000,
        short_count=100,
        choreia=_choreia("events", "ping_pong"),
        peer=_pykka("ping_pong"),
        reach=3,
    ),
    Workload(
        name="ring",
        title="1,000 actors in a ring, by tell",
        unit="hops",
        count=80_000,
        short_count=2_000,
        choreia=_choreia("messages", "ring"),
        peer=_pykka("ring"),
        reach=12,
    ),
    Workload(
        name="fan-out",
        title="one event to 100 agents; pykka's a loop of tell",
        unit="deliveries",
        count=500_000,
        short_count=1_000,
        choreia=_choreia("events", "fan_out"),
        peer=_pykka("fan_out"),
        reach=4,
    ),
    Workload(
        name="latency",
        title="from publish to handled, one by one; pykka's by tell",
        unit="events",
        count=2_000,
        short_count=20,
        choreia=_choreia("events", "latency"),
        peer=_pykka("latency"),
    ),
    Workload(
        name="routing",
        title="1,000 wildcards, 10 match; peer: async listeners",
        unit="events",
        count=5_000,
        short_count=20,
        choreia=_choreia("routing", "agents"),
        peer=_aiopubsub("listeners"),
        reach=8,
    ),
    Workload(
        name="routing-new",
        title="the same, every event of a new type",
        unit="events",
        count=2_000,
        short_count=20,
        choreia=_choreia("routing", "agents_new"),
        peer=_aiopubsub("listeners_new"),
    ),
    Workload(
        name="routing-functions",
        title="the same, by functions; peer's run while publishing",
        unit="events",
        count=20_000,
        short_count=20,
        choreia=_choreia("routing", "functions"),
        peer=_aiopubsub("functions"),
    ),
    Workload(
        name="spawn",
        title="10,000, each with a subscription; pykka's without",
        unit="actors",
        count=10_000,
        short_count=50,
        choreia=_choreia("scale", "spawn"),
        peer=_pykka("spawn"),
        reach=20,
        ceilings={"bytes_per_agent": 4096},
        warm_up=False,
    ),
    Workload(
        name="spawn-own-topic",
        title="10,000, each subscribed to a topic of its own",
        unit="actors",
        count=10_000,
        short_count=50,
        choreia=_choreia("scale", "spawn_own_topic"),
        peer=_pykka("spawn"),
        warm_up=False,
    ),
    Workload(
        name="idle",
        title="100,000 spawn, answer one event each, stop",
        unit="agents",
        count=100_000,
        short_count=200,
        choreia=_choreia("scale", "idle"),
        warm_up=False,
        rounds=1,
    ),
    Workload(
        name="heartbeats",
        title="10,000 agents beat every 30 s, for a minute",
        unit="heartbeats",
        count=10_000,
        short_count=100,
        choreia=_choreia("heartbeats", "beat"),
        ceilings={"quiet_core_share": 0.02, "heard_core_share": 0.02},
        warm_up=False,
        rounds=3,
    ),
    Workload(
        name="million",
        title="1,000,000 spawn, answer one event each, stop",
        unit="agents",
        count=1_000_000,
        short_count=500,
        choreia=_choreia("scale", "idle"),
        warm_up=False,
        rounds=1,
        optional=True,
    ),
)


def named(name: str) -> Workload:
    """The workload of that name; raises ``KeyError`` when there is none."""
    return next((w for w in WORKLOADS if w.name == name), None) or _unknown(name)


def _unknown(name: str) -> Workload:
    raise KeyError(f"no workload {name!r}; there are {', '.join(w.name for w in WORKLOADS)}")
