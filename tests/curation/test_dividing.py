"""The protocols: official parts as they are, and single faces, whose leaks are counted."""

import numpy as np
import pandas as pd
import pytest

from helpers.splits import add_units, like_ck48, split_links
from stages.base.errors import InputError
from stages.curation.dividing import divide
from stages.faces.subsets import leaks, subsets
from stages.params.split import Split


def settings(**changes: object) -> Split:
    values = {"protocol": "held_out", "by": "groups", "test_on": None, "folds": 5, "fold": 0, "validation_folds": 1}
    return Split(**{**values, "test_share": 0.2, "seed": 0, **changes})


def with_parts(name: str, counts: dict[str, int]) -> pd.DataFrame:
    """Return an index of one data set with these numbers of faces in official parts, without subjects."""
    official = np.repeat(list(counts), list(counts.values()))
    index = pd.DataFrame({"dataset": name, "official": official, "subject": "", "sequence": ""})
    index["label"] = np.resize(["anger", "fear", "happy"], len(index))
    index["file"] = [f"{number}.png" for number in index.index]
    return index.assign(cluster=name + index["file"])


def official_parts() -> pd.DataFrame:
    """Return FER2013 in small, with a validation part, and RAF-DB in small, without one."""
    fer = with_parts("fer2013", {"train": 300, "val": 40, "test": 40})
    index = pd.concat([fer, with_parts("rafdb", {"train": 200, "test": 50})], ignore_index=True)
    return index.reset_index(names="id")


def test_official_parts_train_validate_and_test():
    index = add_units(official_parts())
    run = subsets(divide(index, settings(protocol="official")), 0)
    fer, raf = ({name: rows[rows["dataset"] == dataset] for name, rows in vars(run).items()} for dataset in
                ("fer2013", "rafdb"))  # fmt: skip
    for subset, part in (("train", "train"), ("validation", "val"), ("test", "test")):
        expected = index[(index["dataset"] == "fer2013") & (index["official"] == part)]
        assert list(fer[subset]["id"]) == list(expected["id"])
    assert set(raf["train"]["official"]) == set(raf["validation"]["official"]) == {"train"}
    assert len(raf["validation"]) == 40 and len(raf["train"]) == 160 and len(raf["test"]) == 50


@pytest.mark.parametrize("other", ["train", "rafdb"])
def test_faces_linked_to_an_official_validation_face_are_unused_and_it_still_validates(other: str):
    index = official_parts()
    validating = index.index[index["official"] == "val"][0]
    training = index.index[(index["official"] == "train") & ((index["dataset"] == "rafdb") == (other == "rafdb"))][:3]
    index.loc[[validating, *training], "cluster"] = "bridge"
    index.loc[training, "subject"] = "S1"  # one unit, which is larger than that of the validation face
    for seed in range(3):
        result = divide(add_units(index), settings(protocol="official", seed=seed))
        assert (result.loc[training, "split"] == "unused").all() and (result.loc[training, "fold"] == -1).all()
        assert result.loc[validating, ["split", "fold"]].tolist() == ["train", 0]
        assert (result["split"] == "unused").sum() == 3 and split_links(result)["cluster"] == 0


def test_a_validation_face_linked_to_a_test_face_is_unused():
    index = official_parts()
    pair = [index.index[index["official"] == part][0] for part in ("val", "test")]
    index.loc[pair, "cluster"] = "bridge"
    result = divide(add_units(index), settings(protocol="official"))
    assert result.loc[pair, "split"].tolist() == ["unused", "test"] and (result["split"] == "unused").sum() == 1


def test_a_data_set_without_an_official_test_part_is_refused_under_official():
    with pytest.raises(InputError, match="ck48: has no official test part"):
        divide(like_ck48(), settings(protocol="official"))


