"""Choreia: a choreography-first actor runtime.

Three layers, each of which uses only those to its right::

    demos → actors → runtime

- `choreia.runtime` is machinery: what can be tested without starting an actor.
- `choreia.actors` is what has a mailbox, or is inherited by something that has one.
- `choreia.demos` are whole choreographies, built from nothing but the names below.

This package is the front door. It holds names and no logic, and loads the module behind a
name when the name is first used: ``import choreia.runtime.events.event`` loads no actor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

# The errors import nothing, so they need not wait.
from choreia.runtime.errors import BlockingCall as BlockingCall
from choreia.runtime.errors import BudgetExceeded as BudgetExceeded
from choreia.runtime.errors import CaseDied as CaseDied
from choreia.runtime.errors import CaseTimeout as CaseTimeout
from choreia.runtime.errors import ChoreiaError as ChoreiaError
from choreia.runtime.errors import Deadlock as Deadlock
from choreia.runtime.errors import DecodeError as DecodeError
from choreia.runtime.errors import DemoError as DemoError
from choreia.runtime.errors import DuplicateId as DuplicateId
from choreia.runtime.errors import DuplicateName as DuplicateName
from choreia.runtime.errors import ExpectationFailed as ExpectationFailed
from choreia.runtime.errors import Fenced as Fenced
from choreia.runtime.errors import GiveUp as GiveUp
from choreia.runtime.errors import HandlerTimeout as HandlerTimeout
from choreia.runtime.errors import HopLimit as HopLimit
from choreia.runtime.errors import IdleTimeout as IdleTimeout
from choreia.runtime.errors import IncompatibleVersion as IncompatibleVersion
from choreia.runtime.errors import InspectionFailed as InspectionFailed
from choreia.runtime.errors import InspectionInsecure as InspectionInsecure
from choreia.runtime.errors import InspectionRefused as InspectionRefused
from choreia.runtime.errors import InspectionTimeout as InspectionTimeout
from choreia.runtime.errors import InvalidAcceptance as InvalidAcceptance
from choreia.runtime.errors import InvalidAgent as InvalidAgent
from choreia.runtime.errors import InvalidEvent as InvalidEvent
from choreia.runtime.errors import InvalidFilter as InvalidFilter
from choreia.runtime.errors import InvalidFormat as InvalidFormat
from choreia.runtime.errors import InvalidLimit as InvalidLimit
from choreia.runtime.errors import InvalidModule as InvalidModule
from choreia.runtime.errors import InvalidPattern as InvalidPattern
from choreia.runtime.errors import InvalidPayload as InvalidPayload
from choreia.runtime.errors import InvalidStore as InvalidStore
from choreia.runtime.errors import InvalidType as InvalidType
from choreia.runtime.errors import ListenerLagged as ListenerLagged
from choreia.runtime.errors import MailboxFull as MailboxFull
from choreia.runtime.errors import NoSuchSystem as NoSuchSystem
from choreia.runtime.errors import OutboxFull as OutboxFull
from choreia.runtime.errors import OutsideTurn as OutsideTurn
from choreia.runtime.errors import PayloadMismatch as PayloadMismatch
from choreia.runtime.errors import PayloadTooLarge as PayloadTooLarge
from choreia.runtime.errors import RequestTimeout as RequestTimeout
from choreia.runtime.errors import RetryAfter as RetryAfter
from choreia.runtime.errors import ReturnedValue as ReturnedValue
from choreia.runtime.errors import SchemaError as SchemaError
from choreia.runtime.errors import SeveralSystems as SeveralSystems
from choreia.runtime.errors import SimulatedIO as SimulatedIO
from choreia.runtime.errors import SourceTaken as SourceTaken
from choreia.runtime.errors import StaleCursor as StaleCursor
from choreia.runtime.errors import StepFailed as StepFailed
from choreia.runtime.errors import StoreDamaged as StoreDamaged
from choreia.runtime.errors import StoreError as StoreError
from choreia.runtime.errors import StoreInsecure as StoreInsecure
from choreia.runtime.errors import StoreLocked as StoreLocked
from choreia.runtime.errors import StoreUnavailable as StoreUnavailable
from choreia.runtime.errors import SystemGone as SystemGone
from choreia.runtime.errors import SystemStopped as SystemStopped
from choreia.runtime.errors import UndeclaredEvent as UndeclaredEvent
from choreia.runtime.errors import Unhandled as Unhandled
from choreia.runtime.errors import UnknownAgent as UnknownAgent
from choreia.runtime.errors import UnknownCase as UnknownCase

# Type checkers read the first half, Python runs the second; a test compares the two.
if TYPE_CHECKING:
    __version__: str
    from choreia.actors.agent import Agent as Agent
    from choreia.actors.cases import Case as Case
    from choreia.actors.context import current as current
    from choreia.actors.difference import Difference as Difference
    from choreia.actors.difference import difference as difference
    from choreia.actors.every import every as every
    from choreia.actors.folding import applies as applies
    from choreia.actors.forking import Divergence as Divergence
    from choreia.actors.forking import Fork as Fork
    from choreia.actors.forking import fork as fork
    from choreia.actors.handlers import on as on
    from choreia.actors.info import AgentInfo as AgentInfo
    from choreia.actors.info import AgentView as AgentView
    from choreia.actors.info import SystemView as SystemView
    from choreia.actors.inspecting.options import Inspection as Inspection
    from choreia.actors.projecting.marks import project as project
    from choreia.actors.projecting.projection import Projection as Projection
    from choreia.actors.projecting.ref import ProjectionRef as ProjectionRef
    from choreia.actors.projecting.ref import projection as projection
    from choreia.actors.projecting.status import ProjectionStatus as ProjectionStatus
    from choreia.actors.reconstructing import Step as Step
    from choreia.actors.reconstructing import history as history
    from choreia.actors.reconstructing import reconstruct as reconstruct
    from choreia.actors.running import Exit as Exit
    from choreia.actors.sagas.locking import Lock as Lock
    from choreia.actors.sagas.marks import join as join
    from choreia.actors.sagas.marks import pivot as pivot
    from choreia.actors.sagas.marks import step as step
    from choreia.actors.sagas.participant import SagaParticipant as SagaParticipant
    from choreia.actors.sourced import EventSourcedAgent as EventSourcedAgent
    from choreia.actors.subscriber import Subscription as Subscription
    from choreia.actors.system import ActorSystem as ActorSystem
    from choreia.runtime.delivery.deadletter import DeadLetter as DeadLetter
    from choreia.runtime.delivery.retry import Retry as Retry
    from choreia.runtime.events.event import Event as Event
    from choreia.runtime.events.event import Metadata as Metadata
    from choreia.runtime.events.filter import Filter as Filter
    from choreia.runtime.events.limits import CaseLimits as CaseLimits
    from choreia.runtime.events.limits import Limits as Limits
    from choreia.runtime.events.scale import register_scale as register_scale
    from choreia.runtime.events.schema import event_type as event_type
    from choreia.runtime.events.schema import upcaster as upcaster
    from choreia.runtime.events.topic import TopicPattern as TopicPattern
    from choreia.runtime.health.heartbeat import Heartbeat as Heartbeat
    from choreia.runtime.health.restart import Restart as Restart
    from choreia.runtime.insight.listing import CaseSummary as CaseSummary
    from choreia.runtime.insight.verdict import Verdict as Verdict
    from choreia.runtime.stores.memory import MemoryStore as MemoryStore
    from choreia.runtime.stores.sqlite.store import SqliteStore as SqliteStore
else:
    _ERRORS = [name for name, value in globals().items() if isinstance(value, type)]
    _HOMES = {
        "Agent": "choreia.actors.agent",
        "Case": "choreia.actors.cases",
        "CaseSummary": "choreia.runtime.insight.listing",
        "current": "choreia.actors.context",
        "Difference": "choreia.actors.difference",
        "difference": "choreia.actors.difference",
        "every": "choreia.actors.every",
        "applies": "choreia.actors.folding",
        "Divergence": "choreia.actors.forking",
        "Fork": "choreia.actors.forking",
        "fork": "choreia.actors.forking",
        "on": "choreia.actors.handlers",
        "AgentInfo": "choreia.actors.info",
        "AgentView": "choreia.actors.info",
        "SystemView": "choreia.actors.info",
        "Inspection": "choreia.actors.inspecting.options",
        "project": "choreia.actors.projecting.marks",
        "Projection": "choreia.actors.projecting.projection",
        "ProjectionRef": "choreia.actors.projecting.ref",
        "projection": "choreia.actors.projecting.ref",
        "ProjectionStatus": "choreia.actors.projecting.status",
        "Step": "choreia.actors.reconstructing",
        "history": "choreia.actors.reconstructing",
        "reconstruct": "choreia.actors.reconstructing",
        "Exit": "choreia.actors.running",
        "Lock": "choreia.actors.sagas.locking",
        "join": "choreia.actors.sagas.marks",
        "pivot": "choreia.actors.sagas.marks",
        "step": "choreia.actors.sagas.marks",
        "SagaParticipant": "choreia.actors.sagas.participant",
        "EventSourcedAgent": "choreia.actors.sourced",
        "Subscription": "choreia.actors.subscriber",
        "ActorSystem": "choreia.actors.system",
        "DeadLetter": "choreia.runtime.delivery.deadletter",
        "Retry": "choreia.runtime.delivery.retry",
        "Event": "choreia.runtime.events.event",
        "Metadata": "choreia.runtime.events.event",
        "Filter": "choreia.runtime.events.filter",
        "CaseLimits": "choreia.runtime.events.limits",
        "Limits": "choreia.runtime.events.limits",
        "register_scale": "choreia.runtime.events.scale",
        "event_type": "choreia.runtime.events.schema",
        "upcaster": "choreia.runtime.events.schema",
        "TopicPattern": "choreia.runtime.events.topic",
        "Heartbeat": "choreia.runtime.health.heartbeat",
        "Restart": "choreia.runtime.health.restart",
        "Verdict": "choreia.runtime.insight.verdict",
        "MemoryStore": "choreia.runtime.stores.memory",
        "SqliteStore": "choreia.runtime.stores.sqlite.store",
    }
    __all__ = list(_ERRORS)
    __all__ += list(_HOMES)

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version

            value = version("choreia")
        elif name in _HOMES:
            from importlib import import_module

            value = getattr(import_module(_HOMES[name]), name)
        else:
            raise AttributeError(f"module 'choreia' has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted([*__all__, "__version__"])
