"""Splitting: no subject, film, sequence or near-duplicate is on two sides; official test parts are unchanged."""

import numpy as np
import pandas as pd
import pytest

from helpers.splits import split_links
from stages.base.errors import InputError
from stages.curation import splitting
from stages.curation.balancing import augment_face, plan_copies
from stages.curation.splitting import cross_validation, groups, held_out
from stages.faces.subsets import subsets

LABELS = ["anger", "disgust", "fear", "happy", "sadness"]


def faces(seed: int = 0) -> pd.DataFrame:
    """Return an index: data set a has subjects and sequences, b films and an official test part, c neither."""
    rng = np.random.default_rng(seed)
    rows = []
    for subject in range(40):
        for take in range(rng.integers(2, 6)):
            label = rng.choice(LABELS)
            rows += [("a", label, f"S{subject}", f"S{subject}_{take}", "")] * 3
    for film in range(50):
        part = "test" if film % 3 == 0 else "train"
        rows += [("b", rng.choice(LABELS), "", f"Film{film}", part) for _ in range(rng.integers(3, 12))]
    rows += [("c", rng.choice(LABELS), "", "", "") for _ in range(300)]
    index = pd.DataFrame(rows, columns=["dataset", "label", "subject", "sequence", "official"])
    index.insert(0, "id", range(len(index)))
    # Near-duplicates, some across data sets: 25 clusters of two or three faces, none of them official test faces.
    index["cluster"] = [str(n) for n in range(len(index))]
    free = index.index[index["official"] != "test"]
    for number, rows in enumerate(np.array_split(rng.permutation(free)[:60], 25)):
        index.loc[rows, "cluster"] = f"cluster{number}"
    return index


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_two_sides(seed: int):
    result = held_out(faces(seed), 5, 0.2, seed)
    assert split_links(result) == {"subject": 0, "sequence": 0, "cluster": 0}
    assert set(result.loc[result["split"] == "train", "fold"]) == set(range(5))
    assert set(result.loc[result["split"] != "train", "fold"]) == {-1}


def test_without_groups_many_links_are_on_two_sides(monkeypatch: pytest.MonkeyPatch):
    """This shows that the test above can fail."""
    monkeypatch.setattr(splitting, "groups", lambda index: np.arange(len(index)))
    assert min(split_links(held_out(faces(), 5, 0.2, 0)).values()) > 0


def test_official_test_parts_are_unchanged():
    result = held_out(faces(), 5, 0.2, 0)
    b = result[result["dataset"] == "b"]
    assert (b["split"] == "test").tolist() == (b["official"] == "test").tolist()


@pytest.mark.parametrize("share", [0.1, 0.2, 0.34])
def test_data_sets_without_an_official_test_part_hold_out_the_share(share: float):
    index = faces()
    index["cluster"] = index["id"].astype(str)  # a group with faces of b could not be held out
    result = held_out(index, 5, share, 0)
    for dataset in ("a", "c"):
        given = (result.loc[result["dataset"] == dataset, "split"] == "test").mean()
        assert abs(given - share) < 0.06


def test_folds_have_similar_numbers_of_each_label_and_data_set():
    result = held_out(faces(), 5, 0.2, 0)
    train = result[result["split"] == "train"]
    for counts in (pd.crosstab(train["dataset"], train["fold"]), pd.crosstab(train["label"], train["fold"])):
        assert (counts.max(axis=1) <= 1.6 * counts.min(axis=1) + 3).all(), counts


def test_a_face_linked_to_an_official_test_face_is_unused():
    index = faces()
    in_test, outside = index.index[index["official"] == "test"][0], index.index[index["dataset"] == "c"][0]
    index.loc[[in_test, outside], "cluster"] = "bridge"
    result = held_out(index, 5, 0.2, 0)
    assert result.loc[outside, "split"] == "unused" and result.loc[in_test, "split"] == "test"


def test_groups_follow_links_of_links():
    index = pd.DataFrame({
        "dataset": ["a", "a", "a", "b", "b", "b"],
        "subject": ["S1", "S1", "S2", "", "", "S1"],
        "sequence": ["", "x", "x", "", "", ""],
        "cluster": ["1", "2", "3", "3", "4", "5"],
    })  # fmt: skip
    assert list(groups(index)) == [0, 0, 0, 0, 1, 2]  # S1 of b is another person than S1 of a


def test_the_seed_decides_the_folds():
    divisions = [held_out(faces(), 5, 0.2, seed)["fold"].tolist() for seed in (0, 0, 1)]
    assert divisions[0] == divisions[1] != divisions[2]


def test_fewer_groups_than_folds_is_an_error():
    index = faces()
    with pytest.raises(InputError, match="a: 5 folds need at least 5 groups .*, not 1; lower split.folds"):
        held_out(index[index["subject"].isin(["S0", "S1"])], 5, 0.5, 0)


