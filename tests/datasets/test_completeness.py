"""What a data set lacks stops the run, unless it is accepted."""

import pytest

from helpers.archives import LIMITS, data
from stages.base.errors import InputError
from stages.datasets.completeness import Tally
from stages.datasets.picture import Face, Rejected
from stages.datasets.readers import READERS

SIX = ["anger", "disgust", "fear", "happy", "sadness", "surprise"]


def tally(dataset: str, parts: list[str], labels: list[str], rejected: int = 0, lost: int = 0) -> Tally:
    counts = Tally(dataset)
    for part in parts:
        for label in labels:
            for _ in range(10):
                counts.add(Face("a.png", label, "", "", part, "", "0", b""))
    for number in range(rejected):
        counts.add(Rejected(f"{number}.txt", "not a picture"))
    for number in range(lost):
        counts.add(Rejected(f"{number}.png", "cut short", lost=True))
    return counts


@pytest.mark.parametrize("dataset", READERS)
def test_a_whole_data_set_lacks_nothing_whatever_else_its_archive_has(dataset: str):
    labels = sorted({label for part in READERS[dataset].PUBLISHED.values() for label in part} or {"fear"})
    parts = list(READERS[dataset].PUBLISHED)
    assert tally(dataset, parts, labels, rejected=5000).check("x.zip", data()) == []


@pytest.mark.parametrize(
    ("dataset", "parts", "labels", "lost", "lacks"),
    [
        ("sfew", ["train"], [*SIX, "neutral"], 0, "the official test part"),
        ("fer2013", ["test"], [*SIX, "neutral"], 0, "the official train part"),
        ("ferplus", ["train", "val"], [*SIX, "neutral", "contempt"], 0, "the official test part"),
        ("rafdb", ["train", "test"], SIX, 0, "all faces of neutral"),
        ("ck48", [""], SIX[1:], 0, "all faces of anger, contempt"),
        ("rafdb", ["train", "test", ""], [*SIX, "neutral"], 0, "the official part of 70 faces"),
        ("sfew", ["train", "test"], [*SIX, "neutral"], 3, r"3 pictures \(2%\)"),
    ],
)
def test_what_is_missing_is_told_with_an_example_and_can_be_accepted(dataset, parts, labels, lost, lacks):
    counts = tally(dataset, parts, labels, rejected=1, lost=lost)
    with pytest.raises(InputError, match=f"x.zip: missing in {dataset}: {lacks}.*accept_missing") as caught:
        counts.check("x.zip", data())
    example = "cut short (3, for example 0.png)" if lost else "not a picture (1, for example 0.txt)"
    assert example in str(caught.value) and "\n" not in str(caught.value)
    assert len(counts.check("x.zip", data(accept_missing=[dataset]))) == 1


def test_classes_that_are_not_asked_for_and_a_few_lost_pictures_are_no_lack():
    assert (
        tally("ck48", [""], ["anger", "fear"], lost=1).missing(
            data(labels=["anger", "fear"], limits=LIMITS.model_copy(update={"unreadable": 0.05}))
        )
        == []
    )
