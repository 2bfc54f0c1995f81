"""A candidate given to its user, once: an effect with a key, begun before anything is made, and found again after.

The world is asked first: a branch that holds the candidate already is the delivery, whoever made it.  A process that
was killed has left in its effect from which commit it went out, or which files it was replacing; the same call goes on
from there.  Nothing of the candidate is ever executed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from agents.code.work import CodeWork
from core.errors import DeliveryError
from core.ids import content_hash
from core.pull_requests import ChangeType, CodeChange
from core.scrub import scrubbed
from graph.code_campaign import open_code
from graph.delivered import Delivered, Once
from graph.landing import Landing, land
from graph.user_files import UserFiles
from graph.verified import Chosen, choose
from memory.effects import Effect
from memory.history import History
from memory.ledger import Ledger, StoredCampaign
from memory.state_folder import StateFolder
from runtime.delivery import (
    Commit,
    Replacement,
    Repository,
    as_branch,
    as_push,
    differing,
    find_repository,
    make_commit,
    read_file,
    taken,
    tip,
    tip_at,
)

__all__ = ["Delivery", "branch_name", "open_delivery"]

TRAILER = "Ratchet-Candidate"


def open_delivery(
    folder: StateFolder, ledger: Ledger, stored: StoredCampaign, candidate: str = "", *, unverified: bool = False
) -> Delivery:
    """The candidate that `choose` chooses, with its files.

    Raises DeliveryError, also for a campaign that is not on code, and StorageError when its base is not what it was.
    """
    if stored.definition.kind == "live":
        raise DeliveryError(
            f"{stored.id} improves a running service: what it keeps is live there already",
            where=stored.id,
            hint=f"`python run_graph.py history {stored.id}` lists it",
        )
    if stored.definition.kind != "code":
        raise DeliveryError(
            f"{stored.id} changes parameters, not files: there is nothing to deliver",
            where=stored.id,
            hint=f"`python run_graph.py show {stored.id}` shows its best configuration",
        )
    history = History.load(ledger, stored.id)
    chosen = choose(ledger, history, candidate, unverified=unverified)
    code = open_code(folder, ledger, stored)
    diff = folder.artifacts.text(chosen.patch) if chosen.patch else ""
    return Delivery(folder, ledger, stored, history, chosen, code, diff, code.population.changed_by(chosen.patch))


def branch_name(wanted: str, candidate: str) -> str:
    """`wanted` with the candidate's id in it; `ratchet/<id>` where nothing is wanted."""
    if not wanted:
        return f"ratchet/{candidate}"
    return wanted if candidate in wanted else f"{wanted}{'' if wanted.endswith('/') else '-'}{candidate}"


