"""The split that params.yaml asks for."""

import numpy as np
import pandas as pd

from stages.curation.groups import groups
from stages.curation.splitting import cross_validation, held_out, official, other_data
from stages.params.split import Split


def divide(index: pd.DataFrame, settings: Split) -> pd.DataFrame:
    """Divide faces by the function of `splitting` that the section `split` of params.yaml asks for.

    With `by: faces`, single faces are dealt and not units: those of official parts too, except under `official`, which
    then takes the parts as published. Faces of one group are on several sides, and metrics are too high; the group is
    still the statistical unit.

    Args:
        index: N faces, removed ones too, with the columns dataset, file, label, official, unit and cluster.
        settings: the section.
    """
    dealt = index
    if settings.by == "faces":
        single = index["dataset"] + "/file/" + index["file"]
        dealt = index.assign(unit=single, cluster=np.arange(len(index)))
        if settings.protocol != "official":
            dealt["official"] = ""
    match settings.protocol:
        case "held_out" if settings.test_on:
            dealt = other_data(dealt, settings.test_on, settings.folds, settings.seed)
        case "held_out":
            dealt = held_out(dealt, settings.folds, settings.test_share, settings.seed)
        case "official":
            dealt = official(dealt, settings.folds, settings.seed)
        case "cross_validation":
            dealt = cross_validation(dealt, settings.folds, settings.seed)
    return index.assign(group=groups(index), split=dealt["split"], fold=dealt["fold"])
