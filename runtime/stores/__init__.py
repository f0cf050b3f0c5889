"""Event stores: one log that is the truth, and what has to be as durable as it.

`base` is the contract, `unit` what happens as a whole or not at all, and `conformance` the tests
that any implementation runs. `memory`, `sqlite` and `postgres` implement it, the latter two over
`sql`; nothing here knows of delivery or of agents. `chain` is the hash chain, `jsonl` the way out
of a store and into another, `selecting` and `refusals` what all stores share.
"""
