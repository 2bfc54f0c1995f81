"""The process that keeps one job: starts it, watches it, ends it, and writes down what came of it.

One keeper a job, run by the bare interpreter (`python -I -S`), so everything here is the standard library and
starts in a few hundredths of a second.  `pathlib`, `subprocess` and `dataclasses` are left out for the same reason.

What it covers: no process of the job outlives it (double forks and new sessions included), time, memory, number of
processes and output are bounded, the result is written whole or not at all, even on a disk that filled up meanwhile.
What it does not cover: the job runs as the same user with the same files and the same network; it may ask a service
outside (cron, systemd, a container engine) to start something, and it may kill its keeper, after which
`runtime.jobs.leftovers` ends what carries the job's mark.
"""
