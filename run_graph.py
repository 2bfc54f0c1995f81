"""The front door: `python run_graph.py --help`."""

from service.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
