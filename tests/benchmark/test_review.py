"""The label review: wrong labels are found, and its lines can be pasted into data/exclude.csv, also in a browser."""

import base64
import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.special import softmax

from helpers.browser import Browser
from helpers.project import Project
from stages.base.errors import InputError
from stages.benchmark import results, review
from stages.benchmark.label_errors import label_errors
from stages.curation.exclusions import excluded_faces
from stages.reporting.review_page import render_review

LABELS = ["anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral"]


def judged(count: int, flipped: int, labels: list[str] = LABELS) -> pd.DataFrame:
    """Faces as a model judges them that is right of nine in ten; `flipped` of them have a wrong label."""
    rng = np.random.default_rng(0)
    truth = rng.integers(len(labels), size=count)
    wrong = rng.permutation(count) < flipped
    given = (truth + wrong * rng.integers(1, len(labels), size=count)) % len(labels)
    faces = pd.DataFrame({"id": range(count), "dataset": "ck48", "file": [f'a, "{n}".png' for n in range(count)]})
    faces = faces.assign(label=[labels[n] for n in given], truth=[labels[n] for n in truth], wrong=wrong)
    logits = rng.normal(size=(count, len(LABELS))) + 3 * certain(faces["truth"])
    return faces.join(pd.DataFrame(softmax(logits, axis=1), columns=LABELS).round(6))


def certain(labels: pd.Series) -> np.ndarray:
    return np.eye(len(LABELS))[pd.Index(LABELS).get_indexer(labels)]


