"""Which fields of an attribution have one entry per sample."""

from __future__ import annotations

ALWAYS = ("scores", "error", "converged", "evaluations", "settings")
"""The fields that are one number per sample."""
SOMETIMES = ("baseline_scores", "completeness_gap", "bound")
"""The fields that are one number per sample, or None."""
PER_SAMPLE = (*ALWAYS, *SOMETIMES, "targets")
"""The fields with one entry per sample, or None."""
