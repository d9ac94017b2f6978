"""Intervals against formulas and scikit-learn on small cases; test_coverage.py simulates how often they are right."""

import time

import numpy as np
import pytest
from scipy import stats
from scipy.special import logit, softmax

from stages.evaluation import intervals
from stages.evaluation.intervals import (
    confidence_intervals,
    degrees_of_freedom,
    deviations,
    f1_intervals,
    group_confusions,
    group_strata,
    wilson_interval,
    without_each,
)
from stages.evaluation.metrics import classification_metrics, macro_auroc

METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "auroc")


def simulated(faces: int, people: int, deviation: float, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Return truth, probabilities, people and data sets; `deviation`: how much people differ in how well they are read.

    The second data set has another expression in most faces and is much harder.
    """
    rng = np.random.default_rng(seed)
    person = np.concatenate([np.arange(people), rng.integers(0, people, faces - people)])
    second = person % 2 == 1
    truth = np.where(second & (rng.random(faces) < 0.7), 6, rng.choice(7, faces))
    logits = rng.normal(0, 1, (faces, 7))
    logits[np.arange(faces), truth] += np.where(second, 0.5, 3.0) + rng.normal(0, deviation, people)[person]
    return truth, softmax(logits, 1), person, np.where(second, "b", "a")


def test_intervals_are_of_the_stratified_jackknife() -> None:
    truth, probabilities, person, datasets = simulated(160, 20, 1.0)
    probabilities = (probabilities.round(1) + 1e-3 * np.arange(7)) / 1.021  # ties within a class
    found = confidence_intervals(truth, probabilities, person, datasets)

    def values(at: np.ndarray) -> dict[str, float]:
        return classification_metrics(truth[at], probabilities[at].argmax(1)) | macro_auroc(
            truth[at], probabilities[at]
        )

    without = {left: values(person != left) for left in range(20)}  # every class remains
    for name, value in values(np.arange(160)).items():
        kept = np.array([[without[left][name] for left in range(first, 20, 2)] for first in (0, 1)])
        kept = logit(kept) if name == "auroc" else kept
        spread = (kept - kept.mean(1, keepdims=True)) * np.sqrt(9 / 10)
        variance = (spread**2).sum()
        size, df = value * (1 - value) / variance, 2 / (2 / 19 + stats.kurtosis(spread.ravel(), bias=False) / 20)
        quantile = stats.t.ppf(0.975, min(df, 18))
        for bound in found[name].values():
            if name == "auroc":
                assert abs(logit(value) - logit(bound)) == pytest.approx(quantile * np.sqrt(variance))
            else:  # Wilson's equation
                assert (value - bound) ** 2 == pytest.approx(quantile**2 * bound * (1 - bound) / size)
        assert found[name]["low"] < value < found[name]["high"]


def test_a_class_of_a_single_group_counts_when_its_group_is_left_out() -> None:
    truth, prediction = np.array([0, 0, 1, 0, 1, 2]), np.array([0, 0, 0, 0, 1, 2])
    members = np.array([0, 0, 0, 1, 1, 2])
    found = without_each(group_confusions(truth, prediction, members, 3))
    rest = classification_metrics(truth[:5], prediction[:5])
    assert found["accuracy"][2] == rest["accuracy"] == 0.8
    for name in ("balanced_accuracy", "macro_f1"):
        assert found[name][2] == pytest.approx((2 * rest[name] + 1) / 3)  # the third class is always right


def test_groups_are_compared_within_their_data_set() -> None:
    truth, probabilities, person, datasets = simulated(600, 40, 0.0)
    within = confidence_intervals(truth, probabilities, person, datasets)
    across = confidence_intervals(truth, probabilities, person, np.zeros(600))
    widths = [found["accuracy"]["high"] - found["accuracy"]["low"] for found in (within, across)]
    assert widths[0] < 0.8 * widths[1]


def test_a_group_of_two_data_sets_is_in_the_larger_part_and_a_single_group_in_the_largest_data_set() -> None:
    members = np.array([0, 0, 0, 1, 2, 2, 3, 4])
    datasets = np.array(["a", "b", "b", "a", "a", "a", "b", "c"])
    strata = group_strata(datasets, members)
    assert strata.tolist() == [1, 0, 0, 1, 0]  # c has one group, and a and b have two
    assert np.isfinite(deviations(np.arange(5.0), strata)).all()


def test_intervals_are_wider_if_faces_cluster_by_person() -> None:
    truth, probabilities, person, datasets = simulated(600, 30, 1.5)
    by_person = confidence_intervals(truth, probabilities, person, datasets)
    by_face = confidence_intervals(truth, probabilities, np.arange(600), datasets)
    for name in METRICS:
        widths = [found[name]["high"] - found[name]["low"] for found in (by_person, by_face)]
        assert widths[0] > 1.4 * widths[1], name


@pytest.mark.parametrize("groups", [8, 12, 66])
def test_a_model_without_mistakes_has_wilsons_interval_of_its_groups(groups: int) -> None:
    truth = np.arange(7 * groups) % 7
    members = np.repeat(np.arange(groups), 7)
    found = confidence_intervals(truth, np.eye(7)[truth], members, np.zeros(7 * groups))
    quantile = stats.t.ppf(0.975, groups - 1)
    expected = {"low": pytest.approx(groups / (groups + quantile**2)), "high": 1}
    assert found == dict.fromkeys(METRICS, expected)
    assert f1_intervals(truth, np.eye(7)[truth], members, np.zeros(7 * groups)) == dict.fromkeys(range(7), expected)
    wrong = confidence_intervals(truth, np.eye(7)[(truth + 1) % 7], members, np.zeros(7 * groups))
    assert wrong["accuracy"] == {"low": 0, "high": pytest.approx(1 - expected["low"].expected)}


def test_one_mistake_is_not_more_certain_than_none() -> None:
    truth = np.arange(280) % 7
    prediction = truth.copy()
    prediction[0] = 1
    members = np.repeat(np.arange(40), 7)
    one, none = (confidence_intervals(truth, np.eye(7)[p], members, np.zeros(280)) for p in (prediction, truth))
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert 0.9 < one[name]["low"] < none[name]["low"] + 0.03 and 0.997 < one[name]["high"] < 1


def test_degrees_of_freedom() -> None:
    strata = np.zeros(1000, int)
    rng = np.random.default_rng(0)
    assert degrees_of_freedom(rng.normal(0, 1, 1000), strata) == pytest.approx(999, rel=0.2)
    few = np.where(np.arange(1000) < 10, 1, 0) * rng.normal(0, 1, 1000)  # ten groups make all of the variance
    assert degrees_of_freedom(few, strata) == pytest.approx(10, rel=0.5)
    assert degrees_of_freedom(np.eye(1000)[0], strata) == pytest.approx(2, rel=0.01)
    assert degrees_of_freedom(np.eye(8)[0], strata[:8]) == pytest.approx(2 / (2 / 7 + 1))
    assert degrees_of_freedom(np.resize([1, -1], 8), strata[:8]) == 7  # never more than groups less strata
    assert degrees_of_freedom(np.zeros(8), np.arange(8) % 3) == 5


def test_all_groups_alike_count_as_one_observation_each() -> None:
    truth, members = np.resize([0, 1], 80), np.repeat(np.arange(10), 8)
    prediction = np.resize([0, 1, 0, 1, 0, 1, 1, 0], 80)
    found = confidence_intervals(truth, np.eye(2)[prediction], members, np.zeros(80))
    assert found["accuracy"] == pytest.approx(wilson_interval(0.75, 0.75 * 0.25 / 10, 9, 10))


def test_few_groups_or_one_class() -> None:
    truth, probabilities, _, datasets = simulated(60, 60, 0.0)
    for groups, told in ((7, False), (8, True)):
        members = np.arange(60) % groups
        assert bool(confidence_intervals(truth, probabilities, members, datasets)) == told
    assert intervals.warning(7) == {} == intervals.warning(12)
    assert "only 11 groups" in intervals.warning(11)["warning"]
    assert set(confidence_intervals(np.zeros(60, int), probabilities, np.arange(60), datasets)) == set(METRICS[:3])


def test_a_class_of_fewer_than_eight_groups_has_no_interval() -> None:
    truth = np.repeat([0, 1, 2], [40, 8, 7])
    found = f1_intervals(truth, np.eye(3)[truth], np.arange(55), np.zeros(55))
    low = {groups: groups / (groups + stats.t.ppf(0.975, groups - 1) ** 2) for groups in (40, 8)}
    assert found == {0: {"low": pytest.approx(low[40]), "high": 1}, 1: {"low": pytest.approx(low[8]), "high": 1}}


def test_thousands_of_groups_take_seconds() -> None:
    case = simulated(7000, 5000, 1.0)
    start = time.process_time()
    confidence_intervals(*case)
    f1_intervals(*case)
    assert time.process_time() - start < 3  # measured: 0.6
