"""Sagas without a coordinator: the class to derive from, the marks, and what a step raises."""

from __future__ import annotations

from choreia.actors.sagas.locking import Lock as Lock
from choreia.actors.sagas.marks import join as join
from choreia.actors.sagas.marks import pivot as pivot
from choreia.actors.sagas.marks import step as step
from choreia.actors.sagas.participant import SagaParticipant as SagaParticipant
from choreia.runtime.errors import StepFailed as StepFailed
