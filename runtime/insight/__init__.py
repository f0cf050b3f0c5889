"""What happened, and what could: read off the log, the subscriptions and the declarations.

`story` is what is known of one case; `verdict` says how it stands, `trace` shows it, `explain` says
who got an event and who did not, and why. `choreography` is what a set of agents declares.

Nothing here is asked while events are on their way: whoever looks, pays.
"""
