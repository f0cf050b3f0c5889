"""The machinery of Choreia: everything that can be tested without starting an actor.

Layers, in the order an event travels; each may import those above it, never those below:

    errors        every error raised on purpose; imports nothing of the project
    events        what an event is: identity, payload, schema, wire formats, topics, filters
    delivery      how one reaches a mailbox: clock, feed, subscriptions, dispatcher, bus
    health        who is alive
    stores        where events are kept
    transports    how they cross processes
    insight       how people see what happened
    simulation    time, order and faults under a seed

Nothing here imports `choreia.actors`; what has a mailbox lives there and stands on this.
"""
