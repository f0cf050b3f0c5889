"""A guild that reviews Python source. Nobody directs it; every step is somebody's reaction.

    scout ──file.found──▶ metrics-1, metrics-2, …   each bids, hears all bids, knows the winner
      the winner ──file.measured──▶ faults-1, faults-2, …   the same again, for the faults
        the winner ──finding.raised──▶ critics ──opinion.given──▶ defenders
          ──challenge.answered──▶ clerk ──finding.settled──▶ reporter ──review.completed──▶

What to watch for:

- Backpressure: mailboxes are small. They fill from the slow end, and the scout waits in the
  middle of its walk; memory does not grow with the tree.
- Auctions without an auctioneer: bidders answer each other, round and round, through full
  mailboxes. Where everybody would wait for everybody one event is let in above capacity: "over".
- A file that cannot be parsed kills nobody: it is a dead letter, and the report says why.
- The result is the same for any number of analysts and any order of their turns.
"""

from __future__ import annotations
