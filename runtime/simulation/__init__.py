"""The simulated clock and dispatcher: one thread, virtual time, an order drawn from a seed.

With this pair a system is a function of its seed. It stands in for `delivery.clock.SystemClock` and
`delivery.workers.ThreadDispatcher` and implements the same contracts.
"""