class Page(HTMLParser):
    """The lines of the checkboxes on a page, its images, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.lines, self.images, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str]]) -> None:
        values = dict(attributes)
        if tag == "input":
            self.lines.append(values["value"])
        if tag == "img":
            assert values["alt"]
            data = base64.b64decode(values["src"].removeprefix("data:image/png;base64,"))
            self.images.append(np.asarray(Image.open(io.BytesIO(data))))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def trained(project: Project, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """The working folder is a project with 300 faces in five folds, each judged, and as many test faces, not judged."""
    monkeypatch.chdir(project.folder)
    project.edit("params.yaml", ("seeds: [0, 1, 2]", "seeds: [0]"))
    rows = judged(300, 30)
    rng = np.random.default_rng(0)
    index = pd.concat([rows, rows.assign(id=rows["id"] + 300, file="test " + rows["file"])]).assign(group=0)[
        results.FACE
    ]
    fold = np.where(index["id"] < 300, index["id"] % 5, -1)
    for path in ("data/merged", "data/split"):
        Path(path).mkdir(parents=True)
    np.save("data/merged/faces.npy", rng.integers(256, size=(600, 24, 24), dtype=np.uint8))
    split = np.where(fold < 0, "test", "train")
    index.assign(split=split, fold=fold).to_csv("data/split/index.csv", index=False)
    for number in range(5):
        judge(number, rows[rows["id"] % 5 == number])
    return rows


def judge(fold: int, rows: pd.DataFrame) -> None:
    path = Path(f"data/benchmark/cnn5/{fold}-0/predictions/out_of_fold.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.assign(group=0, prediction="")[[*results.FACE, "prediction", *LABELS]].to_csv(path, index=False)


def listed() -> pd.DataFrame:
    return pd.read_csv("data/review/exclude.csv")


def test_flipped_labels_are_found():
    found = label_errors(judged(2000, 100), LABELS)
    assert found["wrong"][:50].mean() > 0.9  # chance is 0.05
    flipped = found[found["wrong"]]
    assert len(flipped) > 50 and (flipped["suggested"] == flipped["truth"]).mean() > 0.9
    assert (found["suggested"] != found["label"]).all()
    worst = found.loc[0]
    assert worst["reason"] == f"label {worst['label']} but predicted as {worst['truth']} ({worst['probability']:.2f})"
    assert worst["probability"] == worst[worst["suggested"]] == worst[LABELS].max()


def two_data_sets(count: int) -> pd.DataFrame:
    """Faces of two data sets, the model being sure of the first and unsure of the second; `wrong` ones have two labels.

    Of the first, half the faces labelled fear look a little like anger too, as many faces do; of the second, some
    labelled fear look as much like anger as faces of anger do there.
    """
    kinds = [  # data set, label, probability of anger and of fear, wrong, faces
        ("ck48", "anger", 0.95, 0.01, False, count), ("ck48", "fear", 0.01, 0.95, False, count),
        ("ck48", "fear", 0.60, 0.40, False, count), ("sfew", "anger", 0.35, 0.25, False, 3 * count),
        ("sfew", "fear", 0.25, 0.35, False, 3 * count), ("sfew", "fear", 0.36, 0.24, True, 5),
    ]  # fmt: skip
    rows = pd.DataFrame([kind[:5] for kind in kinds for _ in range(kind[5])])
    rows = rows.set_axis(["dataset", "label", "anger", "fear", "wrong"], axis=1)
    rest = [label for label in LABELS if label not in ("anger", "fear")]
    return rows.assign(**{label: (1 - rows["anger"] - rows["fear"]) / len(rest) for label in rest})


def test_how_sure_a_model_usually_is_is_found_for_each_data_set() -> None:
    rows = two_data_sets(20)
    found = label_errors(rows, LABELS)
    assert len(found) == 5 and found["wrong"].all() and set(found["dataset"]) == {"sfew"}
    pooled = label_errors(rows.assign(dataset="one"), LABELS)
    assert not pooled["wrong"].any() and len(pooled) == 20  # another list, and a wrong one


def test_a_data_set_with_few_faces_of_a_label_borrows_the_average_of_all() -> None:
    rows = two_data_sets(20)
    few = rows[(rows["dataset"] == "sfew") & (rows["label"] == "anger")].index[9:]
    rows = rows.drop(few)  # nine remain, too few: anger must be as probable as over both data sets
    assert label_errors(rows, LABELS).empty
    alone = rows.assign(dataset=rows["dataset"].mask(rows.index % 7 == 0, "jaffe"))
    alone.loc[alone["dataset"] == "jaffe", "label"] = "fear"  # a data set with one label
    found = label_errors(alone, LABELS)
    assert set(found["dataset"]) == {"jaffe"} and found["anger"].eq(0.95).all() and len(found) > 1


def test_labels_that_the_model_agrees_with_are_not_doubted():
    rows = judged(200, 0)
    rows[LABELS] = certain(rows["label"])
    assert label_errors(rows, LABELS).empty


def test_labels_that_no_face_has():
    found = label_errors(judged(600, 30, LABELS[2:5]), LABELS)
    assert len(found) > 10 and found["wrong"][:15].mean() > 0.8
    with pytest.raises(InputError, match="the same label"):
        label_errors(judged(20, 0).assign(label="fear"), LABELS)


def test_the_listed_lines_can_be_pasted_unchanged(project: Project, trained: pd.DataFrame):
    assert "of 300 labels" in project.stage("benchmark.review")
    exclusions, written = Path("data/exclude.csv"), Path("data/review/exclude.csv").read_text()
    exclusions.write_text(exclusions.read_text() + written.split("\n", 1)[1])
    excluded = excluded_faces(trained.assign(split="train"), exclusions)
    found = listed()
    assert 10 < len(found) == excluded.sum() < 100
    assert found["file"][:10].isin(trained.loc[trained["wrong"], "file"]).all()

    page = Path("plots/review.html").read_text()
    assert list(csv.reader(Page(page).lines)) == found.values.tolist()
    faces = np.load("data/merged/faces.npy")[trained.set_index("file").loc[found["file"], "id"]]
    np.testing.assert_array_equal(Page(page).images, faces)
    review.main()
    assert (written, page) == (Path("data/review/exclude.csv").read_text(), Path("plots/review.html").read_text())


def test_only_the_folds_that_are_named_are_reviewed(project: Project, trained: pd.DataFrame):
    project.edit("params.yaml", ("folds: [0, 1, 2, 3, 4]", "folds: [1, 3]"))
    review.main()
    assert set(trained.set_index("file").loc[listed()["file"], "id"] % 5) == {1, 3}


def test_no_label_that_may_be_wrong(trained: pd.DataFrame):
    trained[LABELS] = certain(trained["label"])
    for fold in range(5):
        judge(fold, trained[trained["id"] % 5 == fold])
    review.main()
    assert listed().empty and not Page(Path("plots/review.html").read_text()).lines


def test_a_fold_that_was_not_judged_or_before_the_split_is_refused(project: Project, trained: pd.DataFrame):
    path, command = "data/benchmark/cnn5/1-0/predictions/out_of_fold.csv", "python -m stages.benchmark.run"
    fold = trained[trained["id"] % 5 == 1]
    other_labels = fold.assign(label=["fear", *fold["label"][1:]])
    for rows in (trained[trained["id"] % 5 == 2], fold[1:], pd.concat([fold, fold[:1]]), other_labels):
        judge(1, rows)
        with pytest.raises(InputError, match=f"^{path}: .*(out_of_fold .*{command}|damaged)"):
            review.main()
    Path(path).unlink()
    line = project.refused("benchmark.review")
    assert line.startswith(f"{path}: not found") and command in line


def test_a_fold_that_was_judged_by_other_labels_is_refused(project: Project, trained: pd.DataFrame):
    project.edit("params.yaml", ("neutral]", "neutral, contempt]"))
    with pytest.raises(InputError, match="labels"):
        review.main()


def test_large_faces_in_colour_are_reduced():
    found = label_errors(judged(200, 20), LABELS)[:3]
    faces = np.full((3, 200, 200, 3), (200, 100, 50), np.uint8)
    for image in Page(render_review(found, faces, 9)).images:
        assert image.shape == (96, 96, 3) and (image == (200, 100, 50)).all()


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Twelve faces whose label may be wrong."""
    return label_errors(judged(600, 60), LABELS)[:12]


