"""Splitting: no subject, film, sequence or near-duplicate is on two sides; official test parts are unchanged."""

import numpy as np
import pandas as pd
import pytest

from helpers.splits import add_units, edited, like_ck48, like_jaffe, moved_units, split_links
from stages.base.errors import InputError
from stages.curation import splitting
from stages.curation.balancing import augment_face, plan_copies
from stages.curation.splitting import cross_validation, held_out
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
    index.insert(2, "file", [f"{n}.png" for n in index["id"]])
    # Near-duplicates, some across data sets: 25 clusters of two or three faces, none of them official test faces.
    index["cluster"] = [str(n) for n in range(len(index))]
    free = index.index[index["official"] != "test"]
    for number, rows in enumerate(np.array_split(rng.permutation(free)[:60], 25)):
        index.loc[rows, "cluster"] = f"cluster{number}"
    return add_units(index)


def one_data_set(*sizes: int, name: str = "d") -> pd.DataFrame:
    """Return an index of one data set, with subjects of these sizes."""
    subject = np.repeat([f"S{number:03}" for number in range(len(sizes))], sizes)
    index = pd.DataFrame({"dataset": name, "subject": subject, "label": np.resize(LABELS, len(subject))})
    index = index.assign(sequence="", official="", file=[f"{number}.png" for number in index.index])
    return add_units(index.assign(cluster=index["file"] + name))


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_two_sides(seed: int):
    result = held_out(faces(seed), 5, 0.2, seed)
    assert split_links(result) == {"subject": 0, "sequence": 0, "cluster": 0}
    assert set(result.loc[result["split"] == "train", "fold"]) == set(range(5))
    assert set(result.loc[result["split"] != "train", "fold"]) == {-1}
    assert not set(result.loc[result["split"] == "train", "group"]) & set(result.loc[result["fold"] == -1, "group"])


def test_without_groups_many_links_are_on_two_sides(monkeypatch: pytest.MonkeyPatch):
    """This shows that the test above can fail."""
    monkeypatch.setattr(splitting, "groups", lambda index: np.arange(len(index)))
    index = faces()
    assert min(split_links(held_out(index.assign(unit=index["file"]), 5, 0.2, 0)).values()) > 0


def test_official_test_parts_are_unchanged():
    result = held_out(faces(), 5, 0.2, 0)
    b = result[result["dataset"] == "b"]
    assert (b["split"] == "test").tolist() == (b["official"] == "test").tolist()


@pytest.fixture(scope="module")
def tested() -> pd.DataFrame:
    """Return, for each subject like those of CK+48 and JAFFE and of d, in which of 200 seeds it is tested: 0 or 1."""
    d = one_data_set(*[3] * 20)
    d["label"] = d["label"].mask(d["subject"] == "S007", "contempt")  # the only one of its stratum
    index = pd.concat([like_ck48(), like_jaffe(), d], ignore_index=True)
    first = ~index["unit"].duplicated()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "ATTEMPTS", 1)  # only the folds depend on it
        seeds = [(held_out(index, 2, 0.2, seed)["split"] == "test")[first] for seed in range(200)]
    return pd.DataFrame(seeds).astype(int).set_axis(index.loc[first, "unit"], axis=1).T


def test_every_subject_is_tested_about_equally_often(tested: pd.DataFrame):
    """The standard deviation of a share of 200 seeds is .028: this allows four of them, and .1 for the ten women."""
    for name, subjects, allowed in (("ck48", 112, 0.113), ("jaffe", 10, 0.1), ("d", 20, 0.113)):
        shares = tested[tested.index.str.startswith(name + "/")].mean(axis=1)
        assert len(shares) == subjects and abs(shares.mean() - 0.2) < 0.01 and (abs(shares - 0.2) <= allowed).all()


def test_any_two_women_are_tested_together(tested: pd.DataFrame):
    """Each of the 45 pairs is expected in 4.4 of 200 seeds."""
    jaffe = tested[tested.index.str.startswith("jaffe")]
    together = (jaffe @ jaffe.T).to_numpy()[np.triu_indices(10, 1)]
    assert (together > 0).sum() >= 40 and together.max() <= 15


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.45])
@pytest.mark.parametrize("index", [like_ck48(), one_data_set(*range(1, 60))])
def test_the_share_that_is_asked_for_is_held_out(index: pd.DataFrame, share: float):
    largest = index["unit"].value_counts().max() / len(index)
    for seed in range(3):
        given = (held_out(index, 5, share, seed)["split"] == "test").mean()
        assert abs(given - share) <= largest / 2 + 1e-9
        assert abs(given - share) < 0.01 or largest > 0.02


@pytest.mark.parametrize(
    ("sizes", "share"), [((10,), 0.2), ([5] * 20, 0.02), ((40, 40, 40), 0.2), ((60, 10, 10, 10, 10), 0.5)]
)
def test_a_share_that_the_groups_do_not_allow_is_refused(sizes: tuple[int, ...], share: float):
    refused = 0
    for seed in range(4):
        try:
            held = (held_out(one_data_set(*sizes), 2, share, seed)["split"] == "test").mean()
            assert held > 0 and abs(held - share) <= 0.05
        except InputError as error:
            assert f"d: with {len(sizes)} groups of subjects or films, 0." in str(error)
            assert f"would be held out and not {share}; choose another split.test_share" in str(error)
            refused += 1
    assert refused


