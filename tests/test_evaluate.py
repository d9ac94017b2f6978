"""The metrics against scikit-learn and the formulas of the papers, and the evaluate stage."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn import metrics as sklearn_metrics
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from helpers import saved
from helpers.evaluated import LABELS, write_tree
from helpers.project import ROOT
from stages.base.errors import InputError
from stages.evaluation.calibration import calibration_error, calibration_floor, fit_temperature, reliability_bins
from stages.evaluation.metrics import classification_metrics
from stages.evaluation.summary import coarse_metrics, detailed_metrics, overall_metrics, per_class_metrics
from stages.evaluation.tables import plot_tables, prediction_table
from stages.faces.table import write_index
from stages.models.config import digest


def simulated(count: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return true classes and logits in which the true class is one higher on average."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, count)
    logits = rng.normal(0, 1, (count, classes))
    logits[np.arange(count), truth] += 1
    return truth, logits


@pytest.fixture
def test_faces() -> pd.DataFrame:
    """Sixty faces of two data sets; the first has no neutral face, and ids are not positions."""
    rng = np.random.default_rng(0)
    labels = [*rng.choice(LABELS[:3], 40), *rng.choice(LABELS, 20)]
    rows = pd.DataFrame({"id": np.arange(60) * 2, "dataset": ["ck48"] * 40 + ["sfew"] * 20, "label": labels})
    groups = [str(n // 4) for n in range(60)]
    return rows.assign(file=rows.id.astype(str) + ".png", group=groups, split="test", fold=-1)[::-1]


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (60, 4))


def test_classification_metrics_equal_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth, prediction = rng.integers(0, 5, 300), rng.integers(0, 5, 300)
    assert classification_metrics(truth, prediction) == {
        "accuracy": sklearn_metrics.accuracy_score(truth, prediction),
        "balanced_accuracy": pytest.approx(sklearn_metrics.balanced_accuracy_score(truth, prediction)),
        "macro_f1": sklearn_metrics.f1_score(truth, prediction, average="macro"),
    }


def test_an_absent_class_counts_only_by_its_false_positives() -> None:
    truth = np.array([0, 0, 1, 1])
    assert classification_metrics(truth, truth) == {"accuracy": 1, "balanced_accuracy": 1, "macro_f1": 1}
    wrong = classification_metrics(truth, np.array([0, 2, 1, 1]))
    assert wrong == {"accuracy": 0.75, "balanced_accuracy": 0.75, "macro_f1": pytest.approx((2 / 3 + 1) / 2)}


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("seed", range(3))
def test_overall_metrics_equal_scikit_learns(classes: int, seed: int) -> None:
    truth, logits = simulated(400, classes, seed)
    shares, prediction = softmax(logits, 1), logits.argmax(1)
    multiclass = {"multi_class": "ovr", "average": "macro"} if classes > 2 else {}
    found = overall_metrics(truth, logits, 2.0)
    assert found.pop("calibrated") == pytest.approx(
        {
            "log_loss": sklearn_metrics.log_loss(truth, softmax(logits / 2, 1)),
            "ece": calibration_error(truth, softmax(logits / 2, 1)),
            "ece_floor": calibration_floor(softmax(logits / 2, 1)),
        }
    )
    assert found == pytest.approx(
        {
            "accuracy": sklearn_metrics.accuracy_score(truth, prediction),
            "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(truth, prediction),
            "macro_f1": sklearn_metrics.f1_score(truth, prediction, average="macro"),
            "weighted_f1": sklearn_metrics.f1_score(truth, prediction, average="weighted"),
            "auroc": sklearn_metrics.roc_auc_score(truth, shares if classes > 2 else shares[:, 1], **multiclass),
            "top2": sklearn_metrics.top_k_accuracy_score(truth, logits, k=2) if classes > 2 else 1,
            "kappa": sklearn_metrics.cohen_kappa_score(truth, prediction),
            "log_loss": sklearn_metrics.log_loss(truth, shares),
            "ece": calibration_error(truth, shares),
            "ece_floor": calibration_floor(shares),
        }
    )


def test_overall_metrics_if_a_class_is_absent() -> None:
    truth, logits = simulated(300, 4)
    truth[truth == 3] = 0
    shares, prediction = softmax(logits, 1), logits.argmax(1)
    found = overall_metrics(truth, logits, 1.0)
    areas = [sklearn_metrics.roc_auc_score(truth == label, shares[:, label]) for label in range(3)]
    assert found["auroc"] == pytest.approx(np.mean(areas))
    assert found["macro_f1"] == pytest.approx(
        sklearn_metrics.f1_score(truth, prediction, average="macro", labels=range(3))
    )
    assert found["log_loss"] == pytest.approx(sklearn_metrics.log_loss(truth, shares, labels=range(4)))
    assert found["top2"] == pytest.approx(sklearn_metrics.top_k_accuracy_score(truth, logits, k=2, labels=range(4)))


def test_overall_metrics_of_a_single_class_have_no_auroc_and_no_kappa() -> None:
    truth, logits = np.zeros(9, int), simulated(9, 3)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = overall_metrics(truth, logits, 1.0)
    assert not {"auroc", "kappa"} & set(found)
    right = (logits.argmax(1) == 0).mean()
    assert found["accuracy"] == found["balanced_accuracy"] == pytest.approx(right)


def test_ties_are_resolved_as_in_scikit_learn() -> None:
    truth, logits = simulated(200, 3)
    logits = logits.round()  # many equal ones
    found, shares = overall_metrics(truth, logits, 1.0), softmax(logits, 1)
    assert found["accuracy"] == sklearn_metrics.accuracy_score(truth, logits.argmax(1))
    assert found["auroc"] == pytest.approx(sklearn_metrics.roc_auc_score(truth, shares, multi_class="ovr"))
    assert found["top2"] == pytest.approx(sklearn_metrics.top_k_accuracy_score(truth, shares, k=2))


def test_per_class_metrics() -> None:
    truth, prediction = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    found, area = per_class_metrics(truth, np.eye(3)[prediction], ["happy", "fear", "anger"]), 7 / 12
    assert found["happy"] == pytest.approx({"precision": 0.5, "recall": 0.5, "f1": 0.5, "faces": 2, "auroc": area})
    share = 2 / 3
    assert found["fear"] == pytest.approx({"precision": share, "recall": share, "f1": share, "faces": 3, "auroc": area})
    assert found["anger"] == {"precision": 0, "recall": 0, "f1": 0, "faces": 0}


# Calibration


def test_calibration_error_equals_the_formula_of_the_paper() -> None:
    truth, logits = simulated(1000, 5)
    shares = softmax(3 * logits, 1)
    confidence, right = shares.max(1), shares.argmax(1) == truth
    expected = 0.0
    for m in range(15):  # equation 3 of Guo et al., with bins (m / 15, (m + 1) / 15]
        at = (confidence > m / 15) & (confidence <= (m + 1) / 15)
        expected += abs(right[at].sum() - confidence[at].sum()) / 1000
    assert calibration_error(truth, shares) == pytest.approx(expected)
    assert reliability_bins(truth, shares).faces.sum() == 1000


def test_calibration_error_of_certain_predictions() -> None:
    assert calibration_error(np.array([0, 1]), np.eye(2)) == 0
    assert calibration_error(np.array([1, 1]), np.eye(2)) == 0.5


@pytest.mark.parametrize("faces", [60, 2000])
def test_the_floor_is_the_mean_error_of_calibrated_models(faces: int) -> None:
    """The labels of `simulated` follow the probabilities, so the model is perfectly calibrated."""
    cases = [simulated(faces, 4, seed) for seed in range(60)]
    errors = [calibration_error(truth, softmax(logits, 1)) for truth, logits in cases]
    floors = [calibration_floor(softmax(logits, 1)) for _, logits in cases]
    assert np.mean(floors) == pytest.approx(np.mean(errors), rel=0.08)
    assert calibration_floor(softmax(cases[0][1], 1)) == floors[0]
    over_confident = [calibration_error(truth, softmax(3 * logits, 1)) for truth, logits in cases]
    assert np.mean(over_confident) > 1.5 * np.mean(floors)


def test_calibration_is_told_per_data_set_where_one_temperature_hides_opposite_errors(test_faces: pd.DataFrame) -> None:
    many = pd.concat([test_faces.assign(group=f"{n}") for n in range(20)], ignore_index=True)
    truth = np.array([LABELS.index(label) for label in many.label])
    right = np.random.default_rng(0).random(len(many)) < np.where(many.dataset == "ck48", 0.8, 0.2)
    logits = 1.5 * np.eye(4)[np.where(right, truth, (truth + 1) % 4)]  # the same confidence, .60, for every face
    found = detailed_metrics(prediction_table(many, logits, LABELS), logits, 2.0, LABELS)
    assert found["ece"] < 0.04
    for part, error in (("ck48", 0.2), ("sfew", 0.4)):
        row = found["per_dataset"][part]
        assert row["ece"] == pytest.approx(error, abs=0.05) and 0 < row["ece_floor"] < 0.03
        assert row["calibrated"]["ece"] != row["ece"] and row["calibrated"]["ece_floor"] > 0


class Logits(ClassifierMixin, BaseEstimator):
    """A fitted classifier that returns its inputs as logits."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Logits":
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, x: np.ndarray) -> np.ndarray:
        return x

    def predict(self, x: np.ndarray) -> np.ndarray:
        return x.argmax(1)


