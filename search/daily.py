"""The course of the day in a series: its harmonics, by least squares, with odd windows held off (Huber 1964)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["course_at", "daily_course"]

Array = npt.NDArray[np.float64]
DAY_S = 86_400.0
HARMONICS = 4
LEAST_DAYS = 2.0
"""Of history, before a daily course is told from drift."""
LEAST_VALUES = 100
CUT = 3.0


def daily_course(t: Array, y: Array) -> Array:
    """Coefficients of the harmonics of a day, odd windows held off; all 0 for a history of less than two days."""
    known = np.isfinite(y)
    if t[-1] - t[0] < LEAST_DAYS * DAY_S or known.sum() < LEAST_VALUES:
        return np.zeros(2 * HARMONICS)
    X = np.column_stack([np.ones(known.sum()), _harmonics(t[known])])
    values = y[known]
    fitted = np.median(values)
    for _ in range(3):
        residual = values - fitted
        most = CUT * 1.4826 * float(np.median(np.abs(residual - np.median(residual))))
        held = fitted + np.clip(residual, -most, most)
        coefficients = np.linalg.lstsq(X, held, rcond=None)[0]
        fitted = X @ coefficients
    return np.asarray(coefficients[1:], dtype=float)


def _harmonics(t: Array) -> Array:
    angles = 2 * np.pi * np.multiply.outer(t / DAY_S, np.arange(1, HARMONICS + 1))
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def course_at(course: Array, t: Array) -> Array:
    return np.asarray(_harmonics(t) @ course, dtype=float)
