"""Benchmarks of keyed agents: very many keys, few of them awake.

family    the agents, and what is done with them
command   ``choreia bench keys``
"""
