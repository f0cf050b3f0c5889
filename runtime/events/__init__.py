"""What an event is, before anything is delivered.

Modules, each standing only on those above it:

    limits        how large and how deep things may be
    topic         type names and topic patterns
    identity      ids of events and agents
    payload       JSON values that cannot be changed
    fields        what every other field of an event may hold
    display       event text made fit for a terminal or a log
    event         `Event` and `Metadata`
    scale, operators, regex, filter
                  content filters
    declaration   checks that declarations share
    upcasting     old payloads lifted to newer versions
    structuring   cattrs, made strict; schema: typed payloads and their versions
    strictjson    JSON as a receiver should read it; rfc3339: times as text
    codec         the JSON of the wire; cloudevents: the same in CloudEvents 1.0

`event` has methods that need `schema`, `codec` and `cloudevents`. It loads those when the
methods are called, so importing it stays cheap and the arrows point one way. Import from the
modules; this package re-exports nothing.
"""
