"""The options of an agent: class attributes give defaults, `spawn`'s keywords override them."""

from __future__ import annotations

from math import inf
from typing import cast

import attrs

from choreia.runtime.delivery.overflow import ConflateKey, Overflow, check_capacity, check_policy
from choreia.runtime.delivery.retry import Retry
from choreia.runtime.errors import InvalidAgent, InvalidFilter
from choreia.runtime.events.identity import check_name
from choreia.runtime.events.keypath import key_reader
from choreia.runtime.events.payload import FrozenDict, freeze
from choreia.runtime.health.heartbeat import Heartbeat
from choreia.runtime.health.restart import Restart
from choreia.runtime.stores.unit import Start

USUAL = Heartbeat()
"""Stands for "as the system says"; an equal one that is given is another one."""
MAILBOX = 1_000
MAX_OUTBOX = 10_000
SLEEP_AFTER = 60.0
AWAKE = 5_000
MOST_MEMBERS = 10_000


def _check_retry(retry: object) -> Retry:
    if retry is None:
        return Retry(attempts=1)
    if not isinstance(retry, Retry):
        raise InvalidAgent(f"retry={retry!r}: give a Retry(attempts=…, delay=…)")
    return retry


def check_heartbeat(heartbeat: object) -> Heartbeat | None:
    """How an agent, or all agents of a system, are to be watched. Raises `InvalidAgent`."""
    if heartbeat is not None and not isinstance(heartbeat, Heartbeat):
        raise InvalidAgent(
            f"heartbeat={heartbeat!r}: give a Heartbeat(interval=…, timeout=…), or None to have it "
            "watched by nobody. (A method of that name? Call it something else.)"
        )
    return heartbeat


def _check_restart(restart: object) -> Restart | None:
    if restart is not None and not isinstance(restart, Restart):
        raise InvalidAgent(
            f"restart={restart!r}: give a Restart(failures=…, max_restarts=…, window=…). (A method "
            "of that name? Call it something else.)"
        )
    return restart


def _check_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidAgent(f"threaded={value!r}: give True or False")
    return value


def _check_durable(value: object) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise InvalidAgent(f"durable={value!r}: give True or False")
    return value


def _check_start(start: object) -> Start:
    if start in ("now", "beginning"):
        return cast("Start", start)
    if isinstance(start, int) and not isinstance(start, bool) and start >= 0:
        return start
    raise InvalidAgent(f'start={start!r}: give "now", "beginning", or a position in the log')


def _check_lag(lag: object) -> int | None:
    if lag is not None and (not isinstance(lag, int) or isinstance(lag, bool) or lag < 1):
        raise InvalidAgent(f"max_lag={lag!r}: give a whole number of events, 1 or more, or None")
    return lag


def _check_outbox(most: object) -> int:
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise InvalidAgent(f"max_outbox={most!r}: give a whole number of events, 1 or more")
    return most


def _check_key(key: object) -> ConflateKey | None:
    if key is not None and not callable(key):
        raise InvalidAgent(f"conflate_key={key!r}: give a function of an event")
    return key


def _check_path(path: object) -> str | None:
    if path is None:
        return None
    if not isinstance(path, str):
        raise InvalidAgent(
            f"key = {path!r}: give the path of a field, such as key = 'payload.order_id'. (An "
            "attribute of that name? Call it something else.)"
        )
    try:
        key_reader(path)
    except InvalidFilter as error:
        raise InvalidAgent(str(error)) from None
    return path


def _check_seconds(seconds: object) -> float:
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not number or not 0 < cast("float", seconds) <= inf:
        raise InvalidAgent(f"sleep_after={seconds!r}: give a number of seconds, more than 0")
    return float(cast("float", seconds))


def _check_awake(awake: object) -> int:
    if type(awake) is not int or awake < 1:
        raise InvalidAgent(f"awake={awake!r}: give a whole number of instances, 1 or more")
    return awake


def _check_group(group: object) -> str | None:
    return None if group is None else check_name(group)


def _check_count(count: object) -> int:
    if type(count) is not int or not 1 <= count <= MOST_MEMBERS:
        raise InvalidAgent(
            f"count={count!r}: give a whole number of instances, 1 to {MOST_MEMBERS:,}"
        )
    return count


def check_words(name: str, words: object) -> tuple[str, ...]:
    """A tuple of words from a class attribute such as `capabilities`; else `InvalidAgent`."""
    if isinstance(words, str) or not isinstance(words, (tuple, list, set, frozenset)):
        raise InvalidAgent(f"{name} = {words!r}: give a tuple of strings, such as ({words!r},)")
    for word in words:
        if not isinstance(word, str) or not word:
            raise InvalidAgent(f"{name} has {word!r}, which is no word: give non-empty strings")
    return tuple(sorted(words)) if isinstance(words, (set, frozenset)) else tuple(words)


