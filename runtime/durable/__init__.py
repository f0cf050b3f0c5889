"""Durable delivery: a store's log is the truth, and an agent goes on where it stopped."""
