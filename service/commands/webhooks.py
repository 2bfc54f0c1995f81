"""`webhooks [test]`: where events are sent, what was accepted, and one message to try it."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from typing import TYPE_CHECKING, Any

from core.errors import ConfigError
from core.ids import system_clock
from service.escape import escaped
from service.output import Output
from service.state import open_folder, settings_of
from service.tables import columns, fields

if TYPE_CHECKING:
    from core.settings import Settings
    from memory.ledger import Ledger
    from service.exports.webhooks import Hooks

__all__ = ["webhooks"]


def webhooks(args: argparse.Namespace, output: Output) -> int:
    """`webhooks`, `webhooks test`"""
    from service.exports.webhooks import Hooks

    settings = settings_of(args)
    hooks = Hooks.of(settings, os.environ)
    if not hooks.targets:
        raise ConfigError(
            "no webhook is set",
            where="webhook_url",
            hint="RATCHET_WEBHOOK_URL=https://…, or webhook_url in ratchet.toml",
        )
    with open_folder(args).open_ledger() as ledger:
        return _test(hooks, settings, ledger, output) if args.action == "test" else _list(hooks, ledger, output)


def _list(hooks: Hooks, ledger: Ledger, output: Output) -> int:
    from service.exports.webhooks import DELIVERY

    counts: Counter[tuple[str, bool]] = Counter()
    for stored in ledger.campaigns():
        for effect in ledger.effects.of(stored.id, DELIVERY):
            counts[effect.request["target"], effect.state == "finished"] += 1
    rows = [(t.name, counts[t.id, True], counts[t.id, False]) for t in hooks.targets]
    types = [kind.__name__ for kind in hooks.types]
    told = [{"receiver": name, "accepted": accepted, "waiting": waiting} for name, accepted, waiting in rows]
    table = columns([(escaped(name), a, w) for name, a, w in rows], ("receiver", "accepted", "waiting"))
    output.result({"receivers": told, "events": types}, f"{table}\n\n{fields([('events', ', '.join(types))])}")
    return 0


def _test(hooks: Hooks, settings: Settings, ledger: Ledger, output: Output) -> int:
    from runtime.webhooks.sending import send
    from service.exports.leaving import leave_to_send
    from service.exports.webhook_messages import test_message

    message = test_message(system_clock())
    told: list[dict[str, Any]] = []
    for target in hooks.targets:
        leave_to_send(
            ledger, "a test message", target.host, policy_file=settings.policy_file, safe_mode=settings.safe_mode
        )
        answer = send(target, hooks.key, message)
        told.append({
            "receiver": target.name, "outcome": answer.outcome, "status": answer.status, "reason": answer.reason
        })  # fmt: skip
    lines = [f"{escaped(one['receiver'])}: {one['outcome']}  {escaped(one['reason'])}".rstrip() for one in told]
    output.result({"id": message.id, "receivers": told}, "\n".join(lines))
    return 0 if all(one["outcome"] == "accepted" for one in told) else 4
