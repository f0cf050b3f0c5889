"""An incident, from the first alarm to the all-clear, with nobody in charge and a person to ask.

Five watchers look at one service, two responders can mend it, and no one of them gives orders.
Each agent decides by what it hears::

    service ──service.sampled──▶ watcher-1 … watcher-4, jumpy        each judges for itself
       ▲                              │
       │                 alarm.raised, alarm.cleared
       │                    │                    │
       │                    ▼                    ▼
       │                 keeper ─score.updated─▶ fixer, stand-by     a quorum of trusted alarms:
       │         (violation.detected)            │            ▲      who is on duty proposes
       │                                  action.proposed     │
       │                                         ▼            │
       │        a person ──action.approved────▶ gate ──action.cleared
       │                   action.vetoed         └─────▶ approval.refused, action.expired,
       │                                                 incident.escalated
       └──action.submitted── whoever has it in hand
       ──action.executed──▶ … alarm.cleared … ──incident.resolved──▶

The runtime's own supervisor is one more voice. When it says ``agent.suspected_failure`` of the
fixer, the stand-by, which has heard all that the fixer heard, takes over what was approved and
not executed. The approval stays valid, because it names the digest of the exact action and not
who is to do it; so nobody is asked twice.

Why the action is executed once, although a suspicion may be wrong: the fixer that was suspected
is fenced (`Heartbeat(replace_after=…)`), and whatever its old handler still tries to say raises
`Fenced`; and should both come before that, the service takes an action once, by its incident and
digest. A
failure detector alone could promise neither.

Read on in this order: `action`, `events`; `pulse`, `service`, `watcher`; `trust` and its `keeper`;
`consent` and its `gate`; `notes`, `responder`, and the `faults` it can have. Then `choreography`
brings them together, `people` are outside and answer, `stage` lets the story run, `chronicle`
writes it down in the words of `telling`, and `audit` adds it all up. `performance` and what it
uses is for the command line.
"""

from __future__ import annotations

from choreia.demos.incident.choreography import build as build
