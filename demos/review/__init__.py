"""A guild that reviews Python source. Nobody directs it: every step is a reaction.

    scout ──file.found──▶ metrics-1, metrics-2, …   all bid, all know the winner
      ──file.measured──▶ faults-1, faults-2, …      the same again, for faults
        ──finding.raised──▶ critics ──opinion.given──▶ defenders
          ──challenge.answered──▶ clerk ──finding.settled──▶ reporter

What to watch for:

- Backpressure. Mailboxes are small and fill from the slow end; then the scout
  waits in the middle of its walk, and memory does not grow with the tree.
- Auctions without an auctioneer. Bidders answer each other through mailboxes
  that are full. Where each would wait for the other for ever, one event is let
  in above capacity: the column "over".
- A file that cannot be parsed kills nobody: it is a dead letter, and the report
  gives its reason.
- The result is the same for any number of analysts and any order of turns.
"""

from __future__ import annotations

from choreia.demos.review.choreography import build as build
