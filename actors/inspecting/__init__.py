"""What a running system answers to whoever looks at it from another process.

All of it is read from counters and from what is remembered anyway; no agent is asked.
"""
