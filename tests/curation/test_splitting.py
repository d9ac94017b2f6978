"""No subject, film, sequence, near-duplicate or copy on two sides of a split; official test parts stay."""

import numpy as np
import pandas as pd
import pytest

from helpers.splits import straddling
from stages.base.errors import InputError
from stages.curation import splitting
from stages.curation.balancing import distort, plan
from stages.curation.splitting import cross_validation, groups, held_out
from stages.faces.subsets import subsets

LABELS = ["anger", "disgust", "fear", "happy", "sadness"]


def faces(seed: int = 0) -> pd.DataFrame:
    """An index with subjects and sequences (a), films and an official test part (b), and neither (c)."""
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
        index.loc[rows, "cluster"] = f"twins{number}"
    return index


@pytest.mark.parametrize("seed", range(5))
def test_nothing_straddles(seed: int):
    dealt = held_out(faces(seed), 5, 0.2, seed)
    assert straddling(dealt) == {"subject": 0, "sequence": 0, "cluster": 0}
    assert set(dealt.loc[dealt["split"] == "train", "fold"]) == set(range(5))
    assert set(dealt.loc[dealt["split"] != "train", "fold"]) == {-1}


def test_without_the_grouping_much_straddles(monkeypatch: pytest.MonkeyPatch):
    """The test above can fail."""
    monkeypatch.setattr(splitting, "groups", lambda index: np.arange(len(index)))
    assert min(straddling(held_out(faces(), 5, 0.2, 0)).values()) > 0


def test_official_test_parts_are_the_test_part_of_their_data_set():
    dealt = held_out(faces(), 5, 0.2, 0)
    b = dealt[dealt["dataset"] == "b"]
    assert (b["split"] == "test").tolist() == (b["official"] == "test").tolist()


@pytest.mark.parametrize("share", [0.1, 0.2, 0.34])
def test_elsewhere_the_share_is_held_out(share: float):
    index = faces()
    index["cluster"] = index["id"].astype(str)  # a group that reaches into b could not be held out
    dealt = held_out(index, 5, share, 0)
    for dataset in ("a", "c"):
        given = (dealt.loc[dealt["dataset"] == dataset, "split"] == "test").mean()
        assert abs(given - share) < 0.06


def test_folds_have_every_label_and_data_set_in_like_number():
    dealt = held_out(faces(), 5, 0.2, 0)
    train = dealt[dealt["split"] == "train"]
    for counts in (pd.crosstab(train["dataset"], train["fold"]), pd.crosstab(train["label"], train["fold"])):
        assert (counts.max(axis=1) <= 1.6 * counts.min(axis=1) + 3).all(), counts


def test_what_is_linked_to_an_official_test_face_is_unused():
    index = faces()
    in_test, outside = index.index[index["official"] == "test"][0], index.index[index["dataset"] == "c"][0]
    index.loc[[in_test, outside], "cluster"] = "bridge"
    dealt = held_out(index, 5, 0.2, 0)
    assert dealt.loc[outside, "split"] == "unused" and dealt.loc[in_test, "split"] == "test"


def test_links_join_groups_however_far():
    index = pd.DataFrame({
        "dataset": ["a", "a", "a", "b", "b", "b"],
        "subject": ["S1", "S1", "S2", "", "", "S1"],
        "sequence": ["", "x", "x", "", "", ""],
        "cluster": ["1", "2", "3", "3", "4", "5"],
    })  # fmt: skip
    assert list(groups(index)) == [0, 0, 0, 0, 1, 2]  # S1 of b is another person than S1 of a


def test_the_same_seed_deals_the_same_and_another_does_not():
    deals = [held_out(faces(), 5, 0.2, seed)["fold"].tolist() for seed in (0, 0, 1)]
    assert deals[0] == deals[1] != deals[2]


def test_too_few_groups_are_refused():
    index = faces()
    with pytest.raises(InputError, match="5 folds"):
        held_out(index[index["subject"].isin(["S0", "S1"])], 5, 0.5, 0)


