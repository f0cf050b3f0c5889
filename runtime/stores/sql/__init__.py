"""What stores over a database of tables share: `sqlite` and `postgres` differ in little else than
how one connects, locks, and says what went wrong.

SQL is written so that both take it, with ``?`` for a parameter.
"""
