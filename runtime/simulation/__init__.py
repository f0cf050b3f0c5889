"""The simulated clock and dispatcher: virtual time, and an order drawn from a seed.

With this pair a system is a function of its seed. It stands in for `delivery.clock.SystemClock` and
`delivery.workers.ThreadDispatcher` and implements the same contracts. One thread runs at a time,
and nothing runs until somebody waits.
"""
