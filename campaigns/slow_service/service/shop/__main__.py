"""`python -m shop --port 8123 --telemetry shop.jsonl --data data`: serve until a signal comes.

With `--live FOLDER` its work can be changed while it runs: the folder holds releases of this code, and a link to the
live one.  That needs Ratchet's reloader, a module of one file.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import uvicorn

from shop.app import create_app
from shop.database import Database
from shop.telemetry import Recorder


def main() -> None:
    parser = argparse.ArgumentParser(prog="shop")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--telemetry", type=Path, help="where lines are written (default: nowhere)")
    parser.add_argument("--live", type=Path, help="folder of the releases (default: this code, as it is)")
    parser.add_argument("--data", type=Path, help="folder of the database (default: a new one)")
    args = parser.parse_args()
    data = args.data or Path(tempfile.mkdtemp(prefix="shop-"))
    data.mkdir(parents=True, exist_ok=True)
    recorder = Recorder(args.telemetry)
    database = Database(data / "shop.db", recorder.query)
    if args.live is None:
        app = create_app(database, recorder)
    else:
        from runtime.deployment.reloader import Reloader

        app = create_app(database, recorder, Reloader(args.live, "shop.work").start(poll_s=0).version)
    uvicorn.run(app, host="127.0.0.1", port=args.port, log_level="warning", access_log=False)
    recorder.close()


if __name__ == "__main__":
    main()
