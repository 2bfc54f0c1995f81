"""Milliseconds to make one configuration: merged, validated, both files written.

python benchmarks/config_cost.py [--configs 300]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from agents.executors.configuration import ExperimentConfigGenerator, load_schema


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--configs", type=int, default=300)
    configs = arguments.parse_args().configs
    with tempfile.TemporaryDirectory() as folder:
        made = ExperimentConfigGenerator(
            load_schema("vision"), experiments_dir=Path(folder) / "experiments", memory_dir=Path(folder)
        )
        wall, cpu = [], []
        for i in range(configs):
            began, used = time.perf_counter(), time.process_time()
            made.generate_config(
                f"exp_{i}", {"type": "hyperparameter_tuning", "changes": {"learning_rate": 1e-3 / (i + 1)}}
            )
            wall.append(1e3 * (time.perf_counter() - began))
            cpu.append(1e3 * (time.process_time() - used))
    print(f"a configuration: {statistics.median(wall):.2f} ms (median), CPU {statistics.median(cpu):.2f} ms; "
          f"slowest of {configs}: {max(wall):.1f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