def check_capacity_declared(capacity: object) -> int:
    if not isinstance(capacity, int) or isinstance(capacity, bool) or capacity < 1:
        raise InvalidAgent(f"capacity = {capacity!r}: give a whole number, 1 or more")
    return capacity


ABILITIES = frozenset({"capabilities", "capacity", "specializations"})


def declared_abilities(agent: object) -> FrozenDict:
    """What a class of agents, or one of them, says it can do. Raises `InvalidAgent`."""
    return freeze(
        {
            "capabilities": check_words("capabilities", getattr(agent, "capabilities", ())),
            "capacity": check_capacity_declared(getattr(agent, "capacity", 1)),
            "specializations": check_words(
                "specializations", getattr(agent, "specializations", ())
            ),
        }
    )


def check_exclusive(owner: str, exclusive: object, capabilities: object) -> None:
    """What a class says that it alone can do. Raises `InvalidAgent`."""
    for word in check_words("exclusive", exclusive):
        if word not in check_words("capabilities", capabilities):
            raise InvalidAgent(
                f"{owner}.exclusive names {word!r}, which is none of its capabilities: add it there"
            )


_OF_SPAWN = frozenset({"start", "group", "count"})
"""Options that are no class attributes."""


@attrs.frozen
class Options:
    """How an agent is run. Raises `InvalidAgent` for what makes no sense."""

    mailbox: int = attrs.field(default=MAILBOX, converter=check_capacity)
    """Capacity, in items."""
    overflow: Overflow = attrs.field(default="park", converter=check_policy)
    threaded: bool = attrs.field(default=False, converter=_check_bool)
    """Give the agent a thread of its own."""
    retry: Retry = attrs.field(factory=Retry, converter=_check_retry)
    """How often an event is tried; None: once."""
    conflate_key: ConflateKey | None = attrs.field(default=None, converter=_check_key)
    """Of an event, with ``overflow="conflate"``; by default its type and source."""
    max_outbox: int = attrs.field(default=MAX_OUTBOX, converter=_check_outbox)
    """The most events that one handler may emit."""
    heartbeat: Heartbeat | None = attrs.field(default=USUAL, converter=check_heartbeat)
    """How it is watched; None: not at all. By default as the system says."""
    restart: Restart | None = attrs.field(default=None, converter=_check_restart)
    """When it begins anew after failures; None: it goes on with the next event, however many."""
    durable: bool | None = attrs.field(default=None, converter=_check_durable)
    """Whether it goes on where it stopped, when the system has a store. None: if it was named."""
    start: Start = attrs.field(default="now", converter=_check_start)
    """Where a new name begins in the log: ``now``, ``beginning``, or behind a position."""
    max_lag: int | None = attrs.field(default=None, converter=_check_lag)
    """Events it may be behind before publishers from outside wait for it; None: as the system
    says."""
    key: str | None = attrs.field(default=None, converter=_check_path)
    """Where in an event stands whose it is: an instance for each value. See `families.py`."""
    sleep_after: float = attrs.field(default=SLEEP_AFTER, converter=_check_seconds)
    """Seconds that a keyed agent's instance has nothing to do before it is put to sleep."""
    awake: int = attrs.field(default=AWAKE, converter=_check_awake)
    """Instances of a keyed agent that are awake at once, unless more of them are busy."""
    group: str | None = attrs.field(default=None, converter=_check_group)
    """The name of the group that the agent's instances are."""
    count: int = attrs.field(default=1, converter=_check_count)
    """How many instances a group has."""

    @classmethod
    def of(cls, agent_class: type, keywords: dict[str, object]) -> Options:
        """The options of `agent_class`, with those of `keywords` that are not None."""
        names = [field.name for field in attrs.fields(cls)]
        unknown = set(keywords) - set(names)
        if unknown:
            raise InvalidAgent(
                f"spawn has no option {', '.join(sorted(unknown))}; it has name, {', '.join(names)}"
            )
        # `start` is spawn's alone: as an attribute it is what pykka starts actors by.
        of_class = [n for n in names if n not in _OF_SPAWN and hasattr(agent_class, n)]
        given = {name: getattr(agent_class, name) for name in of_class}
        # None means "not given", save where it means none.
        none = ("retry", "heartbeat", "restart")
        given.update({name: v for name, v in keywords.items() if v is not None or name in none})
        return cls(**given)
