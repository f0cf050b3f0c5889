"""What may be changed from outside, if the system allows it. Each change leaves an event that says
who made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from choreia.actors.inspecting.arguments import Arguments
from choreia.runtime.errors import ChoreiaError, UnknownAgent
from choreia.runtime.events.display import plain
from choreia.runtime.inspection.frames import Fields, Refusal
from choreia.runtime.inspection.peers import Peer

if TYPE_CHECKING:
    from choreia.actors.inspecting.sampler import Sampler
    from choreia.actors.roster import Roster
    from choreia.actors.system import ActorSystem

CONTROLLED: Final = "system.controlled"
PATIENCE: Final = 5.0
"""Seconds that whoever publishes or redelivers waits for room."""
CHANGING: Final = ("pause", "resume", "restart", "stop", "redeliver", "publish")


class Control:
    """The changing verbs of one system."""

    def __init__(
        self, system: ActorSystem, roster: Roster, sampler: Sampler, *, allowed: bool
    ) -> None:
        self._system = system
        self._roster = roster
        self._engine = roster.engine
        self._sampler = sampler
        self._allowed = allowed
        self._verbs: Mapping[str, Callable[[Arguments], tuple[str, Fields]]] = {
            "pause": self._by_name(system.pause, "is paused"),
            "resume": self._by_name(system.resume, "goes on"),
            "restart": self._by_name(system.restart, "begins anew"),
            "stop": self._by_name(self._stop, "stops when it has handled what waits"),
            "redeliver": self._redeliver,
            "publish": self._publish,
        }

    @property
    def why_not(self) -> str | None:
        """Why nothing may be changed; None: it may."""
        if self._engine.dispatcher.simulated:
            return (
                "a simulated system is a function of its seed, and nobody interferes from outside"
            )
        if not self._allowed:
            return (
                "this system may only be looked at: start it with `--control`, or with "
                "ActorSystem(inspect=Inspection(control=True))"
            )
        return None

    def change(self, verb: str, args: Arguments, peer: Peer) -> Fields:
        """Do it, and say who did: ``system.controlled``, with ``verb``, ``agent`` and ``by``."""
        if (why := self.why_not) is not None:
            raise Refusal("refused", f"{verb}: {why}")
        try:
            agent, done = self._verbs[verb](args)
        except UnknownAgent as error:
            raise Refusal("unknown", plain(str(error), 500)) from error
        by = {"uid": peer.uid, "pid": peer.pid, "user": peer.user}
        said = {"verb": verb, "agent": agent, "by": by}
        self._engine.announce("system.controlled", said, always=True)
        return done

    def _by_name(
        self, change: Callable[[str], None], done: str
    ) -> Callable[[Arguments], tuple[str, Fields]]:
        def by_name(args: Arguments) -> tuple[str, Fields]:
            agent = args.text("agent")
            args.end()
            if self._roster.cell(agent).kind == "system":
                raise Refusal("refused", f"{plain(agent, 80)} is the runtime's own")
            change(agent)
            return agent, {"done": f"{plain(agent, 80)} {done}"}

        return by_name

    def _stop(self, agent: str) -> None:
        self._system.ref(agent).stop(block=False)

    def _redeliver(self, args: Arguments) -> tuple[str, Fields]:
        agent, event = args.text("agent"), args.text("event")
        args.end()
        letter = self._sampler.find_letter(agent, event)
        if letter is None:
            shown = f"{plain(event, 80)} at {plain(agent, 80)}"
            raise Refusal("unknown", f"there is no dead letter of {shown}: it may be gone by now")
        self._system.redeliver(letter, timeout=PATIENCE)
        return agent, {"done": f"{plain(event, 80)} is redelivered to {plain(agent, 80)}"}

    def _publish(self, args: Arguments) -> tuple[str, Fields]:
        type, payload = args.text("type"), args.fields("payload")
        args.end()
        if type == CONTROLLED:
            raise Refusal("refused", f"publish: {CONTROLLED} tells who has changed something here")
        try:
            event = self._system.publish(type, payload or {}, timeout=PATIENCE)
        except ChoreiaError as error:
            raise Refusal("failed", plain(str(error), 1_000)) from error
        return "", {"id": event.id, "done": f"{event.type} is published"}
