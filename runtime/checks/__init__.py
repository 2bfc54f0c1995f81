"""Programs that look at code and answer: run as a process, with a limit of time.

ruff.py            ruff's own fixes, and what never works
validating.py      all checks of a draft for a live service      (files.py, imports.py, complexity.py, trees.py)
mypy.py            types                                         (tools.py)
bandit.py          security
covered_tests.py   the tests in the sandbox, with coverage       (pytest_results.py)
"""