def test_the_test_part_has_its_share_of_each_label():
    """Without strata, the shares of the rarest labels deviate by .065 (standard deviation)."""
    index, shares = like_ck48(), []
    for seed in range(20):
        test = held_out(index, 2, 0.2, seed)["split"] == "test"
        shares.append(test.groupby(index["label"]).mean())
    deviation = np.sqrt(((pd.DataFrame(shares) - 0.2) ** 2).mean())
    assert (deviation < 0.05).all(), deviation


def test_folds_have_similar_numbers_of_each_label_and_data_set():
    shares = []
    for seed in range(5):
        train = held_out(like_ck48(), 5, 0.2, seed).query("split == 'train'")
        shares.append(pd.crosstab(train["label"], train["fold"], normalize="index"))
        assert train["fold"].value_counts(normalize=True).between(0.18, 0.22).all()
    deviation = np.sqrt(((np.array(shares) - 0.2) ** 2).mean(axis=(0, 2)))
    assert (deviation < 0.033).all(), deviation


@pytest.mark.parametrize("sizes", [(60, 10, 10, 10, 10), (5, 5, 90, 5, 5, 5), (1, 1, 1, 1, 1, 95)])
def test_a_large_subject_leaves_no_fold_empty(sizes: tuple[int, ...]):
    for seed in range(5):
        result = cross_validation(one_data_set(*sizes), 5, seed)
        assert set(result["fold"]) == set(range(5)) and (result.groupby("unit")["fold"].nunique() == 1).all()


def test_the_division_is_the_same_with_every_version_of_the_libraries():
    index = one_data_set(*[3] * 20)
    tested = index.loc[held_out(index, 4, 0.2, 0)["split"] == "test", "subject"]
    assert list(tested.unique()) == ["S004", "S012", "S013", "S018"]


def test_a_face_linked_to_an_official_test_face_is_unused():
    index = faces()
    in_test, outside = index.index[index["official"] == "test"][0], index.index[index["dataset"] == "c"][0]
    index.loc[[in_test, outside], "cluster"] = "bridge"
    result = held_out(index, 5, 0.2, 0)
    assert result.loc[outside, "split"] == "unused" and result.loc[in_test, "split"] == "test"


@pytest.mark.parametrize("seed", range(10))
def test_other_data_sets_and_near_duplicates_move_only_linked_units(seed: int):
    rng = np.random.default_rng(seed)
    index = pd.concat([faces(seed), one_data_set(*range(1, 20))], ignore_index=True)
    change = edited(index, rng)
    for divide in (lambda rows: held_out(rows, 5, 0.2, seed), lambda rows: cross_validation(rows, 5, seed)):
        before, after = divide(index), divide(change)
        assert not moved_units(before, after)
        assert split_links(after) == {"subject": 0, "sequence": 0, "cluster": 0}


def test_a_linked_unit_takes_the_fold_of_the_largest_one():
    index = pd.concat([one_data_set(*[9] * 9, name="a"), one_data_set(*[5] * 9, name="b")], ignore_index=True)
    linked = (index["file"] == "0.png") | (index["file"] == "10.png") & (index["dataset"] == "b")
    units, moved = ["a/subject/S000", "b/subject/S000", "b/subject/S002"], 0
    for seed in range(4):
        before = cross_validation(index, 3, seed).groupby("unit")["fold"].first()
        joined = index.assign(cluster=index["cluster"].mask(linked, "bridge"))
        after = cross_validation(joined, 3, seed).groupby("unit")["fold"].first()
        assert (after[units] == before[units[0]]).all() and (after.drop(units) == before.drop(units)).all()
        moved += (after != before).sum()
    assert moved >= 3


def test_the_seed_decides_the_folds():
    divisions = [held_out(faces(), 5, 0.2, seed)["fold"].tolist() for seed in (0, 0, 1)]
    assert divisions[0] == divisions[1] != divisions[2]


def test_fewer_groups_than_folds_is_an_error():
    with pytest.raises(
        InputError,
        match="^d: fold . of 5 would be empty, because at most 4 groups .* of one data set .*; lower split.fo",
    ):
        held_out(one_data_set(*[5] * 5), 5, 0.2, 0)
    index = faces()
    with pytest.raises(InputError, match="^b: fold 0 of 5 would be empty, because at most 0 groups"):
        held_out(index[index["official"] == "test"], 5, 0.2, 0)


def test_a_data_set_with_fewer_groups_than_folds_can_join_a_larger_one():
    result = held_out(pd.concat([like_ck48(), one_data_set(*[5] * 5)], ignore_index=True), 5, 0.2, 0)
    assert set(result["fold"]) == {-1, *range(5)}


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
    result = [cross_validation(one_data_set(*range(5, 15)), 10, seed) for seed in (0, 0, 1)]
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
