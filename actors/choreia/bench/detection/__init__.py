"""``choreia bench detectors``: how often suspicion is wrong, against how soon it is right.

Simulated, so a pure function of the seed, and no time is measured. In reading order: `scenario`
says what happens to heartbeats, `arrivals` when they arrive; `setting` is a detector to try, and
`catalogue` lists them all, among them three of `others`: Pekko's, and what the runtime's own could
have been; `measure` tries one in one scenario, `probes` does for indirect probes; `trials` runs
everything; `report`, `plot` and `results` show and keep it; `command` is the command.
"""