@pytest.fixture(scope="module")
def file(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of these faces."""
    path = tmp_path_factory.mktemp("review") / "review.html"
    path.write_text(render_review(rows, np.zeros((12, 24, 24), np.uint8), 34), encoding="utf-8")
    return path


def test_each_face_has_its_file_name_and_data_set(rows: pd.DataFrame, file: Path):
    page = file.read_text(encoding="utf-8")
    text = Page(page).text
    assert all(f"ck48\n{name}" in text for name in rows["file"])
    assert not re.search(r"https?:|@import", page)
    assert "34 labels are unlikely" in text and "the 12 least likely are shown" in text
    empty = render_review(rows[:0], np.zeros((0, 24, 24), np.uint8), 0)
    assert "No label is listed." in empty and "<script" not in empty and "<form" not in empty


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(scheme: str, width: int, rows: pd.DataFrame, file: Path, browser: Browser):
    with browser.opened(file, scheme, width) as page:
        tab, boxes, button = page.tab, page.tab.locator("input"), page.tab.locator("button")
        assert page.overflow() == 0 and page.violations() == []
        assert tab.locator("output").text_content() == "0" and button.is_disabled()
        boxes.nth(3).check()
        boxes.nth(1).check()
        assert tab.locator("output").text_content() == "2"
        button.click()
        tab.wait_for_function("document.querySelector('[role=status]').textContent == 'Copied.'")
        tab.evaluate("document.body.append(document.createElement('textarea'))")
        target = tab.locator("body > textarea")
        target.focus()
        tab.keyboard.press("Control+V")
        lines = list(csv.reader(target.input_value().splitlines()))
        assert lines == rows.iloc[[1, 3]][["dataset", "file", "reason"]].values.tolist()
        boxes.nth(1).uncheck()
        boxes.nth(3).uncheck()
        assert tab.locator("form textarea").input_value() == "" and button.is_disabled()
        assert page.errors == [] and page.requests == [file.as_uri()]
