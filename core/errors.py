"""What can go wrong, as a tree; every error says what is wrong, where, and what to try.

RatchetError                    70  an error of ours that nobody foresaw
├── DeliveryError                1  nothing was delivered: nothing is verified, it does not fit, a name is taken
├── DeploymentError              1  a change did not go live, or was taken back: not healthy, not what was expected
├── UsageError                   2  the command line is wrong
├── ConfigError                  3  a campaign, setting or input is wrong
│   ├── NotFoundError            3  an id, name or file that does not exist
│   ├── ConflictError            3  it contradicts what is there: another request of that id, an answer given before
│   ├── PatchError               3  a change of files that cannot be read, or does not fit the files exactly
│   └── SecretFoundError         3  a key or token stands in what was to leave this machine
├── PolicyError                  3  a rule stands against it; nothing was done
│   ├── DeniedError              3  it may not be done as things stand
│   ├── ApprovalNeededError      5  it may be done when a person says yes
│   └── ApprovalError            3  an answer or a yes that does not count: too late, used up, of something else
├── UnavailableError             4  something needed is not there or does not answer
│   ├── BusyError                4  another process owns it
│   ├── StorageError             4  the disk is full, or a store is damaged
│   ├── SandboxError             4  there is no isolation here that may hold code nobody trusts
│   ├── GitHubError              4  GitHub did not do what was asked; calling again goes on where it stopped
│   │   ├── GitHubSilentError    4  it does not answer: gone, too slow, overloaded, or its rate limit is reached
│   │   ├── GitHubRefusedError   4  it understood, and says no: token, permission, a name that it does not know
│   │   ├── GitHubAnswerError    4  it answered what cannot be: no JSON, too much, another object's hash
│   │   └── GitHubConflictError  4  what stands there is not what the proposal was made for
│   └── ModelError               4  a language model gave no usable answer; the role's algorithm takes over
│       ├── ModelSilentError     4  it does not answer: gone, too slow, overloaded, or its breaker is open
│       ├── ModelRefusedError    4  it never will: wrong key, missing model, bad request
│       ├── ModelAnswerError     4  it answered, and no repair made the answer valid
│       └── ModelBudgetError     7  the next call would pass a cap on tokens, money or time
└── BudgetError                  7  the budget is spent; a checkpoint is kept

A failed job is none of these: it is an `Outcome`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ApprovalError",
    "ApprovalNeededError",
    "BudgetError",
    "BusyError",
    "ConfigError",
    "ConflictError",
    "DeliveryError",
    "DeniedError",
    "DeploymentError",
    "GitHubAnswerError",
    "GitHubConflictError",
    "GitHubError",
    "GitHubRefusedError",
    "GitHubSilentError",
    "ModelAnswerError",
    "ModelBudgetError",
    "ModelError",
    "ModelRefusedError",
    "ModelSilentError",
    "NotFoundError",
    "PatchError",
    "PolicyError",
    "RatchetError",
    "SandboxError",
    "SecretFoundError",
    "StorageError",
    "UnavailableError",
    "UsageError",
    "nearest",
]


class RatchetError(Exception):
    """An error in three lines: `what` is wrong, `where`, and what to `hint` as the next step."""

    exit_code = 70

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return "\n".join(
            line
            for line in (self.what, self.where and f"  where: {self.where}", self.hint and f"  try:   {self.hint}")
            if line
        )


class DeliveryError(RatchetError):
    exit_code = 1


class DeploymentError(RatchetError):
    exit_code = 1


class UsageError(RatchetError):
    exit_code = 2


class ConfigError(RatchetError):
    exit_code = 3


class NotFoundError(ConfigError):
    pass


class ConflictError(ConfigError):
    pass


class PatchError(ConfigError):
    pass


class SecretFoundError(ConfigError):
    """`places` say where, such as `app.py line 3`; what was found is not repeated."""

    def __init__(self, what: str, *, where: str = "", hint: str = "", places: tuple[str, ...] = ()) -> None:
        super().__init__(what, where=where, hint=hint)
        self.places = places


class PolicyError(RatchetError):
    """A setting or a rule of this installation is what has to change, as with ConfigError: repeating does not help."""

    exit_code = 3


class DeniedError(PolicyError):
    pass


class ApprovalNeededError(PolicyError):
    """`approval_id` names the question that was parked, where there is one."""

    exit_code = 5

    def __init__(self, what: str, *, where: str = "", hint: str = "", approval_id: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.approval_id = approval_id


class ApprovalError(PolicyError):
    """Over HTTP 409; giving it again does not help."""


class UnavailableError(RatchetError):
    exit_code = 4


class BusyError(UnavailableError):
    pass


class StorageError(UnavailableError):
    pass


class SandboxError(UnavailableError):
    pass


class GitHubError(UnavailableError):
    pass


class GitHubSilentError(GitHubError):
    """Worth another try, after `retry_after_s` where it said so."""

    def __init__(self, what: str, *, where: str = "", hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(what, where=where, hint=hint)
        self.retry_after_s = retry_after_s


class GitHubRefusedError(GitHubError):
    """`status` is that of HTTP; `faults` are the (resource, field, code, message) that a 422 names."""

    def __init__(
        self,
        what: str,
        *,
        status: int,
        where: str = "",
        hint: str = "",
        faults: tuple[tuple[str, str, str, str], ...] = (),
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.status = status
        self.faults = faults


class GitHubAnswerError(GitHubError):
    pass


class GitHubConflictError(GitHubError):
    pass


class ModelError(UnavailableError):
    pass


class ModelSilentError(ModelError):
    """Worth another try, after `retry_after_s` where the server said so."""

    def __init__(self, what: str, *, where: str = "", hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(what, where=where, hint=hint)
        self.retry_after_s = retry_after_s


class ModelRefusedError(ModelError):
    pass


class ModelAnswerError(ModelError):
    pass


class ModelBudgetError(ModelError):
    exit_code = 7


class BudgetError(RatchetError):
    exit_code = 7


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?` with the known word nearest to `word`, else the list of what is known."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
