"""Rounding of nested metrics before they are written."""

from typing import Any


def rounded(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return nested metrics with floats rounded to six decimals, as plain numbers, without empty dictionaries."""
    return {
        name: rounded(value)
        if isinstance(value, dict)
        else round(float(value), 6)
        if isinstance(value, float)
        else value
        for name, value in metrics.items()
        if value != {}
    }
