"""Bootstrap intervals: right as often as they say, on simulated test sets whose true figures are known."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from stages.evaluation import bootstrap
from stages.evaluation.bootstrap import _auroc, intervals
from stages.evaluation.metrics import auroc, scores

CLASSES, SHARES = 7, [0.16, 0.11, 0.11, 0.18, 0.15, 0.15, 0.14]


def simulated(rng: np.random.Generator, faces: int, people: int, differ: float) -> tuple[np.ndarray, ...]:
    """Truth, probabilities and people; `differ` is how much harder some people are to read than others."""
    person = np.sort(rng.integers(0, people, faces)) if people < faces else np.arange(faces)
    truth = rng.choice(CLASSES, faces, p=SHARES)
    logits = rng.normal(0, 1, (faces, CLASSES))
    logits[np.arange(faces), truth] += 1.6 + rng.normal(0, differ, people)[person]
    return truth, softmax(logits, 1), person


def figures(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    return scores(truth, probabilities.argmax(1)) | auroc(truth, probabilities)


@pytest.mark.slow
@pytest.mark.parametrize(("faces", "people", "differ"), [(300, 300, 0.0), (300, 40, 1.0)])
def test_they_hold_the_true_figure_in_93_to_97_of_100(
    faces: int, people: int, differ: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "DRAWS", 600)  # a thousand times
    rng = np.random.default_rng(0)
    true = figures(*simulated(rng, 300_000, 300_000 if people == faces else 50_000, differ)[:2])
    held = dict.fromkeys(true, 0)
    for number in range(1000):
        found = intervals(*simulated(rng, faces, people, differ), seed=number)
        for name, interval in found.items():
            held[name] += interval["low"] <= true[name] <= interval["high"]
    print(held)
    assert all(930 <= count <= 970 for count in held.values()), held


def test_they_are_wider_where_faces_cluster_by_person() -> None:
    truth, probabilities, person = simulated(np.random.default_rng(0), 600, 30, 1.5)
    by_person = intervals(truth, probabilities, person)
    by_face = intervals(truth, probabilities, np.arange(600))
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "auroc"):
        widths = [found[name]["high"] - found[name]["low"] for found in (by_person, by_face)]
        assert widths[0] > 1.5 * widths[1], name


def test_each_draw_is_scored_as_scikit_learn_scores_the_faces_drawn() -> None:
    truth, probabilities, person = simulated(np.random.default_rng(1), 80, 12, 1.0)
    probabilities = probabilities.round(1)  # ties
    weights = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), size=5)
    cells = bootstrap.confusions(truth, probabilities.argmax(1), person, CLASSES)
    found = bootstrap.merits(np.tensordot(weights, cells, 1))
    found["auroc"] = _auroc(truth, probabilities, weights[:, person])
    for draw, counts in enumerate(weights):
        faces = np.repeat(np.arange(80), counts[person])
        expected = scores(truth[faces], probabilities[faces].argmax(1))
        expected["auroc"] = np.mean(
            [roc_auc_score(truth[faces] == label, probabilities[faces, label]) for label in np.unique(truth[faces])]
        )
        assert {name: values[draw] for name, values in found.items()} == pytest.approx(expected)


def test_few_groups_or_one_class() -> None:
    truth, probabilities, _ = simulated(np.random.default_rng(0), 60, 60, 0.0)
    assert intervals(truth, probabilities, np.arange(60) % 4) == {}
    assert set(intervals(np.zeros(60, int), probabilities, np.arange(60))) == {
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
    }


def test_the_same_seed_gives_the_same_interval() -> None:
    case = simulated(np.random.default_rng(0), 100, 20, 1.0)
    assert intervals(*case) == intervals(*case) != intervals(*case, seed=1)
