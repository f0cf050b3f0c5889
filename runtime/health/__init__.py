"""Who is alive: told by heartbeats, doubted by detectors, and how often who fails may begin anew.

``heartbeat`` (how an agent is watched) → ``detector`` (when silence becomes suspicion) →
``attention`` (a supervisor that was late suspects nobody for it) → ``watch`` (one agent, watched) →
``wheel`` (who is looked at when) → ``supervision`` (suspected, and believed again, with
``evidence``). ``remotes`` are the agents of other nodes, ``restart`` counts failures, and
``metrics`` are what a heartbeat tells of the process.
"""
