"""The leaderboard: statistics against hand-made cases, scikit-learn and simulation; the stage on made-up runs."""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score

from helpers import saved
from helpers.project import Project
from stages.base.errors import InputError
from stages.benchmark import compare
from stages.benchmark.comparison.paired import paired_metrics
from stages.benchmark.comparison.significance import difference_interval, holm, rank_shares
from stages.benchmark.comparison.variation import METRICS
from stages.benchmark.results import FACE
from stages.faces.subsets import subsets

LABELS = ["anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral"]
SHARES = [0.16, 0.11, 0.11, 0.18, 0.15, 0.15, 0.14]
MODELS = {"cnn5": 0.9, "cnn8": 2.2, "convnet": 1.5, "mini_xception": 1.55}  # how well each reads


def two_models(rng: np.random.Generator, people: int, differ: float, better: float) -> list[list[pd.DataFrame]]:
    """What two models say of 300 faces, each in one run. Mistakes are shared in part, and people differ in difficulty.

    The second model reads `better`; each reads some people better than others by as much as people `differ`.
    """
    person = np.sort(rng.integers(0, people, 300)) if people < 300 else np.arange(300)
    truth = rng.choice(len(LABELS), 300, p=SHARES)
    faces = pd.DataFrame({"id": range(300), "dataset": "a", "label": np.array(LABELS)[truth], "group": person})
    shared, hard, found = rng.normal(0, 1, (300, len(LABELS))), rng.normal(0, differ, people), []
    for gain in (0, better):
        logits = 0.7 * shared + 0.7 * rng.normal(0, 1, shared.shape)
        logits[np.arange(300), truth] += 1.6 + gain + (hard + rng.normal(0, differ, people))[person]
        found.append([faces.assign(prediction=np.array(LABELS)[logits.argmax(1)])])
    return found


@pytest.mark.parametrize(("people", "differ", "better"), [(300, 0.0, 0.7), (40, 1.0, 1.5)])
def test_a_real_difference_is_found(people: int, differ: float, better: float) -> None:
    rng = np.random.default_rng(0)
    pairs = [paired_metrics(two_models(rng, people, differ, better), LABELS) for _ in range(40)]
    for name in METRICS:
        assert np.mean([pair.difference(name, 1, 0)["p"] < 0.05 for pair in pairs]) >= 0.9


def test_a_difference_is_seen_that_the_intervals_of_both_do_not_show() -> None:
    """What pairing is for: the second model is right wherever the first is, and of some faces more."""
    one = two_models(np.random.default_rng(0), 60, 2.0, 0.0)[0][0]
    mended = np.arange(300) % 8 == 0
    both = paired_metrics([[one], [one.assign(prediction=one["prediction"].mask(mended, one["label"]))]], LABELS)
    low, high = (both.of(model)["interval"]["macro_f1"] for model in (0, 1))
    assert low["high"] > high["low"]
    assert both.difference("macro_f1", 1, 0)["p"] < 0.01


def test_figures_are_scikit_learns() -> None:
    models = two_models(np.random.default_rng(1), 30, 1.0, 0.5)
    tables = [table[table["label"] != "fear"] for (table,) in models]  # a class that no face has, yet is predicted
    assert "fear" in set(tables[0]["prediction"])
    both = paired_metrics([[table] for table in tables], LABELS)
    for model, table in enumerate(tables):
        found, present = both.of(model), sorted(set(table["label"]))
        f1 = f1_score(table["label"], table["prediction"], labels=present, average="macro", zero_division=0)
        assert found["macro_f1"] == pytest.approx(f1)
        assert found["accuracy"] == pytest.approx(accuracy_score(table["label"], table["prediction"]))
        assert (found["faces"], found["groups"]) == (len(table), 30)