def test_temperature_reverts_a_scale_and_agrees_with_scikit_learn() -> None:
    truth, logits = simulated(4000, 4)
    assert fit_temperature(2.5 * logits, truth) == pytest.approx(2.5 * fit_temperature(logits, truth), rel=1e-3)
    assert fit_temperature(logits, truth) == pytest.approx(1, abs=0.05)  # the logits are calibrated by construction
    fitted = CalibratedClassifierCV(FrozenEstimator(Logits().fit(logits, truth)), method="temperature", cv=2)
    fitted.fit(3 * logits, truth)
    theirs = np.mean([one.calibrators[0].beta_ for one in fitted.calibrated_classifiers_])
    assert fit_temperature(3 * logits, truth) == pytest.approx(1 / theirs, rel=0.02)


# The coarse task


def test_the_coarse_task_sums_probabilities_and_excludes_surprise() -> None:
    labels = ["anger", "fear", "happy", "surprise", "neutral"]
    shares = np.array(
        [
            [0.3, 0.3, 0.35, 0.0, 0.05],  # negative by their sum, although happy is the largest single one
            [0.0, 0.0, 0.2, 0.7, 0.1],  # happy, once surprise is left out
            [0.0, 0.0, 0.1, 0.8, 0.1],
            [0.1, 0.1, 0.1, 0.1, 0.6],
        ]
    )
    found = coarse_metrics(np.array(["fear", "happy", "surprise", "anger"]), shares, labels)
    assert found["faces"] == 3 and found["accuracy"] == pytest.approx(2 / 3)
    assert coarse_metrics(np.array(["surprise"]), shares[:1], labels) == {}


