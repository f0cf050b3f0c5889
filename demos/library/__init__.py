"""A library that reads, and conversations that remember. Nobody directs it.

::

    outside ──document.received──▶ reader ──document.processed──▶ embedder
      ──embedding.generated──▶ index, which says to itself: memory.updated

    outside ──question.asked──▶ conversation ──search.requested──▶ embedder
      ──query.embedded──▶ index ──search.found──▶ conversation
      ──answer.progressed …, question.answered (with citations)──▶ whoever listens

There is a conversation for each user. What it was asked, and about what, it says to itself; so it
understands "and can it contain statements?", and with a store it still does in the next run.

Read on in this order: `events`, the agents (`reader`, `embedding`, `index` with its `shelves`,
`conversation` with its `memory`), then `choreography`, which brings them together, `past`, which
looks back, and `audit`, which adds it all up. `models` holds what writes the answers.
"""

from __future__ import annotations

from choreia.demos.library.choreography import build as build
