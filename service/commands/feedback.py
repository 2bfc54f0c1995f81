"""`feedback FILE…`: comments for Python files, how good they are, and what their own docstrings have wrong."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import BusyError, ConfigError, ModelError, RatchetError, UsageError
from service.output import Output
from service.state import open_folder, settings_of

if TYPE_CHECKING:
    from graph.feedback_models import FeedbackModels
    from graph.feedback_workflow import FeedbackRun
    from graph.user_files import FileByFile
    from memory.recall import Recall
    from memory.state_folder import StateFolder
    from service.feedback.baseline import Baseline

__all__ = ["feedback"]

CHECK_FAILED = 8
DEFAULT_THRESHOLD = 0.6
MAX_ITERATIONS = 100


def feedback(args: argparse.Namespace, output: Output) -> int:
    """`feedback FILE… [--iterations N] [--guidance TEXT]… [--write] [--diff] [--check] [--baseline FILE] …`"""
    from service.feedback.sources import python_files

    _check_usage(args)
    stored = _stored(args)
    files = python_files(args.files)
    folder = open_folder(args)
    folder.create()
    with (
        _writing(args, folder, files) as changes,
        _memory(args, folder, output) as recall,
        _models(args, output, folder) as models,
    ):
        results, failed = asyncio.run(_run_all(args, output, files, folder, recall, models, changes))
        code = _conclude(args, output, results, failed, stored, models)
        return code or _end_of_model(models, output)


def _end_of_model(models: FeedbackModels | None, output: Output) -> int:
    """The exit code that a model brings which was asked for by name, and left questions without an answer."""
    from core.errors import ModelAnswerError, ModelBudgetError

    error = None if models is None or models.asked == "auto" else models.error
    if models is None or error is None:
        return 0
    if isinstance(error, ModelBudgetError):
        output.say(f"the model's budget is spent, and rules spoke in its place: exit 7 ({error.what})")
        return error.exit_code
    if isinstance(error, ModelAnswerError):
        if models.answered:
            return 0
        output.say(f"no answer of the model could be used, and rules spoke in its place: exit 4 ({error.what})")
    else:
        output.say(f"the model gave out, and rules spoke in its place: exit 4 ({error.what})")
    return ModelError.exit_code


@contextmanager
def _writing(args: argparse.Namespace, folder: StateFolder, files: Sequence[Path]) -> Iterator[FileByFile | None]:
    """With --write: leave to write into files of the project, and the change that `undo` takes back.

    Raises PolicyError; StorageError when it cannot be audited.
    """
    if not args.write:
        yield None
        return
    from core.policy import Action
    from graph.user_files import UserFiles
    from service.policy import Gate, ask_locally

    with folder.open_ledger() as ledger:
        details = {"files": [str(path) for path in files[:50]]}
        gate = Gate.of(settings_of(args), ledger)
        # the syntax tree of each file stays the same, which is checked before it is written
        ask_locally(gate, Action.CODE_APPLY, change_count=len(files), risk_level="low", verified=True, details=details)
        with UserFiles(folder, ledger).one_by_one("feedback --write") as changes:
            yield changes


def _check_usage(args: argparse.Namespace) -> None:
    """Raises UsageError for numbers out of range and for a threshold that nothing checks."""
    wrong = ""
    if not 1 <= args.iterations <= MAX_ITERATIONS:
        wrong = f"--iterations {args.iterations} is not between 1 and {MAX_ITERATIONS}"
    elif args.threshold is not None and not 0 <= args.threshold <= 1:
        wrong = f"--threshold {args.threshold:g} is not between 0 and 1"
    elif args.threshold is not None and not args.check:
        wrong = "--threshold says what --check wants, which is not given"
    if wrong:
        raise UsageError(wrong, where="command line", hint="`python run_graph.py feedback --help`")


def _stored(args: argparse.Namespace) -> Baseline:
    """The baseline in force: with --check it must be there."""
    from service.feedback.baseline import Baseline

    if args.baseline is None or (not args.check and not Path(args.baseline).exists()):
        return Baseline()
    return Baseline.read(Path(args.baseline))


@contextmanager
def _memory(args: argparse.Namespace, folder: StateFolder, output: Output) -> Iterator[Recall | None]:
    """What paid before.  A gate goes without: it must answer the same for the same files, whatever ran before."""
    if args.check or args.baseline:
        yield None
        return
    try:
        ledger = folder.open_ledger()
    except RatchetError as error:
        output.say(f"without memory: {error.what}")
        yield None
        return
    with ledger, folder.open_recall(ledger) as recall:
        yield recall


@contextmanager
def _models(args: argparse.Namespace, output: Output, folder: StateFolder) -> Iterator[FeedbackModels | None]:
    """The models of the three parts, where call or settings name one.

    Raises ModelError when it is not there, and PolicyError where code may not be sent to where it is.
    """
    asked = args.model or settings_of(args).model or "none"
    if asked == "none":
        yield None
        return
    from core.campaign import Budget
    from graph.feedback_models import FeedbackModels
    from runtime.models.choice import check_spec

    check_spec(asked, "--model")
    _may_send(args, folder, asked)
    record = Path(args.record) if args.record else None
    budget = Budget(usd=args.budget_usd, tokens=args.budget_tokens)
    models = FeedbackModels(asked, Path.cwd(), budget, record=record)
    try:
        output.say(f"model: {models.choice.model} ({models.choice.reason})")
        yield models
    finally:
        models.close()


def _may_send(args: argparse.Namespace, folder: StateFolder, asked: str) -> None:
    """Leave to send code to a model on another machine.  Raises PolicyError; StorageError when it cannot be audited."""
    from core.policy import Action
    from service.elsewhere import model_servers
    from service.policy import Gate, ask_locally

    if places := model_servers([asked]):
        details = {"files": [str(path) for path in args.files[:50]], "to": places}
        with folder.open_ledger() as ledger:
            ask_locally(Gate.of(settings_of(args), ledger), Action.REMOTE_CALL, details=details)


async def _run_all(
    args: argparse.Namespace,
    output: Output,
    files: Sequence[Path],
    folder: StateFolder,
    recall: Recall | None,
    models: FeedbackModels | None,
    changes: FileByFile | None,
) -> tuple[list[dict[str, Any]], dict[str, RatchetError]]:
    """Results file by file, and the errors of those that could not be analysed; that of an only file is raised."""
    from graph.feedback_workflow import FeedbackWorkflow

    loop = None if models is None else models.loop()
    workflow = FeedbackWorkflow(folder.workflow_runs, loop=loop, recall=recall)

    def told(run: FeedbackRun, payload: dict[str, Any]) -> None:
        reward = payload["discriminator_score"]["reward"]
        output.record(
            {"type": "iteration_completed", "path": run.path, "round": payload["iteration"] + 1, "reward": reward}
        )

    workflow.register_event_handler("iteration_completed", told)
    results: list[dict[str, Any]] = []
    failed: dict[str, RatchetError] = {}
    for number, path in enumerate(files, 1):
        if len(files) > 1:
            output.say(f"{number}/{len(files)}  {path}")
        try:
            run = await workflow.run(path, args.iterations, guidance=args.guidance or ())
            results.append(_result(args, run, changes))
        except (ConfigError, BusyError) as error:
            if len(files) == 1:
                raise
            failed[str(path)] = error
    return results, failed


def _result(args: argparse.Namespace, run: FeedbackRun, changes: FileByFile | None) -> dict[str, Any]:
    """A run as plain data; the file is written here, when that is asked for."""
    from service.feedback.views import as_told

    told = as_told(run)
    if (args.write or args.diff) and run.best is not None:
        from service.feedback.writing import rewrite  # libcst takes half a second to import

        new = rewrite(Path(run.path), run.best.comments)
        told["diff"] = new.diff
        if changes is not None and new.changed:
            changes.write(new.path, new.before, new.after, new.write)
        told["written"] = changes is not None and new.changed
    return told


def _conclude(
    args: argparse.Namespace,
    output: Output,
    results: list[dict[str, Any]],
    failed: dict[str, RatchetError],
    stored: Baseline,
    models: FeedbackModels | None,
) -> int:
    from graph.model_use import answers
    from service.feedback.baseline import as_json, entry, failures, key_of
    from service.feedback.views import shown

    told: dict[str, Any] = {
        "files": results,
        "failed": [{"path": p, "what": e.what, "where": e.where, "try": e.hint} for p, e in failed.items()],
    }
    if models is not None:
        reason = models.error.what if models.error else ""
        told["model"] = {"asked": models.asked, "model": models.choice.model, **models.use, "reason": reason}
        tokens = int(models.use["input_tokens"] + models.use["output_tokens"])
        without = f", {models.use['failed']} questions without one that could be used" if models.use["failed"] else ""
        output.say(f"model: {answers(int(models.use['calls']))}{without}, {tokens:,} tokens")
    threshold = DEFAULT_THRESHOLD if args.threshold is None else args.threshold
    place = Path(args.baseline) if args.baseline else Path("baseline.json")
    entries = {key_of(Path(each["path"]), place): (each, entry(each)) for each in results}
    if args.check:
        why = {each["path"]: failures(now, stored.files.get(key), threshold) for key, (each, now) in entries.items()}
        told["check"] = as_json(why)
    elif args.baseline:
        stored.updated({key: now for key, (_, now) in entries.items()}).store(place)
        told["baseline"] = str(place.absolute())
    if args.sarif:
        _write_sarif(Path(args.sarif), results)
        told["sarif"] = str(Path(args.sarif).absolute())
    for error in failed.values():
        if output.mode == "text":
            output.error(error)
    if args.diff and output.mode == "text":
        output.say(shown(told))
        output.data("".join(each.get("diff", "") for each in results).rstrip("\n"))
    else:
        output.result(told, shown(told))
    if failed:
        return 1
    return CHECK_FAILED if args.check and not told["check"]["passed"] else 0


def _write_sarif(path: Path, results: Sequence[dict[str, Any]]) -> None:
    from agents.feedback.defects import Defect
    from agents.feedback.records import Issue
    from core.files import write_atomically
    from service.feedback.sarif import sarif

    found = [
        (
            Path(each["path"]),
            [Defect.model_validate(defect) for defect in each["defects"]],
            [Issue.model_validate(issue) for issue in each["issues"]],
        )
        for each in results
    ]
    write_atomically(path, json.dumps(sarif(found), indent=1, ensure_ascii=False) + "\n", mode=0o644)
