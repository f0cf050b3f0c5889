"""Projections: tables of the user's own, written from the log, exactly once.

::

    status  reach ← ref
    marks  tables ← sqlite, postgres ← opening ← track ← work ← projection

- `marks`: which methods write what (`@project`).
- `tables`: the contract of a database with a projection's tables; `sqlite` and `postgres` keep it.
- `track`: one set of tables on its way through the log; `work`: those that serve, and those that
  are being rebuilt beside them.
- `projection`: the agent; `ref`: how it is asked, rebuilt and looked at.
"""
