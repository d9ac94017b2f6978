import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import metrics as sklearn_metrics

from stages.base.errors import InputError
from stages.evaluation.report import confusion, metrics, predictions
from stages.evaluation.scores import measure, per_class, scores
from stages.models import build
from stages.models.folder import save
from stages.table import write_index

ROOT = Path(__file__).parents[1]
LABELS = ["anger", "fear", "happy", "neutral"]


@pytest.fixture
def test_part() -> pd.DataFrame:
    """Sixty faces of two data sets, the first of which has no neutral ones; ids are not positions."""
    rng = np.random.default_rng(0)
    labels = [*rng.choice(LABELS[:3], 40), *rng.choice(LABELS, 20)]
    rows = pd.DataFrame({"id": np.arange(60) * 2, "dataset": ["ck48"] * 40 + ["sfew"] * 20, "label": labels})
    return rows.assign(file=rows.id.astype(str) + ".png", split="test", fold=-1)[::-1]


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(60, 4, generator=torch.Generator().manual_seed(0))


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


def test_per_class_figures() -> None:
    truth, prediction = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    figures = per_class(truth, prediction, ["happy", "fear", "anger"])
    assert figures["happy"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "faces": 2}
    assert figures["fear"] == pytest.approx({"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "faces": 3})
    assert figures["anger"] == {"precision": 0, "recall": 0, "f1": 0, "faces": 0}


def test_predictions_and_confusion(test_part: pd.DataFrame, logits: torch.Tensor) -> None:
    rows = predictions(test_part, logits, LABELS)
    assert list(rows) == ["id", "dataset", "file", "label", "prediction", *LABELS]
    assert rows.id.tolist() == test_part.id.tolist() and rows.label.tolist() == test_part.label.tolist()
    assert (rows[LABELS].idxmax(axis=1) == rows.prediction).all()
    np.testing.assert_allclose(rows[LABELS].sum(axis=1), 1)
    table = confusion(rows, LABELS)
    assert len(table) == 16 and table.faces.sum() == 60
    for label, prediction, faces in table.itertuples(index=False):
        assert faces == ((rows.label == label) & (rows.prediction == prediction)).sum()


def test_a_label_the_model_does_not_know_is_named(test_part: pd.DataFrame, logits: torch.Tensor) -> None:
    with pytest.raises(InputError, match="'neutral'"):
        predictions(test_part, logits[:, :3], LABELS[:3])


def test_figures_per_data_set_count_its_own_classes(test_part: pd.DataFrame) -> None:
    right = torch.eye(4)[[LABELS.index(label) for label in test_part.label]]
    figures = metrics(predictions(test_part, right, LABELS), right, LABELS)
    perfect = {"accuracy": 1, "balanced_accuracy": 1, "macro_f1": 1}
    assert figures["per_dataset"] == {"ck48": {"faces": 40, **perfect}, "sfew": {"faces": 20, **perfect}}


# The stage


def write_tree(root: Path, test_part: pd.DataFrame, drawn: bool) -> None:
    """An untrained model, faces and an index in which every second face is to test on."""
    for folder in ("merged", "split", "model"):
        (root / "data" / folder).mkdir(parents=True)
    torch.manual_seed(0)
    config = {
        "architecture": "cnn5",
        "labels": LABELS,
        "channels": 1,
        "inputs": {"size": 16, "mean": [0.5], "std": [0.25]},
        "recipe": {"dropout": 0.3, "precision": "auto", "test_flips": False},
        "seed": 0,
        "validation": {"macro_f1": 0.25},
        "parameters": 7,
        "drawn_faces": drawn,
    }
    save(root / "data/model", build("cnn5", 4, 1, 16, 0.3), config)
    np.save(root / "data/merged/faces.npy", np.random.default_rng(0).integers(0, 256, (120, 16, 16), dtype=np.uint8))
    index = pd.concat([test_part, test_part.assign(id=test_part.id + 1, split="train")])
    write_index(index, root / "data/split/index.csv")


def evaluate(root: Path) -> subprocess.CompletedProcess:
    command, environment = [sys.executable, "-m", "stages.evaluate"], {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_what_is_written_agrees_with_scikit_learn(tmp_path, test_part: pd.DataFrame) -> None:
    write_tree(tmp_path, test_part, drawn=True)
    done = evaluate(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "say nothing about people" in done.stdout and "test: 60 faces" in done.stdout
    figures = json.loads((tmp_path / "metrics/metrics.json").read_text())
    rows = pd.read_csv(tmp_path / "data/predictions.csv")
    assert rows.id.tolist() == test_part.id.tolist()
    test = figures["test"]
    near = {"abs": 1e-6}
    assert test["faces"] == 60 and figures["validation"] == {"macro_f1": 0.25}
    assert figures["drawn_faces"] is True and figures["parameters"] == 7
    assert test["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(rows.label, rows.prediction), **near)
    assert test["macro_f1"] == pytest.approx(
        sklearn_metrics.f1_score(rows.label, rows.prediction, average="macro"), **near
    )
    assert test["balanced_accuracy"] == pytest.approx(
        sklearn_metrics.balanced_accuracy_score(rows.label, rows.prediction), **near
    )
    shares = rows[LABELS].div(rows[LABELS].sum(axis=1), axis=0)  # they are rounded
    assert test["loss"] == pytest.approx(sklearn_metrics.log_loss(rows.label, shares), abs=1e-4)
    told = sklearn_metrics.classification_report(rows.label, rows.prediction, output_dict=True, zero_division=0)
    for label in LABELS:
        assert test["per_class"][label]["f1"] == pytest.approx(told[label]["f1-score"], **near)
        assert test["per_class"][label]["faces"] == told[label]["support"]
    assert pd.read_csv(tmp_path / "plots/confusion.csv").faces.sum() == 60


@pytest.mark.slow
def test_a_stage_that_cannot_test_ends_in_one_line_and_writes_nothing(tmp_path, test_part: pd.DataFrame) -> None:
    write_tree(tmp_path, test_part, drawn=False)
    write_index(test_part.assign(split="train"), tmp_path / "data/split/index.csv")
    done = evaluate(tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1) and "no face is in the test part" in done.stderr
    assert not (tmp_path / "metrics").exists() and not (tmp_path / "data/predictions.csv").exists()
