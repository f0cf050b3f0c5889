"""Choreographies as they are declared, read off classes, systems and source code.

`load` takes a module, `choreography_of` a system; both give a `Choreography` (`runtime.insight`),
which is plain data. What an agent says is read off the source of its handlers: `source` finds it,
`values` knows what names in it stand for, `speech` collects what is emitted, `players` puts it
together.
"""

from choreia.actors.choreography.loading import load as load
from choreia.actors.choreography.players import choreography_of as choreography_of
