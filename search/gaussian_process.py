"""A Gaussian process on kernel features, in numpy, with analytic gradients.

Notation: Z (n, p) features, column c belongs to parameter group(c); D_j (n, n) squared distances of parameter j;
w_j = 1/ℓ_j² inverse squared lengthscales; r² = Σ_j w_j D_j; y (n,) standardised targets; m constant mean;
s² signal variance; σ² noise variance; K = s² k(r) + σ² I + diag(known noise).

    Matérn-5/2   k(r) = (1 + √5 r + 5r²/3) exp(-√5 r),   ∂k/∂r² = -(5/6)(1 + √5 r) exp(-√5 r)

Hyperparameters θ = (log w, log s², log σ²) are the posterior mode (log marginal likelihood plus log-normal priors),
found by L-BFGS with the gradient of Rasmussen & Williams (2006), eq. 5.9.  The mean m is its generalised
least-squares value, with the pull of a unit-normal prior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack, solve_triangular

__all__ = ["GaussianProcess", "Prior"]

Array = npt.NDArray[np.float64]
MOST = 80
"""The most observations the hyperparameters are chosen on; the posterior is conditioned on all."""
ROOT5 = float(np.sqrt(5.0))


@dataclass(frozen=True, slots=True)
class Prior:
    """Normal priors on the logarithms of lengthscales, signal and noise variance: (mean, standard deviation)."""

    lengthscale: tuple[float, float] = (float(np.log(0.6)), 0.9)
    category: tuple[float, float] = (0.0, 0.9)
    signal: tuple[float, float] = (0.0, 0.7)
    noise: tuple[float, float] = (float(np.log(3e-3)), 2.0)


@dataclass(frozen=True, eq=False, slots=True)
class GaussianProcess:
    """A fitted process.  `fit` chooses hyperparameters; `condition` keeps them and takes other data."""

    group: npt.NDArray[np.int_]
    theta: Array
    Z: Array
    y: Array
    mean: float
    L: Array
    alpha: Array

    @classmethod
    def fit(
        cls,
        Z: Array,
        y: Array,
        group: npt.NDArray[np.int_],
        *,
        known: Array | None = None,
        prior: Prior = Prior(),
        start: Array | None = None,
        iterations: int = 40,
    ) -> GaussianProcess:
        """The process at the mode of its hyperparameters.

        `known` (n,): noise variances known from repeats.  `start`: θ of an earlier fit, to begin from.
        With fewer than three observations the prior's mode is kept.
        """
        d = int(group.max()) + 1
        centre, width = _prior(prior, group, d)
        extra = np.zeros(len(y)) if known is None else known
        theta = centre.copy() if start is None or len(start) != len(centre) else start.copy()
        if len(y) >= 3:
            theta = _mode(theta, Z, y, extra, group, centre, width, iterations)
        return cls._solved(group, theta, Z, y, extra)

    @classmethod
    def _solved(cls, group: npt.NDArray[np.int_], theta: Array, Z: Array, y: Array, extra: Array) -> GaussianProcess:
        K = _kernel(Z, Z, group, theta)
        K[np.diag_indices_from(K)] += np.exp(theta[-1]) + extra + 1e-8
        L = cholesky(K)
        ones = solve_triangular(L, np.ones(len(y)), lower=True, check_finite=False)
        half = solve_triangular(L, y, lower=True, check_finite=False)
        mean = float(ones @ half / (1.0 + ones @ ones))
        alpha = solve_triangular(L, half - mean * ones, lower=True, trans=1, check_finite=False)
        return cls(group, theta, Z, y, mean, L, alpha)

    def condition(self, Z: Array, y: Array, known: Array | None = None) -> GaussianProcess:
        """The same hyperparameters on other data: liars for jobs in flight, crashes told as bad values."""
        return self._solved(self.group, self.theta, Z, y, np.zeros(len(y)) if known is None else known)

    @property
    def lengthscales(self) -> Array:
        return np.asarray(np.exp(-0.5 * self.theta[:-2]))

    @property
    def noise(self) -> float:
        """The fitted noise as a standard deviation."""
        return float(np.exp(0.5 * self.theta[-1]))

    def predict(self, Z: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the noise-free function at features `Z` (m, p); two arrays (m,)."""
        K = _kernel(Z, self.Z, self.group, self.theta)
        V = solve_triangular(self.L, K.T, lower=True, check_finite=False)
        variance = np.exp(self.theta[-2]) - np.einsum("ij,ij->j", V, V)
        return self.mean + K @ self.alpha, np.sqrt(np.maximum(variance, 1e-12))

    def sample(self, Z: Array, rng: np.random.Generator, n: int = 1) -> Array:
        """Joint posterior draws at `Z` (m, p), shape (n, m)."""
        K = _kernel(Z, self.Z, self.group, self.theta)
        V = solve_triangular(self.L, K.T, lower=True, check_finite=False)
        C = _kernel(Z, Z, self.group, self.theta) - V.T @ V
        C[np.diag_indices_from(C)] += 1e-8 * np.exp(self.theta[-2])
        return (self.mean + K @ self.alpha) + rng.standard_normal((n, len(Z))) @ cholesky(C).T