def test_a_label_rarer_than_the_folds_gives_no_warning(recwarn: pytest.WarningsRecorder):
    index = faces()
    index.loc[index.index[index["dataset"] == "c"][:2], "label"] = "contempt"
    held_out(index, 5, 0.2, 0)
    assert not recwarn.list


@pytest.mark.parametrize("seed", range(3))
def test_cross_validation_tests_and_validates_every_face_once(seed: int):
    result = cross_validation(faces(seed), 10, seed)
    assert split_links(result) == {"subject": 0, "sequence": 0, "cluster": 0}
    tested, validated = [], []
    for fold in range(10):
        run = subsets(result, fold)
        sides = [set(subset["group"]) for subset in (run.train, run.validation, run.test)]
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
        assert len(run.train) + len(run.validation) + len(run.test) == len(result)
        tested += list(run.test["id"])
        validated += list(run.validation["id"])
    assert sorted(tested) == sorted(validated) == list(result["id"])


def test_as_many_folds_as_subjects_leave_one_subject_out():
    subjects = np.repeat(range(10), range(5, 15))
    index = pd.DataFrame({"dataset": "a", "label": np.resize(LABELS, 95), "subject": subjects, "sequence": ""})
    index = index.assign(subject="S" + index["subject"].astype(str), cluster=range(95)).astype(str)
    result = [cross_validation(index, 10, seed) for seed in (0, 0, 1)]
    assert (result[0].groupby("fold")["subject"].nunique() == 1).all() and result[0]["fold"].nunique() == 10
    assert result[0]["fold"].tolist() == result[1]["fold"].tolist() != result[2]["fold"].tolist()


def test_subsets_of_all_data_sets_and_of_one():
    result = held_out(faces(), 5, 0.2, 0)
    for dataset in (None, "a"):
        run = subsets(result, 2, dataset)
        assert set(run.test["id"]) == set(result.loc[result["split"] == "test", "id"])
        pool = result[(result["split"] == "train") & ((result["dataset"] == dataset) | (dataset is None))]
        assert list(run.validation["id"]) == list(pool.loc[pool["fold"] == 2, "id"])
        assert list(run.train["id"]) == list(pool.loc[pool["fold"] != 2, "id"])


@pytest.mark.parametrize("fold", range(5))
def test_a_run_on_one_data_set_leaves_out_the_labels_that_it_lacks(fold: int):
    index = faces()
    index.loc[(index["dataset"] == "a") & (index["label"] == LABELS[0]), "label"] = LABELS[1]
    run = subsets(held_out(index, 5, 0.2, 0), fold, "a")
    assert set(run.train["label"]) == set(run.validation["label"]) == set(run.test["label"]) == set(LABELS[1:])
    assert set(run.test["dataset"]) > {"a"} and len(subsets(held_out(index, 5, 0.2, 0), fold).test) > len(run.test)


def test_copies_balance_every_fold_and_stay_in_the_fold_of_their_parent():
    result = held_out(faces(), 5, 0.2, 0)
    train = result[result["split"] == "train"]
    copies = plan_copies(train, 1.0, 0)
    pool = pd.concat([train, copies], ignore_index=True)
    assert (pd.crosstab(pool["label"], pool["fold"]).nunique() == 1).all()
    parents = copies.merge(train, left_on="parent", right_on="id", suffixes=("", "_of_parent"))
    assert len(parents) == len(copies) > 100
    for column in ("fold", "label", "dataset"):
        assert (parents[column] == parents[f"{column}_of_parent"]).all()
    uses = copies["parent"].value_counts().reindex(train["id"], fill_value=0)
    assert (uses.groupby([train["fold"].values, train["label"].values]).agg(np.ptp) <= 1).all()  # in turn


def test_balance_scales_the_number_of_copies():
    train = held_out(faces(), 5, 0.2, 0).query("split == 'train'")
    none, half, full = (len(plan_copies(train, balance, 0)) for balance in (0, 0.5, 1))
    assert none == 0 and abs(half - full / 2) < 20


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3), (40, 56)])
def test_augmented_copies_differ_with_the_seed_and_the_strength(shape: tuple[int, ...]):
    rng = np.random.default_rng
    face = np.full(shape, 90, np.uint8)
    face[10:20, 12:30] = 200
    assert (augment_face(face, rng(0), 0) == face).all()
    copies = [augment_face(face, rng(seed), 1) for seed in (0, 0, 1)]
    assert all(copy.shape == shape and copy.dtype == np.uint8 for copy in copies)
    assert (copies[0] == copies[1]).all() and (copies[0] != copies[2]).any() and (copies[0] != face).any()
    near = [np.abs(augment_face(face, rng(seed), 0.1).astype(int) - face).mean() for seed in range(20)]
    far = [np.abs(augment_face(face, rng(seed), 1).astype(int) - face).mean() for seed in range(20)]
    assert np.median(near) < np.median(far)
