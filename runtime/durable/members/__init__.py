"""Members of a family, when there is a store: they share one place in the log.

The front has the cursor. Its members come to the end of their events in any order, so the cursor
is a low-water mark, below which all is done, and the store keeps which events above it are done.

    completions   what of the log is in hand, and what may be said to be done
    ledger        a member's ledger, which moves the family's mark instead of a cursor of its own
    turn          how a member begins: with its state, at no seat
    feeds         the windows on the log: a keyed front that deals out, its members, a group's
"""
