"""A campaign as a study in an Optuna storage, which optuna-dashboard opens.

Needs the extra `optuna`.  A trial is found again by its proposal's id: exporting twice adds only what is new.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ConfigError, StorageError, UnavailableError
from core.ids import canonical
from graph.loading import space_of
from memory.history import History
from memory.ledger import Ledger, StoredCampaign
from search.parameters import Choice, Float, Int, Parameter, Patch, same
from search.space import Space
from service.exports.origin import Exported, origin_of, taken
from service.exports.trials import Trial, trials_of

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

__all__ = ["export_optuna", "storage_url"]

ORIGIN = "ratchet_origin"
PROPOSAL = "proposal_id"


def storage_url(out: str | Path) -> str:
    """The URL of an Optuna storage: `out` itself, or that of a SQLite file."""
    return str(out) if "://" in str(out) else f"sqlite:///{Path(out).absolute()}"


def export_optuna(ledger: Ledger, stored: StoredCampaign, out: str | Path) -> Exported:
    """Write the campaign into the storage `out` (a file or a URL), as the study of its id.

    Raises UnavailableError without Optuna, ConfigError when another campaign's study has that name, StorageError when
    the storage cannot be used, BusyError while another process exports it.
    """
    try:
        import optuna
        from optuna.exceptions import ExperimentalWarning, OptunaError
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError as error:
        raise UnavailableError("Optuna is not installed", hint="pip install 'ratchet[optuna]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = storage_url(out)
    lease = ledger.leases.acquire(f"export optuna {stored.id}")
    try:
        history, trials = trials_of(ledger, stored)
        storage = optuna.storages.RDBStorage(url)
        goal = stored.definition.objective.goal
        study = optuna.create_study(storage=storage, study_name=stored.id, direction=goal, load_if_exists=True)
        there = _claim(study, stored, str(out))
        new = [trial for trial in trials if trial.id not in there]
        distributions = _Distributions(space_of(stored.definition))
        study.add_trials([_frozen(trial, distributions, stored) for trial in new])
        for name, value in _attributes(stored, history).items():
            if study.user_attrs.get(name) != value:
                study.set_user_attr(name, value)
        with warnings.catch_warnings():  # it says of itself that it is new
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names([stored.definition.objective.metric])
    except (OptunaError, SQLAlchemyError, OSError) as error:
        raise StorageError(
            f"the Optuna storage cannot be used: {str(error).splitlines()[0][:200]}",
            where=str(out),
            hint="give a new file, or the URL of an Optuna storage",
        ) from error
    finally:
        ledger.leases.release(lease)
    return Exported(url, stored.id, len(new), len(there) + len(new))


def _claim(study: Study, stored: StoredCampaign, where: str) -> set[str]:
    """The proposals that are in the study already.  Raises ConfigError when it is not of this campaign."""
    trials = study.get_trials(deepcopy=False)
    origin = study.user_attrs.get(ORIGIN)
    if origin is None and not trials:
        study.set_user_attr(ORIGIN, origin_of(stored))
    elif origin != origin_of(stored):
        raise taken("study", stored.id, where)
    return {str(trial.user_attrs.get(PROPOSAL)) for trial in trials}


def _frozen(trial: Trial, distributions: _Distributions, stored: StoredCampaign) -> FrozenTrial:
    from optuna.trial import FrozenTrial, TrialState

    states = {"ok": TrialState.COMPLETE, "stopped": TrialState.PRUNED}
    state = states.get(trial.status, TrialState.FAIL)
    if trial.value is None and state is TrialState.COMPLETE:
        state = TrialState.FAIL
    metric = stored.definition.objective.metric
    return FrozenTrial(
        number=-1,  # the storage numbers them
        trial_id=-1,
        state=state,
        value=None if state is TrialState.FAIL else trial.value,
        datetime_start=datetime.fromtimestamp(trial.started_at),
        datetime_complete=datetime.fromtimestamp(trial.finished_at),
        params=distributions.values(trial.config),
        distributions=distributions.of(trial.config),
        user_attrs=_user_attributes(trial),
        system_attrs={},
        intermediate_values={
            report.step: report.metrics[metric]
            for report in trial.reports
            if metric in report.metrics and report.step >= 0
        },
    )


def _user_attributes(trial: Trial) -> dict[str, Any]:
    """Few of them, in mappings: each costs the storage two statements."""
    proposal, outcome = trial.proposal, trial.outcome
    told: dict[str, Any] = {
        PROPOSAL: trial.id,
        "proposer": proposal.proposer,
        "cycle": proposal.cycle,
        "rationale": proposal.rationale,
        "votes": {vote.voter: vote.score for vote in trial.votes},
        "metrics": dict(outcome.metrics),
        "job": {
            "id": outcome.job_id,
            "seed": outcome.seed,
            "seconds": outcome.duration_s,
            "status": outcome.status,
            **({"cause": outcome.cause} if outcome.cause else {}),
        },
    }
    if (ruling := trial.ruling) is not None:
        told["ruling"] = {"decision": ruling.decision, "rule": ruling.rule, "risk": ruling.risk}
        if trial.tally is not None:
            told["ruling"]["tally"] = trial.tally.score
    if proposal.operator:
        told |= {"operator": proposal.operator, "patch": next(iter(trial.config.values()), "")}
    return told


def _attributes(stored: StoredCampaign, history: History) -> dict[str, Any]:
    definition = stored.definition
    told: dict[str, Any] = {
        "campaign": stored.id,
        "kind": definition.kind,
        "metric": definition.objective.metric,
        "status": stored.status,
    }
    if history.baseline is not None:
        told["baseline"] = {
            "config": history.baseline.config,
            "value": definition.objective.value(history.baseline.mean),
            "noise_sd": history.baseline.noise_sd,
        }
    if (verdict := history.verdict) is not None:
        told["verdict"] = {
            "answer": verdict.answer,
            "proposal": verdict.proposal_id,
            "gain": verdict.gain,
            "low": verdict.low,
            "high": verdict.high,
        }
    return told


class _Distributions:
    """Optuna's distributions of a space.  A parameter without one, such as a patch, is told among the attributes."""

    def __init__(self, space: Space) -> None:
        made = {name: _distribution(parameter) for name, parameter in space.root.items()}
        self._known: dict[str, BaseDistribution] = {name: d for name, d in made.items() if d is not None}
        self._space = space

    def of(self, config: dict[str, Any]) -> dict[str, BaseDistribution]:
        """Of the parameters that exist in this configuration: conditional ones are left out of the others."""
        return {name: self._known[name] for name in self.values(config)}

    def values(self, config: dict[str, Any]) -> dict[str, Any]:
        """Those that Optuna can hold: a value outside of its parameter's range is none."""
        told: dict[str, Any] = {}
        for name, value in config.items():
            if name not in self._known:
                continue
            parameter = self._space[name]
            with contextlib.suppress(ConfigError):
                kept = parameter.canonical(value, name)
                told[name] = canonical(kept) if _needs_text(parameter) else kept
        return told


def _distribution(parameter: Parameter) -> BaseDistribution | None:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match parameter:
        case Patch():
            return None  # a choice that grows, which Optuna does not have
        case Float(low=low, high=high, log=log):
            return FloatDistribution(low, high, log=log)
        case Int(low=low, high=high, log=log):
            return IntDistribution(low, high, log=log)
        case Choice(options=options):
            return CategoricalDistribution([canonical(o) for o in options] if _needs_text(parameter) else options)
    raise ConfigError(f"a parameter of type {parameter.type} has no counterpart in Optuna")


def _needs_text(parameter: Parameter) -> bool:
    """Whether options are told as JSON: lists are no options in Optuna, and it takes True and 1 for the same."""
    if not isinstance(parameter, Choice):
        return False
    return any(isinstance(option, list | tuple) for option in parameter.options) or _ambiguous(parameter.options)


def _ambiguous(options: Sequence[Any]) -> bool:
    return any(a == b and not same(a, b) for i, a in enumerate(options) for b in options[i + 1 :])
