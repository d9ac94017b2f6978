"""Comparison of the number of faces read with the published numbers."""

from collections import Counter
from collections.abc import Collection

from stages.datasets.readers import READERS


def count_differences(dataset: str, counts: Counter[tuple[str, str]], labels: Collection[str]) -> dict[str, int] | None:
    """Return how many more faces were read than are published.

    Args:
        dataset: a key of `READERS`.
        counts: number of faces by (official part, label); the part is "" if the data set has none.
        labels: the labels to compare.

    Returns:
        "part/label" → faces read minus faces published, only where this is not 0; the part "" is written as "all".
        None if the numbers have not been published.
    """
    if not any(READERS[dataset].PUBLISHED.values()):
        return None
    published = {
        (part, label): count
        for part, part_counts in READERS[dataset].PUBLISHED.items()
        for label, count in part_counts.items()
        if label in labels
    }
    return {
        f"{part or 'all'}/{label}": counts[part, label] - published.get((part, label), 0)
        for part, label in sorted(published.keys() | counts.keys())
        if counts[part, label] != published.get((part, label), 0)
    }