# Tables


def test_prediction_table_and_confusion(test_faces: pd.DataFrame, logits: np.ndarray) -> None:
    rows = prediction_table(test_faces, logits, LABELS)
    assert list(rows) == ["id", "dataset", "file", "label", "group", "prediction", *LABELS]
    assert rows.id.tolist() == test_faces.id.tolist() and rows.label.tolist() == test_faces.label.tolist()
    assert (rows[LABELS].idxmax(axis=1) == rows.prediction).all()
    np.testing.assert_allclose(rows[LABELS].sum(axis=1), 1)
    table = plot_tables(rows, logits, 1.5, LABELS)["confusion"]
    assert len(table) == 16 and table.faces.sum() == 60
    for label, prediction, faces, recall, precision in table.itertuples(index=False):
        assert faces == ((rows.label == label) & (rows.prediction == prediction)).sum()
        assert recall == pytest.approx(faces / (rows.label == label).sum())
        assert precision == pytest.approx(faces / (rows.prediction == prediction).sum())


def test_areas_under_the_curves_equal_scikit_learns(test_faces: pd.DataFrame, logits: np.ndarray) -> None:
    rows = prediction_table(test_faces, logits, LABELS)
    found = plot_tables(rows, logits, 1.0, LABELS)
    for label in LABELS:
        curve = found["roc"][found["roc"].label == label]
        area = sklearn_metrics.roc_auc_score(rows.label == label, rows[label])
        assert sklearn_metrics.auc(curve.fpr, curve.tpr) == pytest.approx(area)
        curve = found["precision_recall"][found["precision_recall"].label == label]
        assert curve.recall.is_monotonic_increasing and curve.precision.iloc[-1] == (rows.label == label).mean()
    assert found["probabilities"].faces.sum() == 60
    assert found["reliability"].groupby("probabilities").faces.sum().to_dict() == {"raw": 60, "calibrated": 60}


def test_tables_of_a_single_class(test_faces: pd.DataFrame, logits: np.ndarray) -> None:
    rows = prediction_table(test_faces.assign(label="fear"), logits, LABELS)
    found = plot_tables(rows, logits, 1.0, LABELS)
    assert found["roc"].empty and list(found["roc"]) == ["label", "fpr", "tpr"]
    assert found["confusion"].faces.sum() == 60
    assert detailed_metrics(rows, logits, 1.0, LABELS)["per_class"]["anger"]["faces"] == 0


