"""The figures of a model put to the test, against scikit-learn's and the papers' formulas, and the stage itself."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax
from sklearn import metrics as sklearn_metrics
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from helpers.evaluated import LABELS, write_tree
from helpers.project import ROOT
from stages.base.errors import InputError
from stages.evaluation.calibration import calibration_error, reliability, temperature
from stages.evaluation.metrics import measure, scores
from stages.evaluation.summary import coarse, figures, overall, per_class
from stages.evaluation.tables import predictions, tables
from stages.faces.table import write_index


def drawn(count: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True classes and logits that know something of them."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, count)
    logits = rng.normal(0, 1, (count, classes))
    logits[np.arange(count), truth] += 1
    return truth, logits


@pytest.fixture
def test_part() -> pd.DataFrame:
    """Sixty faces of two data sets, the first of which has no neutral ones; ids are not positions."""
    rng = np.random.default_rng(0)
    labels = [*rng.choice(LABELS[:3], 40), *rng.choice(LABELS, 20)]
    rows = pd.DataFrame({"id": np.arange(60) * 2, "dataset": ["ck48"] * 40 + ["sfew"] * 20, "label": labels})
    groups = [str(n // 4) for n in range(60)]
    return rows.assign(file=rows.id.astype(str) + ".png", group=groups, split="test", fold=-1)[::-1]


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (60, 4))


def test_scores_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth, prediction = rng.integers(0, 5, 300), rng.integers(0, 5, 300)
    assert scores(truth, prediction) == {
        "accuracy": sklearn_metrics.accuracy_score(truth, prediction),
        "balanced_accuracy": pytest.approx(sklearn_metrics.balanced_accuracy_score(truth, prediction)),
        "macro_f1": sklearn_metrics.f1_score(truth, prediction, average="macro"),
    }


def test_a_class_that_does_not_occur_costs_only_its_false_alarms() -> None:
    truth = np.array([0, 0, 1, 1])
    assert scores(truth, truth) == {"accuracy": 1, "balanced_accuracy": 1, "macro_f1": 1}
    wrong = scores(truth, np.array([0, 2, 1, 1]))
    assert wrong == {"accuracy": 0.75, "balanced_accuracy": 0.75, "macro_f1": pytest.approx((2 / 3 + 1) / 2)}


def test_loss_is_of_the_true_class() -> None:
    figures = measure(torch.tensor([[0.0, 0.0], [0.0, 100.0]]), torch.tensor([0, 1]))
    assert figures["loss"] == pytest.approx(np.log(2) / 2) and figures["accuracy"] == 1


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("seed", range(3))
def test_overall_figures_are_scikit_learns(classes: int, seed: int) -> None:
    truth, logits = drawn(400, classes, seed)
    shares, prediction = softmax(logits, 1), logits.argmax(1)
    multiclass = {"multi_class": "ovr", "average": "macro"} if classes > 2 else {}
    found = overall(truth, logits, 2.0)
    assert found.pop("calibrated") == pytest.approx(
        {
            "log_loss": sklearn_metrics.log_loss(truth, softmax(logits / 2, 1)),
            "ece": calibration_error(truth, softmax(logits / 2, 1)),
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
        }
    )


def test_overall_figures_where_a_class_is_absent() -> None:
    truth, logits = drawn(300, 4)
    truth[truth == 3] = 0
    shares, prediction = softmax(logits, 1), logits.argmax(1)
    found = overall(truth, logits, 1.0)
    areas = [sklearn_metrics.roc_auc_score(truth == label, shares[:, label]) for label in range(3)]
    assert found["auroc"] == pytest.approx(np.mean(areas))
    assert found["macro_f1"] == pytest.approx(
        sklearn_metrics.f1_score(truth, prediction, average="macro", labels=range(3))
    )
    assert found["log_loss"] == pytest.approx(sklearn_metrics.log_loss(truth, shares, labels=range(4)))
    assert found["top2"] == pytest.approx(sklearn_metrics.top_k_accuracy_score(truth, logits, k=2, labels=range(4)))


def test_overall_figures_of_one_class_only_leave_out_what_needs_two() -> None:
    truth, logits = np.zeros(9, int), drawn(9, 3)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = overall(truth, logits, 1.0)
    assert not {"auroc", "kappa"} & set(found)
    right = (logits.argmax(1) == 0).mean()
    assert found["accuracy"] == found["balanced_accuracy"] == pytest.approx(right)


def test_ties_are_resolved_as_scikit_learn_does() -> None:
    truth, logits = drawn(200, 3)
    logits = logits.round()  # many equal ones
    found, shares = overall(truth, logits, 1.0), softmax(logits, 1)
    assert found["accuracy"] == sklearn_metrics.accuracy_score(truth, logits.argmax(1))
    assert found["auroc"] == pytest.approx(sklearn_metrics.roc_auc_score(truth, shares, multi_class="ovr"))
    assert found["top2"] == pytest.approx(sklearn_metrics.top_k_accuracy_score(truth, shares, k=2))


def test_per_class_figures() -> None:
    truth, prediction = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    found, area = per_class(truth, np.eye(3)[prediction], ["happy", "fear", "anger"]), 7 / 12
    assert found["happy"] == pytest.approx({"precision": 0.5, "recall": 0.5, "f1": 0.5, "faces": 2, "auroc": area})
    share = 2 / 3
    assert found["fear"] == pytest.approx({"precision": share, "recall": share, "f1": share, "faces": 3, "auroc": area})
    assert found["anger"] == {"precision": 0, "recall": 0, "f1": 0, "faces": 0}


# Calibration


def test_calibration_error_is_the_papers() -> None:
    truth, logits = drawn(1000, 5)
    shares = softmax(3 * logits, 1)
    confidence, right = shares.max(1), shares.argmax(1) == truth
    expected = 0.0
    for m in range(15):  # equation 3 of Guo et al., with bins (m / 15, (m + 1) / 15]
        at = (confidence > m / 15) & (confidence <= (m + 1) / 15)
        expected += abs(right[at].sum() - confidence[at].sum()) / 1000
    assert calibration_error(truth, shares) == pytest.approx(expected)
    assert reliability(truth, shares).faces.sum() == 1000


def test_a_sure_and_right_model_is_calibrated() -> None:
    assert calibration_error(np.array([0, 1]), np.eye(2)) == 0
    assert calibration_error(np.array([1, 1]), np.eye(2)) == 0.5


class Logits(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose decisions are its inputs, the logits."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Logits":
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, x: np.ndarray) -> np.ndarray:
        return x

    def predict(self, x: np.ndarray) -> np.ndarray:
        return x.argmax(1)


def test_temperature_undoes_a_scale_and_gives_scikit_learns_probabilities() -> None:
    truth, logits = drawn(4000, 4)
    assert temperature(2.5 * logits, truth) == pytest.approx(2.5 * temperature(logits, truth), rel=1e-3)
    assert temperature(logits, truth) == pytest.approx(1, abs=0.05)  # they are drawn as such
    fitted = CalibratedClassifierCV(FrozenEstimator(Logits().fit(logits, truth)), method="temperature", cv=2)
    fitted.fit(3 * logits, truth)
    theirs = np.mean([one.calibrators[0].beta_ for one in fitted.calibrated_classifiers_])
    assert temperature(3 * logits, truth) == pytest.approx(1 / theirs, rel=0.02)


# The coarse task


def test_the_coarse_task_sums_probabilities_and_leaves_surprise_out() -> None:
    labels = ["anger", "fear", "happy", "surprise", "neutral"]
    shares = np.array(
        [
            [0.3, 0.3, 0.35, 0.0, 0.05],  # negative together, though happy is the largest
            [0.0, 0.0, 0.2, 0.7, 0.1],  # happy of what is left
            [0.0, 0.0, 0.1, 0.8, 0.1],
            [0.1, 0.1, 0.1, 0.1, 0.6],
        ]
    )
    found = coarse(np.array(["fear", "happy", "surprise", "anger"]), shares, labels)
    assert found["faces"] == 3 and found["accuracy"] == pytest.approx(2 / 3)
    assert coarse(np.array(["surprise"]), shares[:1], labels) == {}


# Tables


def test_predictions_and_confusion(test_part: pd.DataFrame, logits: np.ndarray) -> None:
    rows = predictions(test_part, logits, LABELS)
    assert list(rows) == ["id", "dataset", "file", "label", "group", "prediction", *LABELS]
    assert rows.id.tolist() == test_part.id.tolist() and rows.label.tolist() == test_part.label.tolist()
    assert (rows[LABELS].idxmax(axis=1) == rows.prediction).all()
    np.testing.assert_allclose(rows[LABELS].sum(axis=1), 1)
    table = tables(rows, logits, 1.5, LABELS)["confusion"]
    assert len(table) == 16 and table.faces.sum() == 60
    for label, prediction, faces, recall, precision in table.itertuples(index=False):
        assert faces == ((rows.label == label) & (rows.prediction == prediction)).sum()
        assert recall == pytest.approx(faces / (rows.label == label).sum())
        assert precision == pytest.approx(faces / (rows.prediction == prediction).sum())


def test_curves_have_scikit_learns_areas(test_part: pd.DataFrame, logits: np.ndarray) -> None:
    rows = predictions(test_part, logits, LABELS)
    found = tables(rows, logits, 1.0, LABELS)
    for label in LABELS:
        curve = found["roc"][found["roc"].label == label]
        area = sklearn_metrics.roc_auc_score(rows.label == label, rows[label])
        assert sklearn_metrics.auc(curve.fpr, curve.tpr) == pytest.approx(area)
        curve = found["precision_recall"][found["precision_recall"].label == label]
        assert curve.recall.is_monotonic_increasing and curve.precision.iloc[-1] == (rows.label == label).mean()
    assert found["probabilities"].faces.sum() == 60
    assert found["reliability"].groupby("probabilities").faces.sum().to_dict() == {"raw": 60, "calibrated": 60}


def test_tables_of_one_class_only(test_part: pd.DataFrame, logits: np.ndarray) -> None:
    rows = predictions(test_part.assign(label="fear"), logits, LABELS)
    found = tables(rows, logits, 1.0, LABELS)
    assert found["roc"].empty and list(found["roc"]) == ["label", "fpr", "tpr"]
    assert found["confusion"].faces.sum() == 60
    assert figures(rows, logits, 1.0, LABELS)["per_class"]["anger"]["faces"] == 0


def test_a_label_the_model_does_not_know_is_named(test_part: pd.DataFrame, logits: np.ndarray) -> None:
    with pytest.raises(InputError, match="'neutral'"):
        predictions(test_part, logits[:, :3], LABELS[:3])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_logits_that_are_no_numbers_are_refused(test_part: pd.DataFrame, logits: np.ndarray, value: float) -> None:
    logits[7, 2] = value
    with pytest.raises(InputError, match="NaN or infinity"):
        predictions(test_part, logits, LABELS)


def test_figures_per_data_set_count_its_own_classes(test_part: pd.DataFrame) -> None:
    right = 99 * np.eye(4)[[LABELS.index(label) for label in test_part.label]]
    told = figures(predictions(test_part, right, LABELS), right, 1.0, LABELS)["per_dataset"]
    sure = {"low": 1, "high": 1}
    perfect = {"accuracy": 1, "balanced_accuracy": 1, "macro_f1": 1, "auroc": 1}
    intervals = dict.fromkeys(perfect, sure)
    assert told == {
        "ck48": {"faces": 40, "groups": 10, **perfect, "interval": intervals},
        "sfew": {"faces": 20, "groups": 5, **perfect, "interval": intervals},
    }


# The stage


def evaluate(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "stages.evaluate", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


def test_what_is_written_agrees_with_scikit_learn(tmp_path, test_part: pd.DataFrame) -> None:
    write_tree(tmp_path, test_part, drawn=True)
    done = evaluate(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "say nothing about people" in done.stdout and "test: 60 faces" in done.stdout
    told = json.loads((tmp_path / "metrics/metrics.json").read_text())
    rows = pd.read_csv(tmp_path / "data/predictions/test.csv")
    assert rows.id.tolist() == test_part.id.tolist()
    assert pd.read_csv(tmp_path / "data/predictions/validation.csv").id.tolist() == (test_part.id + 1).tolist()
    test = told["test"]
    near = {"abs": 1e-6}
    assert test["faces"] == told["validation"]["faces"] == 60 and test["groups"] == 15
    assert told["drawn_faces"] is True and told["parameters"] == 7
    assert test["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(rows.label, rows.prediction), **near)
    assert test["interval"]["accuracy"]["low"] < test["accuracy"] < test["interval"]["accuracy"]["high"]
    shares = rows[LABELS].div(rows[LABELS].sum(axis=1), axis=0)  # they are rounded
    assert test["log_loss"] == pytest.approx(sklearn_metrics.log_loss(rows.label, shares), abs=1e-4)
    report = sklearn_metrics.classification_report(rows.label, rows.prediction, output_dict=True, zero_division=0)
    for label in LABELS:
        assert test["per_class"][label]["f1"] == pytest.approx(report[label]["f1-score"], **near)
        assert test["per_class"][label]["faces"] == report[label]["support"]
    assert pd.read_csv(tmp_path / "plots/evaluation/confusion.csv").faces.sum() == 60


def test_the_temperature_is_fitted_on_validation_alone(tmp_path, test_part: pd.DataFrame) -> None:
    write_tree(tmp_path, test_part, drawn=False)
    evaluate(tmp_path)
    first = json.loads((tmp_path / "metrics/metrics.json").read_text())
    index = pd.read_csv(tmp_path / "data/split/index.csv")
    index.loc[index.split == "test", "label"] = "fear"
    write_index(index, tmp_path / "data/split/index.csv")
    evaluate(tmp_path)
    second = json.loads((tmp_path / "metrics/metrics.json").read_text())
    assert first["temperature"] == second["temperature"] and first["validation"] == second["validation"]
    assert first["test"]["accuracy"] != second["test"]["accuracy"]


def test_a_run_in_a_folder_of_its_own_leaves_the_pipelines_alone(tmp_path, test_part: pd.DataFrame) -> None:
    write_tree(tmp_path, test_part, drawn=False)
    (tmp_path / "run").mkdir()
    (tmp_path / "data/model").rename(tmp_path / "run/model")
    done = evaluate(tmp_path, "--of", "run")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"model", "predictions", "metrics.json", "tables"}
    assert not (tmp_path / "metrics").exists() and not (tmp_path / "data/predictions").exists()


@pytest.mark.parametrize("fold, gone", [(1, "test"), (2, "validation")])
def test_a_stage_that_cannot_test_ends_in_one_line_and_writes_nothing(tmp_path, test_part, fold: int, gone: str):
    write_tree(tmp_path, test_part, drawn=False)
    write_index(test_part.assign(split="train", fold=fold), tmp_path / "data/split/index.csv")
    done = evaluate(tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1) and f"no face is in the {gone} part" in done.stderr
    assert not (tmp_path / "metrics").exists() and not (tmp_path / "data/predictions").exists()
