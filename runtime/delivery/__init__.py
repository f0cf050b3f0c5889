"""How an event reaches an agent, in the order it travels.

``subscription`` (who wants this type) → ``bus`` (route it) → ``feed`` (let it in, or park the
sender) → ``mailbox`` (wait, bounded) → ``dispatcher`` (whose turn is it) → ``cell`` (one
agent's place in all this) → ``turn`` (the handler runs; all or nothing) → ``deadletter``.

``family`` and ``shared`` are for many agents behind one subscription: keyed agents and groups.

``clock`` and ``dispatcher`` are the seam for determinism: time, timers, and the order of turns
come from there and nowhere else. ``workers`` is the real dispatcher; the simulated pair lives in
``choreia.runtime.simulation``, which this package never imports.
"""
