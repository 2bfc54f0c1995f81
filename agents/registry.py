"""Finding roles by name.  A role is a factory of keyword parameters with a decorator that names it:

    @voter("novelty")
    def novelty(radius: float = 0.05) -> Voter: ...

A campaign names it `{use: novelty, radius: 0.1}`.  A name is looked for, in this order, among
  - the registered ones (ours, and those of installed packages: entry points of the group `ratchet.<role>s`),
  - a file and a factory in it: `my_voters.py:novelty`, relative to the campaign's folder,
  - an import path and a factory: `my_package.voters:novelty`.
Unknown names and wrong parameters fail when the campaign is loaded, and say what exists.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from core.campaign import Use
from core.errors import ConfigError, nearest
from core.ids import content_hash
from core.records import Kind

__all__ = ["ROLES", "director", "executor", "historian", "kinds_of", "known", "make", "proposer", "supervisor", "voter"]

ROLES = ("director", "proposer", "voter", "supervisor", "executor", "historian")
OURS = {role: f"agents.{role}s" for role in ROLES}

Factory = Callable[..., Any]
F = TypeVar("F", bound=Factory)

_registered: dict[str, dict[str, Factory]] = {role: {} for role in ROLES}
_loaded: set[str] = set()


def _decorator(role: str) -> Callable[..., Callable[[F], F]]:
    def named(name: str, *, kinds: tuple[Kind, ...] = ("experiment",)) -> Callable[[F], F]:
        """`kinds` of proposals that a voter judges or an executor carries out; it is handed no others."""

        def register(factory: F) -> F:
            other = _registered[role].get(name)
            if other is not None and (other.__module__, other.__qualname__) != (
                factory.__module__,
                factory.__qualname__,
            ):
                raise ConfigError(
                    f"two {role}s are called {name!r}",
                    where=f"{other.__module__}.{other.__qualname__} and {factory.__module__}.{factory.__qualname__}",
                    hint="give one of them another name",
                )
            _registered[role][name] = factory
            factory.kinds = kinds  # type: ignore[attr-defined]  # read by `kinds_of`
            return factory

        return register

    return named


director = _decorator("director")
proposer = _decorator("proposer")
voter = _decorator("voter")
supervisor = _decorator("supervisor")
executor = _decorator("executor")
historian = _decorator("historian")


def known(role: str) -> dict[str, Factory]:
    """The registered factories of a role by name: ours and those of installed packages."""
    if role not in _loaded:
        importlib.import_module(OURS[role])
        for entry in entry_points(group=f"ratchet.{role}s"):
            try:
                factory = entry.load()
            except Exception as error:  # whatever a foreign package raises on import
                raise ConfigError(
                    f"the {role} {entry.name!r} of an installed package cannot be imported: {error}",
                    where=entry.value,
                    hint=f"repair or uninstall the package {entry.dist.name if entry.dist else entry.value}",
                ) from error
            _registered[role].setdefault(entry.name, factory)
        _loaded.add(role)
    return dict(_registered[role])


def make(role: str, use: Use, here: Path) -> Any:
    """The role that `use` names, made with its parameters.  Raises ConfigError before anything runs."""
    factory = _find(role, use.use, here)
    where = f"{role} {use.use!r}"
    signature = inspect.signature(factory)
    names = [p.name for p in signature.parameters.values() if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    for name in use.parameters:
        if name not in names and not takes_any:
            hint = nearest(name, names) if names else "it takes no parameters"
            raise ConfigError(f"unknown parameter {name!r}", where=where, hint=hint)
    try:
        signature.bind(**use.parameters)
        return factory(**_checked(factory, use.parameters, where))
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"wrong parameters {use.parameters}: {error}", where=where, hint=f"it takes {signature}"
        ) from error


def kinds_of(role: str, use: Use, here: Path) -> tuple[Kind, ...]:
    """The kinds of proposals that the role `use` names is for; experiments where its factory was not decorated."""
    kinds: tuple[Kind, ...] = getattr(_find(role, use.use, here), "kinds", ("experiment",))
    return kinds


def _checked(factory: Factory, parameters: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The parameters as the factory's annotations want them; one without an annotation is taken as it is."""
    try:
        annotations = get_type_hints(factory, include_extras=True)
    except NameError:  # a name that only a type checker sees
        annotations = {}
    checked = dict(parameters)
    for name in checked.keys() & annotations.keys():
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(annotations[name], config={"arbitrary_types_allowed": True})
            checked[name] = adapter.validate_python(checked[name])
        except PydanticUserError:  # an annotation that pydantic cannot check
            continue
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            raise ConfigError(f"{name} = {parameters[name]!r}: {fault['msg']}", where=where) from error
    return checked


def _find(role: str, name: str, here: Path) -> Factory:
    place, colon, attribute = name.partition(":")
    if not colon:
        factories = known(role)
        if name not in factories:
            raise ConfigError(
                f"there is no {role} called {name!r}", where=f"council, {role}", hint=nearest(name, factories)
            )
        return factories[name]
    module = _from_file(here / place) if place.endswith(".py") else _from_import(place, role)
    factory: Factory | None = getattr(module, attribute, None)
    if not callable(factory):
        found = [n for n, value in vars(module).items() if callable(value) and not n.startswith("_")]
        raise ConfigError(
            f"{place} has no factory {attribute!r}", where=f"council, {role}", hint=nearest(attribute, found)
        )
    return factory


def _from_file(path: Path) -> Any:
    path = path.resolve()
    if not path.is_file():
        raise ConfigError(
            f"there is no file {path.name}", where=str(path), hint="the path is relative to the campaign's file"
        )
    name = f"ratchet_role_{content_hash(str(path))[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    before = dict(_registered)
    _registered.update({role: {} for role in ROLES})  # reached through their file only, so two files may share a name
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the file is the user's: whatever it raises is reported with its place
        del sys.modules[name]
        raise ConfigError(
            f"{path.name} cannot be imported: {type(error).__name__}: {error}", where=str(path)
        ) from error
    finally:
        _registered.update(before)  # a role of a file is reached through its file only, so two files may share a name
    return module


def _from_import(place: str, role: str) -> Any:
    try:
        return importlib.import_module(place)
    except Exception as error:
        raise ConfigError(
            f"cannot import {place!r}: {type(error).__name__}: {error}",
            where=f"council, {role}",
            hint="is the package installed in this environment?",
        ) from error
