"""What has a mailbox, or is inherited by something that has one: `choreia.actors`.

It imports `choreia.runtime` and is imported by `choreia.demos`. Only `base` imports pykka, so
that what an actor is can be read, and replaced, in one place. Users import the names they
need from `choreia`, the front door, which lies in this folder but outside this package.
"""
