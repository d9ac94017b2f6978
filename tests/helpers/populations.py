"""Made-up predictions for groups of faces that are composed as in the real data sets."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

# A row for each subject or film: the faces of each label. Of CK+48, sequences, which have three nearly equal frames.
SIZES = dict(list(pd.read_csv(Path(__file__).parent / "group_sizes.csv", index_col="dataset").groupby(level=0)))
SIZES["ck48-"] = SIZES["ck48"].assign(contempt=0)[lambda rows: rows.sum(axis=1) > 0]  # the labels of the default
FRAMES = {"ck48": 3, "ck48-": 3, "jaffe": 1, "sfew": 1}
CLASSES = SIZES["ck48"].shape[1]
DIFFICULTY = np.linspace(-0.5, 0.5, CLASSES)  # of the classes
SKILL, BIAS = 0.7, 0.5  # deviation between groups: of the logit of the true class, and of the logit of each class

Parts = dict[str, int]  # number of groups of each data set


@dataclass(frozen=True)
class Faces:
    """Faces of groups of a data set.

    Attributes:
        dataset: name of the data set.
        group: the group of each face, N integers from 0, in ascending order.
        picture: the picture of each face, N integers from 0; the frames of a sequence are one picture.
        truth: the true class of each face, N integers from 0.
    """

    dataset: str
    group: np.ndarray
    picture: np.ndarray
    truth: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator, dataset: str, groups: int) -> "Faces":
        """Draw groups of a data set with replacement."""
        rows = SIZES[dataset].to_numpy()
        sizes, frames = rows[rng.integers(0, len(rows), groups)], FRAMES[dataset]
        group = np.repeat(np.repeat(np.arange(groups), CLASSES), sizes.ravel() * frames)
        truth = np.repeat(np.tile(np.arange(CLASSES), groups), sizes.ravel() * frames)
        return cls(dataset, group, np.arange(len(group)) // frames, truth)

    def noise(self, rng: np.random.Generator, between: float = 1.0) -> np.ndarray:
        """Return what differs between pictures and, times `between`, between groups in the logits: N×CLASSES."""
        groups, pictures = self.group.max() + 1, self.picture.max() + 1
        found = rng.normal(0, 0.95, (pictures, CLASSES))[self.picture] + rng.normal(0, 0.3, (len(self.truth), CLASSES))
        found += between * rng.normal(0, BIAS, (groups, CLASSES))[self.group]
        found[np.arange(len(found)), self.truth] += between * rng.normal(0, SKILL, groups)[self.group]
        return found

    def logits(self, noise: np.ndarray, skill: float | np.ndarray) -> np.ndarray:
        """Return the logits of a model, N×CLASSES; -99 for classes that the data set does not have.

        Args:
            noise: N×CLASSES.
            skill: how well the model reads faces, or each of the N faces.
        """
        found = noise.copy()
        found[np.arange(len(found)), self.truth] += skill + DIFFICULTY[self.truth]
        found[:, SIZES[self.dataset].sum() == 0] = -99
        return found


def sampled(
    rng: np.random.Generator, parts: Parts, skill: float, sets: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield truth, logits, group and data set of the faces of each of several test sets.

    Args:
        rng: source of randomness.
        parts: how many groups of each data set are in a test set.
        skill: how well the model reads faces.
        sets: how many test sets.
    """
    drawn = [Faces.drawn(rng, dataset, groups * sets) for dataset, groups in parts.items()]
    outputs = [faces.logits(faces.noise(rng), skill) for faces in drawn]
    ends = [np.searchsorted(faces.group // parts[faces.dataset], np.arange(sets + 1)) for faces in drawn]
    firsts = np.arange(len(drawn)) * 10**8  # groups of different data sets have different numbers
    for number in range(sets):
        at = [slice(end[number], end[number + 1]) for end in ends]
        yield (
            np.concatenate([faces.truth[part] for faces, part in zip(drawn, at, strict=True)]),
            np.concatenate([logits[part] for logits, part in zip(outputs, at, strict=True)]),
            np.concatenate([faces.group[part] + first for faces, part, first in zip(drawn, at, firsts, strict=True)]),
            np.repeat(list(parts), [part.stop - part.start for part in at]),
        )
