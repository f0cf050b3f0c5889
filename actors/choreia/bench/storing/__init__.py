"""``choreia bench store``: durable events a second, beside raw sqlite3 and `eventsourcing`.

All in one process and one run, interleaved, each in a folder of its own. `ours` measures Choreia,
`peers` the others and the disk itself, `command` puts them side by side.
"""
