"""`choreia top`: a running system, as whoever keeps it going wants to see it.

`model` is what there is to see: snapshots and keys go in, lines and wishes come out. It knows no
terminal, no thread and no clock, so its tests need none either. Whatever draws it is above it.
"""
