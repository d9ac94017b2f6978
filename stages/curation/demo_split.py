"""Whether the drawn faces of the demo are enough for the split that is asked for."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stages.base.errors import InputError
from stages.curation.dividing import divide
from stages.curation.groups import units
from stages.faces.subsets import subsets
from stages.params.data import Data, Dataset
from stages.params.sources import Demo
from stages.params.split import Split
from stages.sources.drawing.index import demo_index


def check_demo(data: Data, demo: Mapping[Dataset, Demo], split: Split, folds: list[int], ranked: bool = False) -> None:
    """Split the list of faces that will be drawn, before they are drawn.

    Args:
        data: the data sets and labels that are used.
        demo: the number of drawn faces, by data set.
        split: how the faces are split.
        folds: the folds that are used as `fold` of a run (see `subsets`).
        ranked: whether the runs are those of a benchmark.

    Raises:
        InputError: there are too few groups for the folds, a label has no face to train on in one of the folds, or a
            fold has no validation, test or, if `ranked`, out-of-fold face.
    """
    faces = pd.concat([demo_index(dataset, demo[dataset].faces) for dataset in data.datasets], ignore_index=True)
    faces = faces[faces["label"].isin(data.labels)].reset_index(drop=True)
    faces = faces.assign(unit=units(faces, np.empty((0, 2), np.int64)), cluster=faces.index)  # without near-duplicates
    try:
        index = divide(faces, split)
    except InputError as error:
        raise InputError(f"params.yaml: sources.demo: {error}, or draw more faces") from None
    for fold in folds:
        parts = subsets(index, fold, validation_folds=split.validation_folds, ranked=ranked)
        missing = [label for label in data.labels if label not in set(parts.train["label"])]
        if missing or parts.validation.empty or parts.test.empty or (ranked and parts.out_of_fold.empty):
            lack = f"no face labelled {missing[0]} to train on" if missing else "no validation or no test face"
            raise InputError(
                f"params.yaml: sources.demo: fold {fold} would have {lack}; draw more faces, lower split.folds, or "
                "change data.labels or data.datasets"
            )
