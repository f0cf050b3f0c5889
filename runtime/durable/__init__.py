"""Durable delivery: a store's log is the truth, and an agent goes on where it stopped.

In the order an event travels: the `journal` commits what has queued up, together; the `bus` routes
what is committed, in log order; a `feed` is an agent's window on the log; a `turn` handles what is
in it, and `outgoing` is what its handlers ask for, entered in the agent's `ledger`, from which it
goes to the journal as one unit. `alarms` are timers, `letters` dead letters, `memories` attempts
and results that outlive a restart, and `suspects` are tried alone after an unclean end. `members`
is the same for keyed agents and groups, many of which share one place in the log.

It joins `delivery`, which knows of no store, and `stores`, which know of no delivery.
"""
