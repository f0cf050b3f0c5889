"""Event stores: one log that is the truth, and what has to be as durable as it.

`base` is the contract and its values, `conformance` the tests of it that any implementation runs.
`memory`, `sqlite` and `postgres` implement it; nothing here knows of delivery or of agents.
`chain` is the hash chain, `jsonl` the way out of a store and into another.
"""