def test_models_that_say_the_same_do_not_differ_and_few_groups_say_nothing() -> None:
    (one,), (other,) = two_models(np.random.default_rng(0), 20, 1.0, 0.0)
    both = paired_metrics([[one], [other], [one]], LABELS)
    equal = both.difference("macro_f1", 0, 2)
    assert equal["p"] == 1 and equal["difference"] == 0
    assert equal["high"] == pytest.approx(-equal["low"]) == pytest.approx(2.093**2 / (20 + 2.093**2), rel=1e-3)
    covariance = both.variations["macro_f1"].covariance()
    np.testing.assert_allclose(covariance[0, 2], covariance[0, 0])
    assert covariance[0, 1] < covariance[0, 0]
    for groups, told in ((7, False), (8, True), (11, True), (12, False)):
        few = paired_metrics([[one[one["group"] < groups]]] * 2, LABELS)
        assert ("interval" in few.of(0)) == ("p" in few.difference("accuracy", 0, 1)) == (groups > 7)
        assert ("warning" in few.of(0)) == (told and groups > 7)


def test_the_p_value_of_few_groups_has_no_lower_limit() -> None:
    one = pd.DataFrame({"id": range(96), "dataset": "a", "group": np.arange(96) // 12, "label": "happy"})
    wrong = one.assign(prediction=np.where(np.arange(96) % 12 < 3 + np.arange(96) // 12 % 2, "fear", "happy"))
    p = paired_metrics([[one.assign(prediction="happy")], [wrong]], LABELS).difference("accuracy", 0, 1)["p"]
    assert p < 1e-4  # all eight groups agree; 2,000 resamples gave at least .01


def test_the_p_value_is_students_and_agrees_with_the_interval() -> None:
    for df in (7, 30, 1000):
        for difference in (-0.07, 0.04, 0.041, 0.06):
            found = difference_interval(difference, 0.02**2, df, 20)
            assert found["p"] == pytest.approx(2 * stats.t.sf(abs(difference) / 0.02, df))
            assert (found["p"] < 0.05) == (not found["low"] <= 0 <= found["high"])


def runs_of(rng: np.random.Generator, folds: int, seeds: int, luck: float, groups: int = 40) -> list[pd.DataFrame]:
    """Predictions of one model with an accuracy of about .6, which is shifted in each run by `luck` times a normal."""
    group = np.repeat(np.arange(groups), 50)
    faces = pd.DataFrame({"id": range(len(group)), "dataset": "a", "label": "happy", "group": group})
    tables = []
    for fold in range(folds):
        for _ in range(seeds):
            rows = faces[group % folds == fold]
            right = rng.random(len(rows)) < 0.6 + luck * rng.normal()
            tables.append(rows.assign(prediction=np.where(right, "happy", "fear")))
    return tables


@pytest.mark.parametrize("luck", [0.0, 0.05])
def test_training_luck_is_estimated_without_counting_the_luck_of_single_faces_twice(luck: float) -> None:
    rng = np.random.default_rng(0)
    found = [paired_metrics([runs_of(rng, 5, 3, luck)], LABELS) for _ in range(100)]
    accuracies = [pair.values["accuracy"][0] for pair in found]
    found_in = [pair.variations["accuracy"] for pair in found]
    groups, runs = np.mean([(one.groups**2).sum() for one in found_in]), np.mean([one.runs[0] for one in found_in])
    assert groups + runs == pytest.approx(np.var(accuracies), rel=0.35)
    assert runs == pytest.approx(luck**2 / 15 * (1 - 1 / 8), abs=2e-5)  # eight groups in a fold


def test_one_seed_and_a_fold_for_each_group_have_no_luck_beside_that_of_groups() -> None:
    rng = np.random.default_rng(0)
    alone, one_by_one = runs_of(rng, 5, 1, 0.1), runs_of(rng, 10, 2, 0.1, groups=10)
    assert paired_metrics([alone], LABELS).variations["accuracy"].runs == [0]
    assert paired_metrics([one_by_one], LABELS).variations["accuracy"].runs == pytest.approx([0], abs=1e-12)


def test_luck_widens_the_interval_and_raises_p() -> None:
    rng = np.random.default_rng(1)
    models = [runs_of(rng, 5, 3, 0.08) for _ in range(2)]
    several = paired_metrics(models, LABELS)
    # As if a fold had one run, on three times the faces.
    copies = [[table.assign(id=table["id"] + 9999 * (n % 3)) for n, table in enumerate(runs)] for runs in models]
    pooled = [[pd.concat(runs[at : at + 3]) for at in range(0, 15, 3)] for runs in copies]
    fixed = paired_metrics(pooled, LABELS)
    assert several.values["accuracy"] == pytest.approx(fixed.values["accuracy"])
    widths = [np.diff([*pair.of(0)["interval"]["accuracy"].values()]) for pair in (several, fixed)]
    assert widths[0] > 1.2 * widths[1]
    assert several.difference("accuracy", 0, 1)["p"] > fixed.difference("accuracy", 0, 1)["p"]


def test_holms_correction_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1, 1] and holm([0.2]) == [0.2] and holm([]) == []


def test_rank_shares() -> None:
    values, deviation = np.array([0.6, 0.5, 0.5]), 0.1
    shares = rank_shares(values, deviation**2 * np.diag([1.0, 0.0, 0.0]))
    best = stats.norm.cdf(1)
    np.testing.assert_allclose(shares, [[best, 0, 1 - best], [1 - best, best, 0], [1 - best, best, 0]], atol=0.01)
    together = rank_shares(values, np.full((3, 3), deviation**2))  # all vary alike: the order never changes
    np.testing.assert_allclose(together, [[1, 0, 0], [0, 1, 0], [0, 1, 0]], atol=0.01)


@pytest.fixture
def judged(project: Project, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """The working folder is a project whose benchmark has run: four models, five folds; the index of its faces."""
    monkeypatch.chdir(project.folder)
    project.edit("params.yaml", ("seeds: [0, 1, 2]", "seeds: [0]"))
    rng = np.random.default_rng(0)
    person = np.sort(rng.integers(0, 60, 600))
    fold = np.where(person < 40, person % 5, -1)
    index = pd.DataFrame({
        "id": range(600), "dataset": np.where(person % 3, "drawn-ck48", "drawn-jaffe"),
        "file": [f'a, "{n}".png' for n in range(600)], "label": rng.choice(LABELS, 600, p=SHARES),
        "group": person, "split": np.where(fold < 0, "test", "train"), "fold": fold,
    })  # fmt: skip
    Path("data/split").mkdir(parents=True)
    index.to_csv("data/split/index.csv", index=False)
    Path("data/augmented").mkdir()
    copies = index[index["fold"] == 3].rename(columns={"id": "parent"}).reset_index(names="id")
    copies[["id", "parent", "dataset", "label", "fold"]].to_csv("data/augmented/index.csv", index=False)
    run_all(index)
    for number, model in enumerate(MODELS):
        Path("data/costs").mkdir(exist_ok=True)
        cost = {
            "parameters": 1000 * number,
            "flops": 10**6,
            "training_images_per_second": 9.5,
            "inference_images_per_second": 30.5,
            "device": "a machine",
            "threads": 1,
        }
        Path(f"data/costs/{model}.json").write_text(json.dumps(cost))
    return index


def run_all(index: pd.DataFrame) -> None:
    """The runs of every model on every fold."""
    for model, skill in MODELS.items():
        for fold in range(5):
            run(model, fold, 0, index, skill)


def run(model: str, fold: int, seed: int, index: pd.DataFrame, skill: float) -> None:
    """One run of the benchmark, as train and evaluate leave it."""
    folder = Path(f"data/benchmark/{model}/{fold}-{seed}")
    rng = np.random.default_rng([fold, seed, int(100 * skill)])
    chosen = subsets(index, fold, ranked=True)
    for name, faces in (("out_of_fold", chosen.out_of_fold), ("test", chosen.test)):
        logits = rng.normal(0, 1, (len(faces), len(LABELS)))
        logits[np.arange(len(faces)), pd.Index(LABELS).get_indexer(faces["label"])] += skill
        rows = faces[FACE].reset_index(drop=True).assign(prediction=np.array(LABELS)[logits.argmax(1)])
        shares = pd.DataFrame(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), columns=LABELS).round(6)
        (folder / "predictions").mkdir(parents=True, exist_ok=True)
        rows.join(shares).to_csv(folder / f"predictions/{name}.csv", index=False)
    (folder / "model").mkdir(exist_ok=True)
    seen = {"faces": fold, "of": 9} if model == "cnn8" and fold else None
    config = saved.signed(epoch=3 + fold, drawn_faces=True, validation_folds=2, seen_test=seen)
    (folder / "model/config.json").write_text(json.dumps(config))
    (folder / "training").mkdir(exist_ok=True)
    (folder / "training/metrics.json").write_text(json.dumps({"step": 6 + fold}))


def leaderboard_files() -> tuple[dict, pd.DataFrame]:
    board = json.loads(Path("metrics/benchmark.json").read_text())
    return board, pd.read_csv("metrics/benchmark.csv").set_index("model")


def read(model: str, fold: int, part: str) -> pd.DataFrame:
    return pd.read_csv(f"data/benchmark/{model}/{fold}-0/predictions/{part}.csv")


def macro_f1(rows: pd.DataFrame) -> float:
    return f1_score(rows["label"], rows["prediction"], average="macro")


def test_the_leaderboard(project: Project, judged: pd.DataFrame) -> None:
    said = project.stage("benchmark.compare")
    board, rows = leaderboard_files()
    assert list(board["models"]) == list(rows.index) and list(rows.index)[::3] == ["cnn8", "cnn5"]
    assert rows["rank"].tolist() == [1, 2, 3, 4] and board["drawn_faces"] and "drawn" in said
    seen = {model: row["seen_test"] for model, row in board["models"].items() if "seen_test" in row}
    assert seen == {"cnn8": {"faces": 4, "of": 9}}  # the most of any run
    told_ranks = [line.split()[:2] for line in said.splitlines()[1:5]]
    assert told_ranks == [[str(rank), name] for rank, name in enumerate(rows.index, 1)]

    for model in MODELS:
        folds = [read(model, fold, "out_of_fold") for fold in range(5)]
        figures, row = board["models"][model], rows.loc[model]
        apart = [macro_f1(fold) for fold in folds]
        assert row["macro_f1"] == pytest.approx(macro_f1(pd.concat(folds)), abs=1e-6)
        assert row["macro_f1_mean"] == pytest.approx(np.mean(apart), abs=1e-6)
        assert row["macro_f1_std"] == pytest.approx(np.std(apart, ddof=1), abs=1e-6)
        assert row["macro_f1_low"] < row["macro_f1"] < row["macro_f1_high"]
        together = pd.concat(folds)
        for dataset, part in together.groupby("dataset"):
            assert row[f"{dataset}_macro_f1"] == pytest.approx(macro_f1(part), abs=1e-6)
            assert figures["out_of_fold"]["per_dataset"][dataset]["faces"] == len(part)
        assert rows.filter(regex="^drawn").shape == (4, 2)
        tests = [read(model, fold, "test") for fold in range(5)]
        mean = sum(table[LABELS] for table in tests) / 5
        ensemble = tests[0].assign(prediction=mean.idxmax(axis=1))
        assert row["ensemble_test_macro_f1"] == pytest.approx(macro_f1(ensemble), abs=1e-6)
        assert row["test_macro_f1"] == pytest.approx(np.mean([macro_f1(table) for table in tests]), abs=1e-6)
        assert row["ensemble_test_macro_f1"] > row["test_macro_f1"]
        assert row["epochs"] == 5 and row["flops"] == 10**6 and figures["cost"]["device"] == "a machine"
        sizes = judged["fold"].value_counts()[range(5)]
        sizes[3] *= 2  # with its copies
        learned = [(7 + fold) * sum(sizes[(fold + step) % 5] for step in (3, 4)) for fold in range(5)]
        assert row["training_seconds"] == pytest.approx(np.mean(learned) / 9.5) == figures["training_seconds"]
        assert sum(figures["rank_shares"].values()) == pytest.approx(1, abs=1e-5)
    assert board["models"]["cnn8"]["rank_shares"]["1"] > 0.95

    order = list(rows.index)
    assert list(board["neighbours"]) == [f"{one} - {next_}" for one, next_ in pairwise(order)]
    first, middle, last = board["neighbours"].values()
    assert first["macro_f1"]["p_holm"] < 0.05 < middle["macro_f1"]["p_holm"] and last["macro_f1"]["p_holm"] < 0.05
    assert rows.iloc[0]["p_next"] == first["macro_f1"]["p_holm"] and np.isnan(rows.iloc[3]["p_next"])
    between = rows["macro_f1"].iloc[0] - rows["macro_f1"].iloc[1]
    assert first["macro_f1"]["difference"] == pytest.approx(between, abs=2e-6)
    assert first["macro_f1"]["low"] < between < first["macro_f1"]["high"]

    written = [Path(f"metrics/benchmark.{kind}").read_bytes() for kind in ("json", "csv")]
    compare.main()
    assert written == [Path(f"metrics/benchmark.{kind}").read_bytes() for kind in ("json", "csv")]


def test_the_test_part_does_not_rank(judged: pd.DataFrame) -> None:
    for fold in range(5):
        for model in ("cnn5", "cnn8"):
            path = Path(f"data/benchmark/{model}/{fold}-0/predictions/test.csv")
            label = "label" if model == "cnn5" else None
            rows = pd.read_csv(path)
            sure = np.array(LABELS) == (rows[[label]].to_numpy() if label else "fear")
            rows[LABELS] = np.broadcast_to(sure, (len(rows), len(LABELS))).astype(float)
            rows.assign(prediction=rows[LABELS].idxmax(axis=1)).to_csv(path, index=False)
    compare.main()
    _, rows = leaderboard_files()
    assert rows.loc["cnn5", "ensemble_test_macro_f1"] == 1 and rows.loc["cnn8", "ensemble_test_accuracy"] < 0.3
    assert rows.loc["cnn5", "rank"] == 4 and rows.loc["cnn8", "rank"] == 1


def test_several_seeds(project: Project, judged: pd.DataFrame) -> None:
    project.edit("params.yaml", ("seeds: [0]", "seeds: [0, 7]"))
    for model in MODELS:
        for fold in range(5):
            run(model, fold, 7, judged, 0.5)
    compare.main()
    board, rows = leaderboard_files()
    validation = board["models"]["cnn8"]["out_of_fold"]
    assert validation["runs"] == 10 and validation["faces"] == (judged["fold"] >= 0).sum()
    assert validation["accuracy"] == pytest.approx(np.average([
        (table["label"] == table["prediction"]).mean()
        for fold in range(5) for seed in (0, 7)
        for table in [pd.read_csv(f"data/benchmark/cnn8/{fold}-{seed}/predictions/out_of_fold.csv")]
    ], weights=np.repeat(judged["fold"].value_counts().sort_index()[1:].to_numpy(), 2)), abs=1e-6)  # fmt: skip
    assert rows["macro_f1_std"].min() > 0.05  # the seeds differ


def test_under_cross_validation_every_face_is_tested_by_one_model(judged: pd.DataFrame) -> None:
    index = judged.assign(split="train", fold=judged["group"] % 5)
    index.to_csv("data/split/index.csv", index=False)
    run_all(index)
    compare.main()
    board, rows = leaderboard_files()
    for model in MODELS:
        tables = [read(model, fold, "test") for fold in range(5)]
        whole, test = pd.concat(tables), board["models"][model]["test"]
        assert sorted(whole["id"]) == list(range(600)) and test["ensemble"]["faces"] == 600
        assert test["ensemble"]["accuracy"] == pytest.approx((whole["label"] == whole["prediction"]).mean(), abs=1e-6)
        single = [(table["label"] == table["prediction"]).mean() for table in tables]
        assert test["mean"]["accuracy"] == pytest.approx(np.mean(single), abs=1e-6)
        assert test["std"]["accuracy"] == pytest.approx(np.std(single, ddof=1), abs=1e-6)
    assert rows.loc["cnn8", "rank"] == 1


def test_leaks_are_counted(judged: pd.DataFrame, capsys: pytest.CaptureFixture) -> None:
    compare.main()
    assert leaderboard_files()[0]["leaks"] == {} and "leaks" not in capsys.readouterr().out
    person = judged["group"].mask(judged["group"].isin([41, 42]), 3).mask(judged["group"] == 6, 0)
    index = judged.assign(group=person)
    index.to_csv("data/split/index.csv", index=False)
    run_all(index)
    compare.main()
    tested, moved = judged["fold"] < 0, judged["group"] == 6  # of fold 1, whose run trains on fold 0 but not vice versa
    leaks = leaderboard_files()[0]["leaks"]
    assert leaks["test"] == {"faces": judged["group"].isin([41, 42]).sum(), "of": tested.sum()}
    assert leaks["out_of_fold"] == {"faces": moved.sum(), "of": (~tested).sum()}
    assert f"leaks: {leaks['test']['faces']} of {tested.sum()} test faces" in capsys.readouterr().out


def test_one_fold_and_one_model(project: Project, judged: pd.DataFrame) -> None:
    changes = ("[cnn5, cnn8, convnet, mini_xception]", "[convnet]"), ("folds: [0, 1, 2, 3, 4]", "folds: [3]")
    project.edit("params.yaml", *changes)
    said = project.stage("benchmark.compare")
    board, rows = leaderboard_files()
    assert list(rows.index) == ["convnet"] and board["neighbours"] == {} and "nan" not in said.lower()
    figures = board["models"]["convnet"]
    assert figures["rank_shares"] == {"1": 1} and "std" not in figures["out_of_fold"]
    assert figures["test"]["mean"]["macro_f1"] == figures["test"]["ensemble"]["macro_f1"]
    assert figures["out_of_fold"]["faces"] == (judged["fold"] == 3).sum()


def test_few_people_and_a_class_that_no_face_shows(judged: pd.DataFrame) -> None:
    index = judged[judged["label"] != "fear"].assign(group=lambda faces: faces["group"] % 4)
    index.to_csv("data/split/index.csv", index=False)
    run_all(index)
    compare.main()
    board, rows = leaderboard_files()
    assert "interval" not in board["models"]["cnn8"]["out_of_fold"] and rows["p_next"].isna().all()
    assert "NaN" not in Path("metrics/benchmark.json").read_text()
    table = pd.concat([read("cnn8", fold, "out_of_fold") for fold in range(5)])
    present = [label for label in LABELS if label != "fear"]
    f1 = f1_score(table["label"], table["prediction"], labels=present, average="macro")
    assert rows.loc["cnn8", "macro_f1"] == pytest.approx(f1, abs=1e-6)


@pytest.mark.parametrize("gone", [
    "data/benchmark/cnn8/2-0/predictions/out_of_fold.csv", "data/benchmark/cnn8/2-0/predictions/test.csv",
    "data/benchmark/cnn8/2-0/model/config.json", "data/benchmark/cnn8/2-0/training/metrics.json",
    "data/costs/cnn8.json",
])  # fmt: skip
def test_a_run_that_is_not_there_is_refused(project: Project, judged: pd.DataFrame, gone: str) -> None:
    Path(gone).unlink()
    line = project.refused("benchmark.compare")
    assert line.startswith(f"{gone}: not found") and "python -m stages.benchmark.run" in line and "cnn8" in line


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("data/costs/cnn8.json", '{"flops": 1}', "parameters: missing"),
        ("data/costs/cnn8.json", "[]", "damaged (no JSON object)"),
        ("data/benchmark/cnn8/1-0/model/config.json", "{}", "architecture: missing"),
        ("data/benchmark/cnn8/1-0/training/metrics.json", '{"step": "last"}', "step: 'last' is not allowed"),
        ("data/benchmark/cnn8/1-0/predictions/test.csv", "id,anger\n0,a\n", "anger: damaged"),
    ],
)
def test_a_file_that_was_edited_by_hand_is_named_with_its_key(
    judged: pd.DataFrame, file: str, content: str, message: str
) -> None:
    Path(file).write_text(content)
    with pytest.raises(InputError, match=re.escape(f"{file}: {message}")):
        compare.main()


def test_a_run_of_other_faces_people_or_labels_is_refused(project: Project, judged: pd.DataFrame) -> None:
    stale = [
        ("0-0/predictions/out_of_fold.csv: .* out_of_fold faces ", judged.assign(fold=judged["fold"].replace(0, 1))),
        ("0-0/predictions/test.csv: .* test faces ", judged[judged["id"] < 599]),
        ("0-0/predictions/out_of_fold.csv: .* out_of_fold faces ", judged.assign(group=judged["group"] // 2)),
    ]
    for line, index in stale:
        index.to_csv("data/split/index.csv", index=False)
        with pytest.raises(InputError, match=line):
            compare.main()
    judged.to_csv("data/split/index.csv", index=False)
    project.edit("params.yaml", ("neutral]", "neutral, contempt]"))
    with pytest.raises(InputError, match="labels"):
        compare.main()
    assert not Path("metrics").exists()
