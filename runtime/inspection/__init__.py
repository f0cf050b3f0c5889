"""Looking at a running system from another process, over a Unix socket.

The protocol, who serves it, and who asks. What there is to see is the layer above's business.
"""
