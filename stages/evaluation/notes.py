"""What must be said wherever the metrics of a run are shown."""

from typing import Any

from stages.faces.subsets import LEAK


def notes(metrics: dict[str, Any]) -> list[str]:
    """Return one line for each reason for which metrics are no honest estimate for people.

    Args:
        metrics: the content of metrics.json, or of another file with `drawn_faces` and, where they apply, `leaks`,
            `seen_test` and `seen_validation`.
    """
    lines = []
    if metrics["drawn_faces"]:
        lines.append("Some faces are drawn by a program: the metrics say nothing about people.")
    if leaks := metrics.get("leaks"):
        counts = f"{leaks['faces']:,} of {leaks['of']:,}"
        lines.append(f"leaks: {counts} {LEAK}, and validation leaks too; metrics are too high.")
    for kind, effect in (
        ("test", "metrics can be too high"),
        ("validation", "validation metrics can be too high, and probabilities too close to 0 and 1"),
    ):
        if seen := metrics.get(f"seen_{kind}"):
            counts = f"{seen['faces']} of {seen['of']} {kind} faces"
            lines.append(f"Initial weights or teachers saw at least {counts}: {effect}.")
    return lines
