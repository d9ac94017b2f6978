"""The faces that a model has seen: those that it was trained on, or a model from which its training started or learned.

Validation faces count as trained on, because they chose the epoch.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from stages.base.errors import InputError
from stages.base.files import check_size
from stages.base.files import sha256 as file_sha256
from stages.base.tables import read_table
from stages.faces.subsets import Subsets, subsets
from stages.models.config import HASHES, read_config
from stages.models.saved_model import CONFIG, TRAINED_ON
from stages.training.run import Run

COLUMNS = ["dataset", "unit", "sha256", "phash"]
DIGITS = 16  # of the 64 of a SHA-256; 64 bits, so two of a million faces agree by chance with a probability of 3e-8
MAX_BYTES = 24 * 2**20  # of `trained_on.csv`; about 300,000 faces
NONE = pd.DataFrame(columns=COLUMNS, dtype=str)


def read_seen(folder: Path, name: str, key: str = "train.init") -> pd.DataFrame:
    """Return the faces that a trained model has seen.

    Args:
        folder: the folder of the model.
        name: what error messages call the model.
        key: where the name was given, for messages.

    Returns:
        One row for each face, with `COLUMNS`.

    Raises:
        InputError: the folder does not tell, or the file is not the one that was written with the model.
    """
    path, recorded = folder / TRAINED_ON, read_config(folder / CONFIG)[HASHES].get("trained_on")
    if not path.exists() or recorded is None:
        raise InputError(
            f"{key}: {name} has no {TRAINED_ON}, or no hash of it, because an earlier version of the code trained "
            "it, so it is not known whether it has seen the test faces; train it again"
        )
    try:
        check_size(path, MAX_BYTES)
        if file_sha256(path) != recorded:
            raise ValueError(f"not the file that {CONFIG} was written with")
        return read_table(path, dict.fromkeys(COLUMNS, str))[COLUMNS]
    except (ValueError, InputError) as error:
        raise InputError(f"{key}: {name}: {TRAINED_ON} is damaged ({str(error)[:200]}); train it again") from None


def seen_faces(run: Run, index: pd.DataFrame, before: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the faces that the model of a run has seen when it is trained, sorted, with `COLUMNS`.

    Args:
        run: what is trained.
        index: the index that split wrote.
        before: the faces that the initial weights and each teacher have seen.
    """
    chosen = _subsets(run, index)
    faces = pd.concat([chosen.train, chosen.validation])[COLUMNS]
    faces = faces.assign(sha256=faces["sha256"].str[:DIGITS])
    return pd.concat([*before.values(), faces]).drop_duplicates().sort_values(COLUMNS, ignore_index=True)


def seen_before(run: Run, index: pd.DataFrame, before: dict[str, pd.DataFrame]) -> dict[str, dict[str, Any] | None]:
    """Count the test faces and the validation faces of a run that its initial weights, or its teachers, have seen.

    A face was seen if these models were trained on

    - the same image: equal SHA-256;
    - a near-duplicate: equal perceptual hash. Among the 53,629 faces with contrast of CK+48, JAFFE, SFEW, FER2013 and
      RAF-DB, no two of different groups have equal hashes. 112 pairs differ in two bits of 64 and 545 in four, so that
      a larger distance would refuse models of the same split. The same images have equal hashes in 81 % after JPEG
      compression of quality 75, 92 to 97 % in another size, and 53 to 100 % in colour: the count can be too low, but
      one face suffices to refuse a model;
    - another face of its group, which is known by its unit or by the rules above: a face of the same subject or film,
      or one that `clean` finds to be a near-duplicate by its pixels.

    Args:
        run: what is trained.
        index: the faces that split wrote, those that cleaning has removed too: those models may have been trained on a
            copy of a test face that is removed here.
        before: the faces that each of those models has seen, by what messages call it, such as "train.init: name".

    Returns:
        `seen_test`, of the faces that evaluate the run, and `seen_validation`. Each is None if there is no such face.
        Else it has `faces`; `of`, the number of all those faces; `same_image`, `near_duplicate` and `same_group`, which
        add up to `faces`; and `datasets`, the number of each data set.

    Raises:
        InputError: test faces were seen, and `train.allow_seen_test` is false.
    """
    chosen = _subsets(run, index)
    seen = _seen(index, pd.concat(before.values()))
    evaluating = index.loc[chosen.test.index.union(chosen.out_of_fold.index)]
    test = _counts(evaluating, *seen)
    if test and not run.recipe.allow_seen_test:
        of = f"{test['of']} test {'and out-of-fold ' if run.ranked else ''}faces"
        models = [name for name, faces in before.items() if _seen(index, faces)[2][evaluating.index].any()]
        names, verb = ", ".join(models), "was" if len(models) == 1 else "were"
        datasets = ", ".join(f"{dataset}: {count}" for dataset, count in test["datasets"].items())
        raise InputError(
            f"{names} {verb} trained on {test['faces']} of the {of} ({datasets}; same image: "
            f"{test['same_image']}, near-duplicate: {test['near_duplicate']}, same subject, film or group: "
            f"{test['same_group']}), so metrics would be too high; choose a model of the same split, or accept it "
            "by train.allow_seen_test: true"
        )
    return {"seen_test": test, "seen_validation": _counts(chosen.validation, *seen)}


def _counts(faces: pd.DataFrame, image: pd.Series, near: pd.Series, seen: pd.Series) -> dict[str, Any] | None:
    """Return how many of the faces models have seen, as `seen_before` does; the masks are those of `_seen`."""
    rows = faces.index
    if not seen[rows].any():
        return None
    return {
        "faces": int(seen[rows].sum()),
        "of": len(rows),
        "same_image": int(image[rows].sum()),
        "near_duplicate": int((near & ~image)[rows].sum()),
        "same_group": int((seen & ~near & ~image)[rows].sum()),
        "datasets": faces["dataset"][seen[rows]].value_counts().sort_index().to_dict(),
    }


def _seen(index: pd.DataFrame, before: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return of each face whether models have seen the same image, a near-duplicate, and any face of its group."""
    image = index["sha256"].str[:DIGITS].isin(before["sha256"])
    near = index["phash"].isin(before["phash"])
    linked = image | near | index["unit"].isin(before["unit"])
    return image, near, index["group"].isin(index.loc[linked, "group"])


def _subsets(run: Run, index: pd.DataFrame) -> Subsets:
    return subsets(index, run.fold, run.dataset, run.validation_folds, run.ranked)
