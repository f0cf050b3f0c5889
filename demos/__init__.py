"""Whole choreographies: `choreia.demos`, one package each, run by `choreia demo NAME`.

They are written as users write theirs, with the names that `choreia` exports and nothing of
the runtime's insides; nothing imports them but the command line, and that only when one is
named. Each has a `build(system, …)` that spawns its agents, and a `command` for the shell.
"""
