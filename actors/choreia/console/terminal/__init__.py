"""The console's terminal: keys in, pictures out, and the connection to the system that is watched.

One loop on the main thread (`loop.py`) takes messages (`news.py`) out of one queue. Whatever waits
for the world has a thread of its own that puts them there: the keyboard (`reader.py`), the
connection (`link.py`). So a system that is slow or stuck never keeps a key waiting.
"""

from __future__ import annotations
