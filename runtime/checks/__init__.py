"""Programs that look at code and answer: run as a process, with a limit of time.

ruff.py            ruff's own fixes, and what never works
validating.py      all checks of a draft for a live service      (trees.py)
files.py, interface.py, imports.py, complexity.py                 read it, and run nothing
mypy.py            types                                         (tools.py)
bandit.py          security
covered_tests.py   the tests in the sandbox, with coverage       (pytest_results.py)
"""