def _mode(
    theta: Array,
    Z: Array,
    y: Array,
    extra: Array,
    group: npt.NDArray[np.int_],
    centre: Array,
    width: Array,
    iterations: int,
) -> Array:
    """θ at the posterior mode found by L-BFGS from `theta`; on an even spread over the ranks of y above MOST rows."""
    from scipy.optimize import Bounds, minimize  # a third of the import of search; a fit comes much later

    if len(y) > MOST:
        keep = np.argsort(y, kind="stable")[np.linspace(0, len(y) - 1, MOST).astype(int)]
        Z, y, extra = Z[keep], y[keep], extra[keep]
    d = len(centre) - 2
    D = squared_distances(Z, Z, group, d)
    low = np.log(np.array([1e-3] * d + [0.05, 1e-6]))
    high = np.log(np.array([1e4] * d + [20.0, 2.0]))

    def objective(theta: Array) -> tuple[float, Array]:
        return _objective(theta, D, y, extra, centre, width)

    # two starts: the same values are either a rough function seen clearly or a plain one seen through noise
    noisy = theta.copy()
    noisy[-1] = np.log(0.3)
    found = [
        minimize(
            objective,
            np.clip(start, low, high),
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(low, high),
            options={"maxiter": iterations},
        )
        for start in (theta, noisy)
    ]
    return np.asarray(min(found, key=lambda result: float(result.fun)).x)


def squared_distances(A: Array, B: Array, group: npt.NDArray[np.int_], d: int) -> Array:
    """D (d, len(A), len(B)): squared feature distances per parameter."""
    D = np.zeros((d, len(A), len(B)))
    for column, j in enumerate(group):
        D[j] += (A[:, column, None] - B[None, :, column]) ** 2
    return D


def cholesky(K: Array) -> Array:
    """The lower factor; jitter grows by tens until the matrix is positive definite."""
    jitter = 0.0
    for _ in range(8):
        L, info = lapack.dpotrf(K if jitter == 0 else K + jitter * np.eye(len(K)), lower=1, clean=1)
        if info == 0:
            return np.asarray(L)
        jitter = max(1e-8 * float(np.mean(np.diag(K))), 10 * jitter)
    raise np.linalg.LinAlgError("a covariance matrix is not positive definite")


def _prior(prior: Prior, group: npt.NDArray[np.int_], d: int) -> tuple[Array, Array]:
    """Means and widths of θ.  A longer lengthscale is expected in more dimensions: √d keeps typical distances alike."""
    wide = np.bincount(group, minlength=d) > 1
    ell, cat = prior.lengthscale, prior.category
    grow = 0.5 * np.log(max(d, 1) / 3.0)
    centre = np.where(wide, -2 * (cat[0] + grow), -2 * (ell[0] + grow))
    width = np.where(wide, 2 * cat[1], 2 * ell[1])
    tail, spread = [prior.signal[0], prior.noise[0]], [prior.signal[1], prior.noise[1]]
    return np.concatenate([centre, tail]), np.concatenate([width, spread])


def _kernel(A: Array, B: Array, group: npt.NDArray[np.int_], theta: Array) -> Array:
    root = np.exp(0.5 * theta[:-2])[group]
    P, Q = A * root, B * root
    r2 = np.maximum(np.sum(P * P, 1)[:, None] + np.sum(Q * Q, 1)[None, :] - 2 * P @ Q.T, 0.0)
    r = np.sqrt(r2) * ROOT5
    return np.asarray(np.exp(theta[-2]) * (1 + r + r * r / 3) * np.exp(-r))


def _objective(theta: Array, D: Array, y: Array, extra: Array, centre: Array, width: Array) -> tuple[float, Array]:
    """Negative log posterior of θ and its gradient."""
    n, d = len(y), len(D)
    w, s2, noise = np.exp(theta[:d]), np.exp(theta[d]), np.exp(theta[d + 1])
    flat = D.reshape(d, -1)
    r2 = (w @ flat).reshape(n, n)
    r = ROOT5 * np.sqrt(r2)
    e = s2 * np.exp(-r)
    S = (1 + r + r * r / 3) * e
    K = S.copy()
    K[np.diag_indices(n)] += noise + extra + 1e-8
    L, info = lapack.dpotrf(K, lower=1, clean=1)
    if info:
        return 1e10, np.zeros_like(theta)
    inverse, _ = lapack.dpotri(L, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    ones = inverse.sum(axis=1)
    Ky = inverse @ y
    mean = float(Ky.sum() / (1.0 + ones.sum()))
    alpha = Ky - mean * ones
    penalty = (theta - centre) / width
    # the m² term is the prior of the mean; by the envelope theorem m needs no gradient of its own
    value = 0.5 * float((y - mean) @ alpha) + 0.5 * mean**2 + float(np.log(np.diag(L)).sum())
    value += 0.5 * float(penalty @ penalty)
    M = inverse - np.outer(alpha, alpha)
    G = M * (-(5.0 / 6.0) * (1 + r) * e)
    gradient = np.empty_like(theta)
    gradient[:d] = 0.5 * w * (flat @ G.ravel())
    gradient[d] = 0.5 * float(np.sum(M * S))
    gradient[d + 1] = 0.5 * noise * float(np.trace(M))
    return value, gradient + penalty / width