@dataclass(frozen=True)
class Delivery:
    """One candidate on its way to its user.

    `diff` is against the base; `changed` are its files, None for one that goes.
    """

    folder: StateFolder
    ledger: Ledger
    stored: StoredCampaign
    history: History
    chosen: Chosen
    code: CodeWork
    diff: str
    changed: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The folder of the user's code."""
        assert self.stored.definition.code is not None
        return (Path(self.stored.definition.here) / self.stored.definition.code.root).resolve()

    def branch(self, message: str, name: str = "", onto: str = "") -> Delivered:
        """A new branch with one commit on `onto` (default: HEAD).  Raises DeliveryError."""
        repository = self._repository()
        name = branch_name(name, self.chosen.id)
        with self._once({"target": "branch", "repository": str(repository.common), "branch": name}) as once:
            there = tip(repository, name)
            if there and self._is_ours(repository, there, message):
                return once.end(self._on_branch(repository, name, there, "found", self._landing(repository, there)))
            if there:
                raise taken(name, str(repository.top), there)
            commit, landing = self._commit(repository, once, message, onto)
            if not commit:
                return Delivered("branch", "nothing", str(repository.top), branch=name)
            as_branch(repository, name, commit)
            return once.end(self._on_branch(repository, name, commit, "made", landing))

    def push(self, remote: str, message: str, name: str = "", onto: str = "") -> Delivered:
        """A new branch of another repository, with the same commit as here.  Raises DeliveryError."""
        repository = self._repository()
        name = branch_name(name, self.chosen.id)
        request = {"target": "push", "repository": str(repository.common), "branch": name}
        request |= {"remote": scrubbed(remote), "remote_hash": content_hash(remote)}
        with self._once(request) as once:
            there, here = tip_at(repository, remote, name), tip(repository, name)
            if there and repository.has(there) and self._is_ours(repository, there, message):
                found = self._pushed(remote, name, there, "found", self._landing(repository, there), repository)
                return once.end(found)
            if there and there != here:
                raise taken(name, scrubbed(remote), there)
            if here and self._is_ours(repository, here, message):
                commit, landing = here, self._landing(repository, here)
                once.begin({"parent": repository.parents(here)[0]})
            else:
                commit, landing = self._commit(repository, once, message, onto)
            if not commit:
                return Delivered("push", "nothing", scrubbed(remote), branch=name)
            made = as_push(repository, remote, name, commit)
            return once.end(self._pushed(remote, name, commit, "made" if made else "found", landing, repository))

    def files(self) -> Delivered:
        """The files of the working tree themselves, each kept before.  Raises DeliveryError."""
        self._must_be_measured()
        root = self.root
        if not root.is_dir():
            raise DeliveryError("the folder of the code is gone", where=str(root), hint="take the diff: --diff FILE")
        with self._once({"target": "files", "root": str(root)}) as once:
            there = {path: read_file(root, path) for path in self.changed}
            replacements, merged = self._left_over(once.effect, there)
            if not replacements:
                landing = land(self.code.population.base, self.changed, there, str(root))
                if not landing.files:
                    return once.found() or Delivered("files", "nothing", str(root))
                replacements = [Replacement(path, there[path], after) for path, after in landing.files.items()]
                merged = landing.merged
                once.begin(self._plan(replacements, merged))
            place = self.folder.deliveries / self.chosen.id / f"replaced-{once.number}"
            assert once.effect is not None
            what = f"deliver {self.chosen.id} --apply"
            kept = UserFiles(self.folder, self.ledger).replace(once.effect.key, what, root, replacements, place)
            told = Delivered(
                "files",
                "made",
                str(root),
                files=tuple(each.path for each in replacements),
                merged=tuple(merged),
                backups=tuple((str(file), str(copy)) for file, copy in kept),
                undo="python run_graph.py undo",
            )
            return once.end(told)

    def code_changes(self) -> list[CodeChange]:
        """The candidate's files from the root of the user's repository on, for a pull request; the base is what a
        repository must hold there.  Raises DeliveryError."""
        prefix, base = self._repository().prefix, self.code.population.base
        told = []
        for path, text in sorted(self.changed.items()):
            before = base.get(path)
            kind: ChangeType = "delete" if text is None else "create" if before is None else "update"
            told.append(
                CodeChange(
                    file_path=f"{prefix}{path}",
                    original_content=before,
                    new_content=text or "",
                    change_type=kind,
                    rationale=self.chosen.experiment.proposal.rationale,
                )
            )
        return told

    # ------------------------------------------------------------------- commit
    def _repository(self) -> Repository:
        self._must_be_measured()
        if not self.root.is_dir():
            hint = "take the diff: --diff FILE"
            raise DeliveryError("the folder of the code is gone", where=str(self.root), hint=hint)
        return find_repository(self.root)

    def _must_be_measured(self) -> None:
        if self.chosen.grade == "refused":
            raise DeliveryError(
                f"{self.chosen.id} was refused by its judge: {self.chosen.experiment.outcome.reason}",
                where=self.stored.id,
                hint="look at its diff: --diff FILE --unverified",
            )
        if not self.changed:
            raise DeliveryError("it changes nothing", where=self.chosen.id, hint="it is the base itself")

    def _commit(self, repository: Repository, once: Once, message: str, onto: str) -> tuple[str, Landing]:
        """The commit, on what a killed process had begun from, else on `onto`; "" where nothing is left to change."""
        begun = json.loads(once.effect.remote_id).get("parent", "") if once.effect and once.effect.remote_id else ""
        parent = begun if begun and not onto and repository.has(begun) else repository.commit(onto or "HEAD")
        landing = self._land(repository, parent)
        if not landing.files:
            return "", landing
        once.begin({"parent": parent})
        return make_commit(repository, self._asked(parent, landing, message)), landing

    def _asked(self, parent: str, landing: Landing, message: str) -> Commit:
        text = f"{message.rstrip()}\n\n{TRAILER}: {self.chosen.id}\nRatchet-Campaign: {self.stored.id}\n"
        return Commit(parent, landing.files, text, self.chosen.at)

    def _land(self, repository: Repository, parent: str) -> Landing:
        entries = repository.entries(parent, self.changed)
        links = sorted(path for path, entry in entries.items() if not entry.is_file)
        if links:
            raise DeliveryError(f"no plain file at {parent[:12]}: {', '.join(links[:8])}", where=str(repository.top))
        contents = repository.contents(entries.values())
        there = {path: contents[entry.oid] for path, entry in entries.items()}
        return land(self.code.population.base, self.changed, there, f"{repository.top}, commit {parent[:12]}")

    def _landing(self, repository: Repository, commit: str) -> Landing:
        return self._land(repository, repository.parents(commit)[0])

    def _is_ours(self, repository: Repository, commit: str, message: str) -> bool:
        """Whether a commit is this candidate on its own parent: by its files and its trailer, whatever else it says."""
        parents = repository.parents(commit)
        if len(parents) != 1 or f"{TRAILER}: {self.chosen.id}" not in repository.message(commit).splitlines():
            return False
        try:
            landing = self._land(repository, parents[0])
            again = make_commit(repository, self._asked(parents[0], landing, message))
        except DeliveryError:
            return False
        return repository.tree(again) == repository.tree(commit)

    def _on_branch(
        self, repository: Repository, name: str, commit: str, state: Literal["made", "found"], landing: Landing
    ) -> Delivered:
        return Delivered(
            "branch",
            state,
            str(repository.top),
            branch=name,
            commit=commit,
            parent=repository.parents(commit)[0],
            files=tuple(sorted(landing.files)),
            merged=landing.merged,
            differ=differing(repository, commit, self.code.base, self.changed),
            undo=f"git branch -D {name}",
        )

    def _pushed(
        self,
        remote: str,
        name: str,
        commit: str,
        state: Literal["made", "found"],
        landing: Landing,
        repository: Repository,
    ) -> Delivered:
        told = self._on_branch(repository, name, commit, state, landing)
        more = {"kind": "push", "where": scrubbed(remote), "undo": f"git push {scrubbed(remote)} --delete {name}"}
        return Delivered(**{**asdict(told), **more})

    # -------------------------------------------------------------------- files
    def _plan(self, replacements: list[Replacement], merged: tuple[str, ...]) -> dict[str, Any]:
        put = self.folder.artifacts.put
        files = {r.path: [None if one is None else put(one) for one in (r.before, r.after)] for r in replacements}
        return {"files": files, "merged": list(merged)}

    def _left_over(
        self, effect: Effect | None, there: Mapping[str, bytes | None]
    ) -> tuple[list[Replacement], tuple[str, ...]]:
        """What a killed process was replacing, if every file is still as it was or has become what it was to become."""
        if effect is None or not effect.remote_id:
            return [], ()
        plan = json.loads(effect.remote_id)
        get = self.folder.artifacts.get
        left = [
            Replacement(path, None if before is None else get(before), None if after is None else get(after))
            for path, (before, after) in plan["files"].items()
        ]
        whole = all(each.path in there and there[each.path] in (each.before, each.after) for each in left)
        return (left, tuple(plan["merged"])) if whole else ([], ())

    # ------------------------------------------------------------------- effect
    @contextmanager
    def _once(self, request: dict[str, Any]) -> Iterator[Once]:
        """One process at a time delivers something of a campaign; what one has left is taken over."""
        with self.ledger.leases.held(f"delivery of {self.stored.id}"):
            yield Once(self.ledger, self.stored.id, {"candidate": self.chosen.id, **request})
