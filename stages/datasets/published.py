"""Where an archive differs from the counts its data set is published with."""

from collections import Counter

from stages.datasets.readers import READERS


def differences(dataset: str, counts: Counter[tuple[str, str]], labels: list[str]) -> dict[str, int]:
    """How many faces more (or fewer, below 0) than published: "part/label" → count, where it is not 0.

    `counts` has the faces found by (official part or "", label); only `labels` are compared.
    """
    published = {
        (part, label): count
        for part, of_part in READERS[dataset].PUBLISHED.items()
        for label, count in of_part.items()
        if label in labels
    }
    return {
        f"{part or 'all'}/{label}": counts[part, label] - published.get((part, label), 0)
        for part, label in sorted(published.keys() | counts.keys())
        if counts[part, label] != published.get((part, label), 0)
    }