@pytest.mark.parametrize("seed", range(3))
def test_cross_validation_tests_and_validates_every_face_once(seed: int):
    dealt = cross_validation(faces(seed), 10, seed)
    assert straddling(dealt) == {"subject": 0, "sequence": 0, "cluster": 0}
    tested, validated = [], []
    for fold in range(10):
        run = subsets(dealt, fold)
        sides = [set(part["group"]) for part in (run.train, run.validation, run.test)]
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
        assert len(run.train) + len(run.validation) + len(run.test) == len(dealt)
        tested += list(run.test["id"])
        validated += list(run.validation["id"])
    assert sorted(tested) == sorted(validated) == list(dealt["id"])


def test_as_many_folds_as_subjects_leave_one_subject_out():
    subjects = np.repeat(range(10), range(5, 15))
    index = pd.DataFrame({"dataset": "a", "label": np.resize(LABELS, 95), "subject": subjects, "sequence": ""})
    index = index.assign(subject="S" + index["subject"].astype(str), cluster=range(95)).astype(str)
    dealt = [cross_validation(index, 10, seed) for seed in (0, 0, 1)]
    assert (dealt[0].groupby("fold")["subject"].nunique() == 1).all() and dealt[0]["fold"].nunique() == 10
    assert dealt[0]["fold"].tolist() == dealt[1]["fold"].tolist() != dealt[2]["fold"].tolist()


def test_held_out_parts_and_those_of_one_data_set():
    dealt = held_out(faces(), 5, 0.2, 0)
    for dataset in (None, "a"):
        run = subsets(dealt, 2, dataset)
        assert set(run.test["id"]) == set(dealt.loc[dealt["split"] == "test", "id"])
        pool = dealt[(dealt["split"] == "train") & ((dealt["dataset"] == dataset) | (dataset is None))]
        assert list(run.validation["id"]) == list(pool.loc[pool["fold"] == 2, "id"])
        assert list(run.train["id"]) == list(pool.loc[pool["fold"] != 2, "id"])


@pytest.mark.parametrize("fold", range(5))
def test_a_run_of_one_data_set_leaves_out_what_it_does_not_teach(fold: int):
    index = faces()
    index.loc[(index["dataset"] == "a") & (index["label"] == LABELS[0]), "label"] = LABELS[1]
    run = subsets(held_out(index, 5, 0.2, 0), fold, "a")
    assert set(run.train["label"]) == set(run.validation["label"]) == set(run.test["label"]) == set(LABELS[1:])
    assert set(run.test["dataset"]) > {"a"} and len(subsets(held_out(index, 5, 0.2, 0), fold).test) > len(run.test)


def test_copies_balance_every_fold_and_stay_in_their_parents_fold():
    dealt = held_out(faces(), 5, 0.2, 0)
    train = dealt[dealt["split"] == "train"]
    copies = plan(train, 1.0, 0)
    pool = pd.concat([train, copies], ignore_index=True)
    assert (pd.crosstab(pool["label"], pool["fold"]).nunique() == 1).all()
    parents = copies.merge(train, left_on="parent", right_on="id", suffixes=("", "_of_parent"))
    assert len(parents) == len(copies) > 100
    for column in ("fold", "label", "dataset"):
        assert (parents[column] == parents[f"{column}_of_parent"]).all()
    uses = copies["parent"].value_counts().reindex(train["id"], fill_value=0)
    assert (uses.groupby([train["fold"].values, train["label"].values]).agg(np.ptp) <= 1).all()  # they take turns


def test_balance_in_part_and_not_at_all():
    train = held_out(faces(), 5, 0.2, 0).query("split == 'train'")
    none, half, full = (len(plan(train, balance, 0)) for balance in (0, 0.5, 1))
    assert none == 0 and abs(half - full / 2) < 20


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3), (40, 56)])
def test_a_copy_is_another_picture_of_the_same_face(shape: tuple[int, ...]):
    rng = np.random.default_rng
    face = np.full(shape, 90, np.uint8)
    face[10:20, 12:30] = 200
    assert (distort(face, rng(0), 0) == face).all()
    copies = [distort(face, rng(seed), 1) for seed in (0, 0, 1)]
    assert all(copy.shape == shape and copy.dtype == np.uint8 for copy in copies)
    assert (copies[0] == copies[1]).all() and (copies[0] != copies[2]).any() and (copies[0] != face).any()
    near = [np.abs(distort(face, rng(seed), 0.1).astype(int) - face).mean() for seed in range(20)]
    far = [np.abs(distort(face, rng(seed), 1).astype(int) - face).mean() for seed in range(20)]
    assert np.median(near) < np.median(far)
