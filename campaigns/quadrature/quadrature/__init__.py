"""Integrals of functions of one variable to a wanted accuracy."""

from quadrature.adaptive import AccuracyError, Result, integrate
from quadrature.rules import apply_rule, gauss_rule

__all__ = ["AccuracyError", "Result", "apply_rule", "gauss_rule", "integrate"]
