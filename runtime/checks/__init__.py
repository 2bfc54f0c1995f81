"""Programs that look at code and answer: run as a process, with a limit of time."""