def test_all_of_one_data_set_is_tested_and_only_others_are_trained_on():
    index = pd.concat([official_parts(), like_ck48()], ignore_index=True)
    index["id"] = index.index
    index["dataset"] = "drawn-" + index["dataset"]
    pair = [index.index[(index["dataset"] == f"drawn-{name}") & (index["official"] == part)][0] for name, part in
            (("fer2013", "train"), ("rafdb", "train"))]  # fmt: skip
    index.loc[pair, "cluster"] = "bridge"
    result = divide(add_units(index), settings(test_on="rafdb"))
    assert set(result.loc[result["split"] == "test", "id"]) == set(index.index[index["dataset"] == "drawn-rafdb"])
    unused = result[result["split"] == "unused"]
    assert list(unused["id"]) == [
        pair[0],
        *index.index[index["dataset"].eq("drawn-fer2013") & index["official"].eq("test")],
    ]
    assert set(result.loc[result["split"] != "train", "fold"]) == {-1}
    assert split_links(result) == {"subject": 0, "sequence": 0, "cluster": 0}
    for fold in range(5):
        run = subsets(result, fold)
        assert set(run.train["dataset"]) == set(run.validation["dataset"]) == {"drawn-fer2013", "drawn-ck48"}


def test_a_face_linked_to_an_unused_face_keeps_its_fold():
    index = pd.concat([official_parts(), like_ck48()], ignore_index=True)
    index["id"] = index.index
    linked = [index.index[(index["dataset"] == name) & (index["official"] == part)][0] for name, part in
              (("fer2013", "test"), ("rafdb", "train"))]  # fmt: skip
    index.loc[linked, "cluster"] = "bridge"
    result = divide(add_units(index), settings(test_on="ck48"))
    assert result.loc[linked, "split"].tolist() == ["unused", "train"]
    assert set(result.loc[result["split"] == "train", "fold"]) == set(range(5))
    assert set(result.loc[result["split"] != "train", "fold"]) == {-1}


def test_single_faces_stay_in_official_parts_as_published():
    index = official_parts()
    parts = index.groupby(["dataset", "official"]).head(3)
    index.loc[parts.index, "cluster"] = "bridge"  # of both data sets and all their parts
    result = divide(add_units(index), settings(protocol="official", by="faces"))
    assert (result["split"] == np.where(index["official"] == "test", "test", "train")).all()
    run = subsets(result, 0)
    assert set(run.test["official"]) == {"test"} and len(run.test) == 90
    assert list(run.validation.loc[run.validation["dataset"] == "fer2013", "official"]) == ["val"] * 40
    assert len(run.validation) == 80 and len(run.train) == 300 + 160
    assert leaks(run.train, run.test) == {"faces": 6, "of": 90}


@pytest.mark.parametrize("protocol", ["held_out", "cross_validation"])
def test_single_faces_leak_and_groups_do_not(protocol: str):
    index = like_ck48().reset_index(names="id")
    index.loc[index["subject"] == index["subject"].iloc[0], "official"] = "test"  # ignored
    by_groups, by_faces = (divide(index, settings(protocol=protocol, by=by)) for by in ("groups", "faces"))
    pd.testing.assert_series_equal(by_groups["group"], by_faces["group"])
    kept = ["unit", "cluster", "official"]
    pd.testing.assert_frame_equal(by_faces[kept], index[kept])
    run = subsets(by_faces, 0)
    assert leaks(*(getattr(subsets(by_groups, 0), name) for name in ("train", "test"))) is None
    found = leaks(run.train, run.test)
    assert found["of"] == len(run.test) and found["faces"] > 0.95 * len(run.test)
    subject = run.test["subject"].isin(run.train["subject"])  # CK+48 without near-duplicates: subjects alone link
    assert found["faces"] == subject.sum()
    assert 0.18 < len(run.test) / len(index) < 0.22
    tested = run.test["label"].value_counts() / index["label"].value_counts()
    assert tested.between(0.17, 0.23).all()  # labels are spread evenly
