"""A search space: an ordered mapping name → parameter, and the algebra of its configurations.

A configuration is a dict of the *active* parameters.  A parent stands before its children, so one pass in order
decides what is active.  `encode` gives one coordinate per parameter in the unit cube (see `search.parameters`);
a categorical sits in the middle of its option's share, an inactive parameter at ½.  `decode` ignores the
coordinates of inactive parameters, so `decode(encode(c)) == c`.

    lr = Float(1e-5, 1e-1, log=True, when={"model": ["mlp"]})
    space = Space.model_validate({"model": Choice("mlp", "svm"), "lr": lr})
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, RootModel, model_validator

from core.errors import ConfigError, nearest
from search.parameters import Choice, Float, Int, Parameter, Subset

__all__ = ["Choice", "Config", "Float", "Int", "Parameter", "Space", "Subset"]

Config = dict[str, Any]
Array = npt.NDArray[np.float64]


class Space(RootModel[dict[str, Parameter]]):
    """Name → parameter, in order.  Frozen; refuses a child before its parent and conditions that can never hold."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _parents_first(self) -> Space:
        if not self.root:
            raise ValueError("a space needs at least one parameter")
        seen: dict[str, Parameter] = {}
        for name, parameter in self.root.items():
            for parent, values in parameter.when.items():
                if parent not in self.root:
                    raise ValueError(f"{name}: its parent {parent!r} does not exist; {nearest(parent, self.root)}")
                if parent not in seen:
                    raise ValueError(f"{name}: its parent {parent!r} must stand before it")
                if isinstance(seen[parent], Float):
                    raise ValueError(f"{name}: its parent {parent!r} is a float; a condition needs a choice or an int")
                if not values:
                    raise ValueError(f"{name}: `when` lists no value of {parent!r}")
                for value in values:
                    try:
                        seen[parent].canonical(value, parent)
                    except ConfigError as error:
                        raise ValueError(f"{name}: {error.what}; {error.hint}") from error
            seen[name] = parameter
        return self

    # ------------------------------------------------------------------ mapping
    def __len__(self) -> int:
        return len(self.root)

    def __getitem__(self, name: str) -> Parameter:
        return self.root[name]

    def __contains__(self, name: object) -> bool:
        return name in self.root

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # a mapping's iteration, not a model's
        return iter(self.root)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(self.root)

    @cached_property
    def is_conditional(self) -> bool:
        return any(p.when for p in self.root.values())

    @cached_property
    def is_numeric(self) -> bool:
        """Floats and ints only, and all of them always active."""
        return not self.is_conditional and not any(isinstance(p, Choice) for p in self.root.values())

    @cached_property
    def has_defaults(self) -> bool:
        """Whether the author of the space named a starting value anywhere."""
        return any(p.default is not None for p in self.root.values())

    # ----------------------------------------------------------- configurations
    def validate_config(self, config: Mapping[str, Any]) -> Config:
        """The canonical form: active parameters in order, ints as int.  Inactive ones are left out.

        Raises ConfigError on an unknown name, a missing parameter or a value outside its range (bounds inclusive).
        """
        for name in config:
            if name not in self.root:
                raise ConfigError(f"unknown parameter {name!r}", where="config", hint=nearest(str(name), self.root))
        out: Config = {}
        for name, parameter in self.root.items():
            if not parameter.is_active(out):
                continue
            if name not in config:
                raise ConfigError(f"parameter {name} is missing", where="config", hint=f"give {parameter.allowed}")
            out[name] = parameter.canonical(config[name], name)
        return out

    def completed(self, config: Mapping[str, Any]) -> Config:
        """The canonical form with active parameters that are missing at their defaults.

        Raises ConfigError as `validate_config` does.
        """
        filled = dict(config)
        for _ in self.root:  # a default may activate another parameter
            missing = self._missing(filled)
            if missing is None:
                break
            filled[missing] = self._default(missing)
        return self.validate_config(filled)

    def _missing(self, config: Mapping[str, Any]) -> str | None:
        out: Config = {}
        for name, parameter in self.root.items():
            if parameter.is_active(out):
                if name not in config:
                    return name
                out[name] = config[name]
        return None

    def _default(self, name: str) -> Any:
        parameter = self.root[name]
        if parameter.default is not None:
            return parameter.default
        return parameter.from_unit(0.0 if isinstance(parameter, Choice) else 0.5)

    def defaults(self) -> Config:
        """The default of every active parameter; without one the middle of a number, the first option of a choice."""
        out: Config = {}
        for name, parameter in self.root.items():
            if parameter.is_active(out):
                out[name] = self._default(name)
        return out

    def sample(self, rng: np.random.Generator) -> Config:
        """A configuration drawn uniformly in the unit cube."""
        return self.decode(rng.random(len(self)))

    def sobol(self, n: int, seed: int, skip: int = 0) -> list[Config]:
        """`n` configurations of a scrambled Sobol sequence (Owen 1998) after the first `skip`; a function of `seed`."""
        return [self.decode(u) for u in self.sobol_rows(n, seed, skip)]

    def sobol_rows(self, n: int, seed: int, skip: int = 0) -> Array:
        """The same as places in the unit cube, shape (n, len(space))."""
        if n <= 0:
            return np.empty((0, len(self)))
        m = max(1, int(np.ceil(np.log2(n + skip))))
        from scipy.stats import qmc  # a third of the program's start, and not needed before the first cycle

        sampler = qmc.Sobol(d=len(self), scramble=True, rng=np.random.default_rng(seed))
        return np.asarray(sampler.random_base2(m)[skip : skip + n])

    def key(self, config: Mapping[str, Any]) -> str:
        """Canonical JSON of a configuration: equal configurations have equal text."""
        return json.dumps(self.validate_config(config), sort_keys=True, separators=(",", ":"))

    # ------------------------------------------------------------- the unit cube
    def encode(self, config: Mapping[str, Any]) -> Array:
        """Coordinates in the unit cube, shape (len(space),); inactive parameters at ½."""
        checked = self.validate_config(config)
        return np.array([p.to_unit(checked[name]) if name in checked else 0.5 for name, p in self.root.items()])

    def decode(self, u: Sequence[float] | Array) -> Config:
        """The configuration at `u`, shape (len(space),); coordinates outside [0, 1] are clipped."""
        out: Config = {}
        for (name, parameter), x in zip(self.root.items(), u, strict=True):
            if parameter.is_active(out):
                out[name] = parameter.from_unit(float(x))
        return out

    def distance(self, a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
        """Max-norm in the unit cube; 1 where two options differ or only one side has the parameter."""
        a, b = self.validate_config(a), self.validate_config(b)
        gap = 0.0
        for name, parameter in self.root.items():
            if name not in a and name not in b:
                continue
            if name not in a or name not in b:
                return 1.0
            if isinstance(parameter, Choice):
                gap = max(gap, float(not same_option(parameter, a[name], b[name])))
            else:
                gap = max(gap, abs(parameter.to_unit(a[name]) - parameter.to_unit(b[name])))
        return gap

    def nearest_gap(self, config: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> float:
        """The distance to the nearest of `others`; 1 if there are none."""
        return min((self.distance(config, other) for other in others), default=1.0)

    # ---------------------------------------------------------------- operators
    def neighbour(self, config: Mapping[str, Any], rng: np.random.Generator, scale: float = 0.1) -> Config:
        """A mutation: Gaussian steps of `scale` in the unit cube, options redrawn with probability `scale`.

        Each parameter moves with probability ½; at least one parameter is changed if the space allows it.
        What a changed parent newly activates is drawn at random.
        """
        old = self.validate_config(config)
        names = list(old)
        moving = {n for n in names if rng.random() < 0.5} | {names[int(rng.integers(len(names)))]}
        out: Config = {}
        for name, parameter in self.root.items():
            if not parameter.is_active(out):
                continue
            if name not in old:
                out[name] = parameter.from_unit(float(rng.random()))
            elif name not in moving:
                out[name] = old[name]
            elif isinstance(parameter, Choice):
                out[name] = parameter.from_unit(float(rng.random())) if rng.random() < scale else old[name]
            else:
                u = parameter.to_unit(old[name]) + scale * float(rng.standard_normal())
                out[name] = parameter.from_unit(1.0 - abs(1.0 - abs(u)) if -1.0 < u < 2.0 else float(rng.random()))
        return out if out != old else self._other(old, rng)

    def _other(self, old: Config, rng: np.random.Generator) -> Config:
        """The smallest step when rounding undid the mutation: one parameter to a value next to its own."""
        for name in rng.permutation(list(old)):
            parameter = self.root[str(name)]
            if isinstance(parameter, Int):
                near = [v for v in (old[name] - 1, old[name] + 1) if parameter.low <= v <= parameter.high]
            elif isinstance(parameter, Choice):
                near = [v for v in parameter.options if not same_option(parameter, v, old[name])]
            else:
                near = [parameter.from_unit(float(rng.random()))]
            if near:
                return self.complete({**old, str(name): near[int(rng.integers(len(near)))]}, rng)
        return old

    def complete(self, config: Mapping[str, Any], rng: np.random.Generator) -> Config:
        """The canonical form, with missing active parameters drawn at random."""
        out: Config = {}
        for name, parameter in self.root.items():
            if parameter.is_active(out):
                known = name in config
                out[name] = parameter.canonical(config[name], name) if known else parameter.from_unit(rng.random())
        return out

    def crossover(self, a: Mapping[str, Any], b: Mapping[str, Any], rng: np.random.Generator) -> Config:
        """Uniform crossover: each active parameter from one of the parents that has it, drawn at random."""
        a, b = self.validate_config(a), self.validate_config(b)
        out: Config = {}
        for name, parameter in self.root.items():
            coin = rng.random() < 0.5
            if not parameter.is_active(out):
                continue
            donors = [c for c in ((a, b) if coin else (b, a)) if name in c]
            out[name] = donors[0][name] if donors else parameter.from_unit(float(rng.random()))
        return out


def same_option(parameter: Choice, a: object, b: object) -> bool:
    return parameter.index(a) == parameter.index(b)
