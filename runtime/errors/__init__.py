"""Every error this project raises on purpose. A leaf: it imports nothing of the project.

All derive from `ChoreiaError`; data is kept in attributes, and the message says what is
wrong, where, and what to do. Where Python has a matching built-in (`TimeoutError`,
`TypeError`, …) the class derives from it too, so that ordinary `except` clauses work.
"""

from __future__ import annotations

from choreia.runtime.errors.agents import DuplicateName as DuplicateName
from choreia.runtime.errors.agents import Fenced as Fenced
from choreia.runtime.errors.agents import GiveUp as GiveUp
from choreia.runtime.errors.agents import HandlerTimeout as HandlerTimeout
from choreia.runtime.errors.agents import InvalidAgent as InvalidAgent
from choreia.runtime.errors.agents import OutboxFull as OutboxFull
from choreia.runtime.errors.agents import OutsideTurn as OutsideTurn
from choreia.runtime.errors.agents import RetryAfter as RetryAfter
from choreia.runtime.errors.agents import ReturnedValue as ReturnedValue
from choreia.runtime.errors.agents import StepFailed as StepFailed
from choreia.runtime.errors.agents import UndeclaredEvent as UndeclaredEvent
from choreia.runtime.errors.agents import Unhandled as Unhandled
from choreia.runtime.errors.agents import UnknownAgent as UnknownAgent
from choreia.runtime.errors.cases import BudgetExceeded as BudgetExceeded
from choreia.runtime.errors.cases import CaseDied as CaseDied
from choreia.runtime.errors.cases import CaseTimeout as CaseTimeout
from choreia.runtime.errors.cases import UnknownCase as UnknownCase
from choreia.runtime.errors.delivery import BlockingCall as BlockingCall
from choreia.runtime.errors.delivery import Deadlock as Deadlock
from choreia.runtime.errors.delivery import DuplicateId as DuplicateId
from choreia.runtime.errors.delivery import HopLimit as HopLimit
from choreia.runtime.errors.delivery import IdleTimeout as IdleTimeout
from choreia.runtime.errors.delivery import ListenerLagged as ListenerLagged
from choreia.runtime.errors.delivery import MailboxFull as MailboxFull
from choreia.runtime.errors.delivery import RequestTimeout as RequestTimeout
from choreia.runtime.errors.delivery import SimulatedIO as SimulatedIO
from choreia.runtime.errors.delivery import SourceTaken as SourceTaken
from choreia.runtime.errors.delivery import SystemStopped as SystemStopped
from choreia.runtime.errors.events import DecodeError as DecodeError
from choreia.runtime.errors.events import IncompatibleVersion as IncompatibleVersion
from choreia.runtime.errors.events import InvalidEvent as InvalidEvent
from choreia.runtime.errors.events import InvalidFilter as InvalidFilter
from choreia.runtime.errors.events import InvalidLimit as InvalidLimit
from choreia.runtime.errors.events import InvalidPattern as InvalidPattern
from choreia.runtime.errors.events import InvalidPayload as InvalidPayload
from choreia.runtime.errors.events import InvalidType as InvalidType
from choreia.runtime.errors.events import PayloadMismatch as PayloadMismatch
from choreia.runtime.errors.events import PayloadTooLarge as PayloadTooLarge
from choreia.runtime.errors.events import SchemaError as SchemaError
from choreia.runtime.errors.inspection import InspectionFailed as InspectionFailed
from choreia.runtime.errors.inspection import InspectionInsecure as InspectionInsecure
from choreia.runtime.errors.inspection import InspectionRefused as InspectionRefused
from choreia.runtime.errors.inspection import InspectionTimeout as InspectionTimeout
from choreia.runtime.errors.inspection import NoSuchSystem as NoSuchSystem
from choreia.runtime.errors.inspection import SeveralSystems as SeveralSystems
from choreia.runtime.errors.inspection import SystemGone as SystemGone
from choreia.runtime.errors.root import ChoreiaError as ChoreiaError
from choreia.runtime.errors.stores import InvalidStore as InvalidStore
from choreia.runtime.errors.stores import StaleCursor as StaleCursor
from choreia.runtime.errors.stores import StoreDamaged as StoreDamaged
from choreia.runtime.errors.stores import StoreError as StoreError
from choreia.runtime.errors.stores import StoreInsecure as StoreInsecure
from choreia.runtime.errors.stores import StoreLocked as StoreLocked
from choreia.runtime.errors.stores import StoreUnavailable as StoreUnavailable
from choreia.runtime.errors.tools import DemoError as DemoError
from choreia.runtime.errors.tools import ExpectationFailed as ExpectationFailed
from choreia.runtime.errors.tools import InvalidAcceptance as InvalidAcceptance
from choreia.runtime.errors.tools import InvalidFormat as InvalidFormat
from choreia.runtime.errors.tools import InvalidModule as InvalidModule