def test_an_unknown_label_is_named(test_faces: pd.DataFrame, logits: np.ndarray) -> None:
    with pytest.raises(InputError, match="'neutral'"):
        prediction_table(test_faces, logits[:, :3], LABELS[:3])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_logits_that_are_not_finite_are_refused(test_faces: pd.DataFrame, logits: np.ndarray, value: float) -> None:
    logits[7, 2] = value
    with pytest.raises(InputError, match="NaN or infinity"):
        prediction_table(test_faces, logits, LABELS)


def test_metrics_of_a_data_set_count_only_its_classes(test_faces: pd.DataFrame) -> None:
    right = 99 * np.eye(4)[[LABELS.index(label) for label in test_faces.label]]
    found = detailed_metrics(prediction_table(test_faces, right, LABELS), right, 1.0, LABELS)["per_dataset"]
    perfect = {"accuracy": 1, "balanced_accuracy": 1, "macro_f1": 1, "auroc": 1}
    certain = {"ece": 0, "ece_floor": 0}
    perfect_interval = {"low": pytest.approx(10 / (10 + 2.262157**2), abs=1e-6), "high": 1}  # Student's, 9 degrees
    few = {"interval": dict.fromkeys(perfect, perfect_interval), "warning": found["ck48"]["warning"]}
    assert found == {
        "ck48": {"faces": 40, "groups": 10, **perfect, **certain, "calibrated": certain, **few},
        "sfew": {"faces": 20, "groups": 5, **perfect, **certain, "calibrated": certain},
    }
    assert "only 10 groups" in found["ck48"]["warning"]


# The stage


