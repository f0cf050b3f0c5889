"""A choreography as a picture: who says what to whom.

`picture` makes it a value, `observed` adds what stands in a store; `mermaid`, `dot` and `page`
(HTML) write it, and `asyncapi` writes the choreography as an AsyncAPI document.
"""
