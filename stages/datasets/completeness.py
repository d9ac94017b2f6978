"""What a data set lacks after it has been read, so that nothing falls out in silence."""

from collections import Counter

from stages.base.errors import InputError
from stages.datasets.picture import Face, Rejected
from stages.datasets.readers import READERS
from stages.params.data import Data

ESSENTIAL = ("", "train", "test")  # official parts; without "test", a new test part would be dealt


class Tally:
    """Counts of the items that were read from one data set.

    Args:
        dataset: a key of `READERS`.

    Attributes:
        faces: number of faces by (official part, label); the part is "" if the data set has none.
        rejected: number of rejected members by reason.
    """

    def __init__(self, dataset: str) -> None:
        self._dataset = dataset
        self.faces: Counter[tuple[str, str]] = Counter()
        self.rejected: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def add(self, item: Face | Rejected) -> None:
        """Count one item."""
        if isinstance(item, Face):
            self.faces[item.official, item.label] += 1
        else:
            self.rejected[item.reason] += 1
            self._examples.setdefault(item.reason, item.file)
            if item.lost:
                self._lost[item.reason] += 1

    def missing(self, data: Data) -> list[str]:
        """Return what the data set lacks, one short text for each lack.

        These are an official part, or a class that has been published, faces whose part is not known although
        the data set has parts, and pictures that were lost where they are more than `data.limits.unreadable`.
        """
        published = {part: labels for part, labels in READERS[self._dataset].PUBLISHED.items() if part in ESSENTIAL}
        parts, found = {part for part, _ in self.faces}, {label for _, label in self.faces}
        lacks = [f"the official {part} part" for part in published if part and part not in parts]
        classes = {label for labels in published.values() for label in labels}
        if absent := [label for label in data.labels if label in classes - found]:
            lacks.append(f"all faces of {', '.join(absent)}")
        if "" not in published and (unknown := sum(count for (part, _), count in self.faces.items() if not part)):
            lacks.append(f"the official part of {unknown:,} faces")
        share = self._lost.total() / max(1, self._lost.total() + self.faces.total())
        if share > data.limits.unreadable:
            lacks.append(f"{self._lost.total():,} pictures ({share:.0%})")
        return lacks

    def check(self, name: str, data: Data) -> list[str]:
        """Return what the data set lacks, if it is accepted.

        Args:
            name: name of the data set's archives, for the message.
            data: section `data`.

        Raises:
            InputError: the data set lacks something, and `data.accept_missing` does not name it.
        """
        lacks = self.missing(data)
        if lacks and self._dataset not in data.accept_missing:
            reasons = (self._lost or self.rejected).most_common(5)
            examples = [f"{reason} ({count:,}, for example {self._examples[reason]})" for reason, count in reasons]
            raise InputError(
                f"{name}: missing in {self._dataset}: {'; '.join(lacks)}"
                + (f"; not read: {'; '.join(examples)}" if examples else "")
                + f"; get the whole data set, or accept this by data.accept_missing: [{self._dataset}]"
            )
        return lacks