def evaluate(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "stages.evaluate", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


def test_leaks_are_counted_and_told(tmp_path, test_faces: pd.DataFrame) -> None:
    write_tree(tmp_path, test_faces, drawn=False)
    index = pd.read_csv(tmp_path / "data/split/index.csv", dtype={"group": str})
    assert "leaks" not in evaluate(tmp_path).stdout
    assert "leaks" not in json.loads((tmp_path / "metrics/metrics.json").read_text())
    index.loc[index["group"].isin(["3", "5"]) & (index["id"] % 4 == 1), "fold"] = 1  # trained on; their groups have
    write_index(index, tmp_path / "data/split/index.csv")  # four test faces each
    done = evaluate(tmp_path)
    told = "leaks: 8 of 60 test faces have a training face of the same subject, sequence or near-duplicate"
    assert told in done.stdout, done.stderr
    assert json.loads((tmp_path / "metrics/metrics.json").read_text())["leaks"] == {"faces": 8, "of": 60}


def test_written_metrics_equal_scikit_learns(tmp_path, test_faces: pd.DataFrame) -> None:
    write_tree(tmp_path, test_faces, drawn=True)
    done = evaluate(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "say nothing about people" in done.stdout and "test: 60 faces" in done.stdout
    found = json.loads((tmp_path / "metrics/metrics.json").read_text())
    rows = pd.read_csv(tmp_path / "data/predictions/test.csv")
    assert rows.id.tolist() == test_faces.id.tolist()
    assert pd.read_csv(tmp_path / "data/predictions/validation.csv").id.tolist() == (test_faces.id + 1).tolist()
    test = found["test"]
    rounding = {"abs": 1e-6}
    assert test["faces"] == found["validation"]["faces"] == 60 and test["groups"] == 15
    assert found["drawn_faces"] is True and found["parameters"] == 7
    assert test["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(rows.label, rows.prediction), **rounding)
    assert test["interval"]["accuracy"]["low"] < test["accuracy"] < test["interval"]["accuracy"]["high"]
    shares = rows[LABELS].div(rows[LABELS].sum(axis=1), axis=0)  # rounding in the file
    assert test["log_loss"] == pytest.approx(sklearn_metrics.log_loss(rows.label, shares), abs=1e-4)
    report = sklearn_metrics.classification_report(rows.label, rows.prediction, output_dict=True, zero_division=0)
    for label in LABELS:
        assert test["per_class"][label]["f1"] == pytest.approx(report[label]["f1-score"], **rounding)
        assert test["per_class"][label]["faces"] == report[label]["support"]
    assert pd.read_csv(tmp_path / "plots/evaluation/confusion.csv").faces.sum() == 60


def test_labels_of_test_faces_change_test_metrics_only(tmp_path, test_faces: pd.DataFrame) -> None:
    write_tree(tmp_path, test_faces, drawn=False)
    evaluate(tmp_path)
    first = json.loads((tmp_path / "metrics/metrics.json").read_text())
    index = pd.read_csv(tmp_path / "data/split/index.csv")
    index.loc[index.split == "test", "label"] = "fear"
    write_index(index, tmp_path / "data/split/index.csv")
    evaluate(tmp_path)
    second = json.loads((tmp_path / "metrics/metrics.json").read_text())
    assert first["temperature"] == second["temperature"] == saved.config()["temperature"]
    assert first["validation"] == second["validation"]
    assert first["test"]["accuracy"] != second["test"]["accuracy"]


def test_it_computes_in_float32_whatever_the_training_did(tmp_path, test_faces: pd.DataFrame) -> None:
    write_tree(tmp_path, test_faces, drawn=False)
    path, predictions = tmp_path / "data/model/config.json", set()
    for precision in ("float32", "bfloat16"):
        config = json.loads(path.read_text())
        config |= {"precision": precision, "recipe": saved.recipe(precision="auto")}
        config["sha256"]["config"] = digest(config)
        path.write_text(json.dumps(config))
        assert evaluate(tmp_path).returncode == 0
        predictions.add((tmp_path / "data/predictions/test.csv").read_text())
    assert len(predictions) == 1


def test_the_faces_that_rank_a_run_of_the_benchmark_choose_nothing(tmp_path, test_faces: pd.DataFrame) -> None:
    write_tree(tmp_path, test_faces, drawn=False)
    config = json.loads((tmp_path / "data/model/config.json").read_text())
    config["ranked"] = True
    config["sha256"]["config"] = digest(config)
    (tmp_path / "data/model/config.json").write_text(json.dumps(config))
    index = pd.read_csv(tmp_path / "data/split/index.csv")
    pool = index.index[index.split == "train"]
    index.loc[pool[::2], "fold"] = 0  # the fold after the last one, 2, which ranks
    write_index(index, tmp_path / "data/split/index.csv")
    assert evaluate(tmp_path).returncode == 0
    first = json.loads((tmp_path / "metrics/metrics.json").read_text())
    for name, fold in (("out_of_fold", 2), ("validation", 0)):
        predicted = pd.read_csv(tmp_path / f"data/predictions/{name}.csv")
        assert predicted.id.tolist() == index.loc[index.fold == fold, "id"].tolist()
        assert first[name]["faces"] == 30
        right = sklearn_metrics.accuracy_score(predicted.label, predicted.prediction)
        assert first[name]["accuracy"] == pytest.approx(right, abs=1e-6)
        for dataset, part in predicted.groupby("dataset"):
            told = first[name]["per_dataset"][dataset]
            right = sklearn_metrics.accuracy_score(part.label, part.prediction)
            assert told["faces"] == len(part) and told["accuracy"] == pytest.approx(right, abs=1e-6)
    index.loc[index.fold == 2, "label"] = "fear"
    write_index(index, tmp_path / "data/split/index.csv")
    evaluate(tmp_path)
    second = json.loads((tmp_path / "metrics/metrics.json").read_text())
    assert second.pop("out_of_fold") != first.pop("out_of_fold") and second == first


def test_evaluating_a_run_in_another_folder_writes_only_there(tmp_path, test_faces: pd.DataFrame) -> None:
    write_tree(tmp_path, test_faces, drawn=False)
    (tmp_path / "run").mkdir()
    (tmp_path / "data/model").rename(tmp_path / "run/model")
    done = evaluate(tmp_path, "--of", "run")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"model", "predictions", "metrics.json", "tables"}
    assert not (tmp_path / "metrics").exists() and not (tmp_path / "data/predictions").exists()


@pytest.mark.parametrize("fold, empty", [(1, "test"), (2, "validation")])
def test_an_empty_subset_is_reported_in_one_line_and_nothing_is_written(tmp_path, test_faces, fold: int, empty: str):
    write_tree(tmp_path, test_faces, drawn=False)
    write_index(test_faces.assign(split="train", fold=fold), tmp_path / "data/split/index.csv")
    done = evaluate(tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1) and f"there is no {empty} face" in done.stderr
    assert not (tmp_path / "metrics").exists() and not (tmp_path / "data/predictions").exists()
