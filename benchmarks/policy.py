"""What a decision costs, without and with the audit, and what it costs to verify the chain.

    OMP_NUM_THREADS=1 python benchmarks/policy.py [--decisions 5000] [--audited 2000]

Every action in turn, in five contexts, by the shipped rules and behind 300 rules that fit nobody.  Decisions and
explanations do no I/O: theirs is the processor time of the thread, which a busy machine does not change.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.policy import Action, PolicyContext, Rule, When
from memory.audit import Audit
from memory.ledger import Ledger
from service.policy import Gate, Policy, explain, local_context, shipped_rules

CONTEXTS = (
    local_context(verified=True, risk_level="low"),
    local_context(change_count=12, autonomous=True, roles=("agent",)),
    local_context(safe_mode=True),
    local_context(scope="system", approval_id="approval-1"),
    PolicyContext(),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=5000)
    parser.add_argument("--audited", type=int, default=2000)
    args = parser.parse_args()
    cases = list(itertools.product(Action, CONTEXTS))
    shipped = Policy.load()
    others = tuple(
        Rule(name=f"r{n}", actions=("*",), effect="deny", reason="x", when=When(actors=(f"a{n}*", f"b{n}")))
        for n in range(300)
    )
    long = Policy(shipped_rules().model_copy(update={"rules": (*others, *shipped_rules().rules)}), "300 rules")
    for name, policy in (("shipped rules", shipped), ("300 rules more", long)):
        show(f"decision, {name}", args.decisions, cases, lambda a, c, p=policy: p.decide(a, c), time.thread_time)
    show("explanation", min(300, args.decisions), cases, lambda a, c: explain(shipped, a, c), time.thread_time)
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.db") as ledger:
        audit = Audit(ledger.database)
        gate = Gate(shipped, audit)
        show("decision and audit", args.audited, cases, gate.decide)
        begun = time.perf_counter()
        assert audit.verify().entries == args.audited
        print(f"{'verify, an entry':<28} {(time.perf_counter() - begun) / args.audited * 1e3:8.3f} ms")


def show(
    name: str,
    count: int,
    cases: list[tuple[Action, PolicyContext]],
    call: Callable[[Action, PolicyContext], object],
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Median, 99th percentile and maximum of one call, in milliseconds."""
    times = []
    for action, context in itertools.islice(itertools.cycle(cases), count):
        begun = clock()
        call(action, context)
        times.append((clock() - begun) * 1e3)
    times.sort()
    shown = (times[count // 2], times[int(count * 0.99)], times[-1])
    print(f"{name:<28} median {shown[0]:8.3f} ms   p99 {shown[1]:8.3f} ms   max {shown[2]:8.3f} ms")


if __name__ == "__main__":
    main()
