"""Sagas without a coordinator: each participant knows its own steps, and how to undo them.

::

    marks  records ← book  delivery  emitting ← noting ← turn ← wrapping ← declaring ← participant
    waking   locking

- `marks`: `@step`, `@pivot` and `@join`: what a method does for a case.
- `records`: what a participant keeps about one step of one case.
- `book`: all records of the cases in this process; it decides who may go forward, and who back.
- `delivery`: what is noted while one event is in hand; it happens when the handlers return.
- `emitting`: emissions that say which steps they stand on.
- `noting` and `turn`: a turn that keeps records: as any other, in memory or durable.
- `wrapping`: what stands around a marked method when it runs.
- `declaring`: the handlers that follow from what a class declares.
- `waking`: who was to be woken when the process died is woken after that.
- `participant`: the class to derive from.
- `locking`: the pending flag of a semantic lock, for states.

(Garcia-Molina and Salem 1987, "Sagas"; here nobody holds the list of steps.)
"""
