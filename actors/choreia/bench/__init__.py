"""``choreia bench``: workloads side by side with other libraries, on your machine.

In reading order: `workload` says what one comparison is and `catalogue` lists them all;
`pykka_side`, `aiopubsub_side` and the `choreia_…` modules hold the same work written
for each library (the only files that import them), in sizes from `shape` and `topics`;
`child` runs one of these in a fresh process, `runner` runs many, interleaved; `summary`
turns samples into ratios, `report` prints them, `results` keeps them as CSV with what
`machine` knows; `command` is the command. The package `detection` is ``choreia bench
detectors``, a simulation.

No test asserts a time: a speed claim is a ratio, measured in one sitting, with its spread.
"""
