"""Coverage and values of the bootstrap intervals, on simulated test sets with known metrics."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from stages.evaluation import bootstrap
from stages.evaluation.bootstrap import _macro_auroc, confidence_intervals
from stages.evaluation.metrics import classification_metrics, macro_auroc

CLASSES, SHARES = 7, [0.16, 0.11, 0.11, 0.18, 0.15, 0.15, 0.14]


def simulated(rng: np.random.Generator, faces: int, people: int, deviation: float) -> tuple[np.ndarray, ...]:
    """Return truth, probabilities and people; `deviation` is that of the logits of the true class between people."""
    person = np.sort(rng.integers(0, people, faces)) if people < faces else np.arange(faces)
    truth = rng.choice(CLASSES, faces, p=SHARES)
    logits = rng.normal(0, 1, (faces, CLASSES))
    logits[np.arange(faces), truth] += 1.6 + rng.normal(0, deviation, people)[person]
    return truth, softmax(logits, 1), person


def true_metrics(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    return classification_metrics(truth, probabilities.argmax(1)) | macro_auroc(truth, probabilities)


@pytest.mark.slow
@pytest.mark.parametrize(("faces", "people", "deviation"), [(300, 300, 0.0), (300, 40, 1.0)])
def test_93_to_97_percent_of_intervals_contain_the_true_value(
    faces: int, people: int, deviation: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 600)  # for a thousand intervals
    rng = np.random.default_rng(0)
    true = true_metrics(*simulated(rng, 300_000, 300_000 if people == faces else 50_000, deviation)[:2])
    covered = dict.fromkeys(true, 0)
    for number in range(1000):
        found = confidence_intervals(*simulated(rng, faces, people, deviation), seed=number)
        for name, interval in found.items():
            covered[name] += interval["low"] <= true[name] <= interval["high"]
    print(covered)
    assert all(930 <= count <= 970 for count in covered.values()), covered


def test_intervals_are_wider_if_faces_cluster_by_person() -> None:
    truth, probabilities, person = simulated(np.random.default_rng(0), 600, 30, 1.5)
    by_person = confidence_intervals(truth, probabilities, person)
    by_face = confidence_intervals(truth, probabilities, np.arange(600))
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "auroc"):
        widths = [found[name]["high"] - found[name]["low"] for found in (by_person, by_face)]
        assert widths[0] > 1.5 * widths[1], name


def test_metrics_of_a_resample_equal_scikit_learns_on_its_faces() -> None:
    truth, probabilities, person = simulated(np.random.default_rng(1), 80, 12, 1.0)
    probabilities = probabilities.round(1)  # ties
    weights = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), size=5)
    cells = bootstrap.group_confusions(truth, probabilities.argmax(1), person, CLASSES)
    found = bootstrap.confusion_metrics(np.tensordot(weights, cells, 1))
    found["auroc"] = _macro_auroc(truth, probabilities, weights[:, person])
    for resample, counts in enumerate(weights):
        faces = np.repeat(np.arange(80), counts[person])
        expected = classification_metrics(truth[faces], probabilities[faces].argmax(1))
        expected["auroc"] = np.mean(
            [roc_auc_score(truth[faces] == label, probabilities[faces, label]) for label in np.unique(truth[faces])]
        )
        assert {name: values[resample] for name, values in found.items()} == pytest.approx(expected)


def test_few_groups_or_one_class() -> None:
    truth, probabilities, _ = simulated(np.random.default_rng(0), 60, 60, 0.0)
    assert confidence_intervals(truth, probabilities, np.arange(60) % 4) == {}
    assert set(confidence_intervals(np.zeros(60, int), probabilities, np.arange(60))) == {
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
    }


def test_the_same_seed_gives_the_same_interval() -> None:
    case = simulated(np.random.default_rng(0), 100, 20, 1.0)
    assert confidence_intervals(*case) == confidence_intervals(*case) != confidence_intervals(*case, seed=1)
