"""The console without a terminal: frames and keys in, lines out, and what it wants to be done.

`console.Console` is all that others need, with `line` (what it draws) and `asks` (what it wants).
Under it, from the ground up: `reading` (fields of a frame, whatever they may be), `face` (symbols
and harmless text), `moment` and `history` (frames, and what is read off several), `listing` (rows
with a selection, filtered and sorted), `stage` (what all screens share), `views` (the screens).
"""
