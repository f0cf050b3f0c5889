"""What it costs a system to be looked at, and what it would cost to ask its agents instead."""
