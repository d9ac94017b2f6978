"""The benchmark's page: every figure as it was measured, no more said than is known, in a page that anyone can read."""

import json
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.browser import Browser
from helpers.project import Project
from helpers.tables import Tables, cells, three
from stages.benchmark import report
from stages.benchmark.comparison.leaderboard import Runs, leaderboard
from stages.reporting.page import brief, duration, probability, signed

LABELS = ["anger", "happy", "neutral"]
MODELS = "models: [cnn5, cnn8, convnet, mini_xception]"
SKILLS = {  # how well each model of a made-up benchmark reads; the next of many is as good as the first
    "many": {"cnn5": 0.2, "cnn8": 3.1, "convnet": 1.5, "mini_xception": 1.5, "googlenet": 3.0, "resnet18": 1.4},
    "clear": {"cnn5": 0.5, "cnn8": 3.0},
    "few": {"cnn5": 0.5, "cnn8": 1.5, "convnet": 1.4},
    "alone": {"vgg16": 1.0},
}
CROSSED = {  # a third data set has no face that shows a label of the first
    "model": "cnn5",
    "trained_on": {
        "ck48": {"labels": LABELS[:2], "tested_on": {
            "ck48": {"faces": 1240, "accuracy": 0.75, "macro_f1": 0.5, "interval": {
                "accuracy": {"low": 0.5, "high": 0.875}, "macro_f1": {"low": 0.25, "high": 0.625}}},
        }},
        "all": {"labels": LABELS, "tested_on": {
            "ck48": {"faces": 1240, "accuracy": 0.8, "macro_f1": 0.6},
            "sfew": {"faces": 9, "accuracy": 0.3, "macro_f1": 0.2},
        }},
    },
}  # fmt: skip
DIFFERENCES = "Differences between neighbours on the list"
BOARD = "Leaderboard: figures and costs of each model, the best first"


class Board:
    """A made-up benchmark's leaderboard, and the page that tells of it."""

    def __init__(self, project: Project, skills: dict[str, float], people: int, folds: int, joules: bool) -> None:
        self.project, self.skills, self.people, self.folds = project, skills, people, folds
        self.rng = np.random.default_rng(7)
        models = {model: self._runs(skill, joules and model == "cnn8") for model, skill in skills.items()}
        self.found = leaderboard(models, LABELS) | {"drawn_faces": people > 4}
        self.models, self.neighbours = self.found["models"], self.found["neighbours"]
        project.edit("params.yaml", (MODELS, f"models: [{', '.join(skills)}]"))
        project.edit("params.yaml", ("folds: [0, 1, 2, 3, 4]", f"folds: {list(range(folds))}"))
        self.file = project.folder / "plots/benchmark.html"
        (project.folder / "metrics").mkdir()
        (project.folder / "metrics/benchmark.json").write_text(json.dumps(self.found))
        (project.folder / "metrics/cross.json").write_text(json.dumps(CROSSED))

    def presented(self) -> "Board":
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.project.folder)
            report.main()
        self.page = self.file.read_text(encoding="utf-8")
        self.text = " ".join(re.sub("<.*?>", "", self.page.split("<main>")[1]).replace("&nbsp;", " ").split())
        self.tables = Tables.of(self.page)
        return self

    def _runs(self, skill: float, joules: bool) -> Runs:
        validation = [self._said(skill, fold) for fold in range(self.folds)]
        test = [self._said(skill, -1) for _ in range(self.folds)]
        cost = {"parameters": int(10**self.rng.uniform(4, 7)), "flops": int(10**self.rng.uniform(7.5, 8.5)),
                "training_images_per_second": 9.5, "inference_images_per_second": round(self.rng.uniform(900, 1100), 1),
                "threads": 1, "device": "Abacus 3000"}  # fmt: skip
        if joules:
            cost |= {"training_joules_per_image": 0.5123, "inference_joules_per_image": 0.0512}
        return Runs(validation, test, test[0], {"epochs": 3.0, "training_seconds": 4321.0, "cost": cost})

    def _said(self, skill: float, fold: int) -> pd.DataFrame:
        """What a model says of the faces of a fold, those of every `folds`-th person."""
        faces = np.random.default_rng(fold + 1)
        person = np.sort(faces.choice(np.arange(max(fold, 0), self.people, self.folds), 90))
        truth = faces.integers(0, 3, 90)
        logits = self.rng.normal(0, 1, (90, 3))
        logits[np.arange(90), truth] += skill
        names = np.array(LABELS)
        return pd.DataFrame({
            "id": 1000 * fold + np.arange(90), "label": names[truth], "group": person,
            "dataset": np.where(person % 2, "drawn-ck48", "drawn-sfew"), "prediction": names[logits.argmax(1)],
        })  # fmt: skip


def made(folder: Path, which: str) -> Board:
    people, folds = {"many": (40, 3), "clear": (40, 2), "few": (4, 2), "alone": (40, 1)}[which]
    return Board(Project.copy(folder / which), SKILLS[which], people, folds, which == "clear").presented()


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Board]:
    folder = tmp_path_factory.mktemp("boards")
    return {which: made(folder, which) for which in SKILLS}


@pytest.fixture
def many(boards: dict[str, Board]) -> Board:
    return boards["many"]


def test_training_on_one_data_set_is_told_of_another(many: Board):
    rows = many.tables["Macro-F1 and accuracy of cnn5, trained on one data set and tested on another"]
    assert rows[2:] == [
        ["ck48", "2", "1,240", "0.500 0.250 to 0.625", "0.750 0.500 to 0.875", "0", "–", "–"],
        ["all", "3", "1,240", "0.600", "0.800", "9", "0.200", "0.300"],
    ]


def between(part: dict, show=three) -> str:
    return f"{show(part['low'])} to {show(part['high'])}"


def test_the_headline_says_no_more_than_is_known(boards: dict[str, Board]):
    first, pair = {}, {}
    for which, board in boards.items():
        name, figures = next(iter(board.models.items()))
        first[which] = (name, three(figures["validation"]["macro_f1"]))
        pair[which] = next((found["macro_f1"] for found in board.neighbours.values()), None)
    assert pair["many"]["p_holm"] > 0.05 > pair["clear"]["p_holm"] and "p_holm" not in pair["few"]
    gap = {which: three(found["difference"]) for which, found in pair.items() if found}

    name, figure = first["many"]
    next_ = list(boards["many"].models)[1]
    assert f"{name} is first of 6 models, with a macro-F1 of {figure} on 270 faces" in boards["many"].text
    assert (
        f"The next, {next_}, is {gap['many']} lower, but their order may be chance: 95 % interval "
        f"{between(pair['many'], signed)}, p = {three(pair['many']['p_holm'])}."
    ) in boards["many"].text
    assert (
        f"The next, cnn5, is really worse: by {gap['clear']}, 95 % interval {between(pair['clear'], signed)}, "
        f"p = {three(pair['clear']['p_holm'])}."
    ) in boards["clear"].text
    few = boards["few"].text
    assert f"is {gap['few']} lower. Whether that is more than chance cannot be told" in few
    assert "95 % interval" not in few and "Rank shares" not in boards["few"].page
    assert f"vgg16 has a macro-F1 of {first['alone'][1]} on 90 faces" in boards["alone"].text
    assert "nothing to compare it with" in boards["alone"].text and "Better, or lucky?" not in boards["alone"].page


def test_the_leaderboard_is_what_was_measured(many: Board):
    rows = many.tables[BOARD][2:]
    p_values = [three(pair["macro_f1"]["p_holm"]) for pair in many.neighbours.values()] + [""]
    assert rows == [
        [f"{row['rank']} {name}",
         f"{three(row['validation']['macro_f1'])} {between(row['validation']['interval']['macro_f1'])}", p_value,
         f"{three(row['validation']['mean']['macro_f1'])} ± {three(row['validation']['std']['macro_f1'])}",
         f"{three(row['validation']['accuracy'])} {between(row['validation']['interval']['accuracy'])}",
         f"{three(row['test']['mean']['macro_f1'])} ± {three(row['test']['std']['macro_f1'])}",
         three(row["test"]["ensemble"]["macro_f1"]), shown(brief(row["cost"]["parameters"])),
         shown(brief(row["cost"]["flops"])), "9.5", brief(row["cost"]["inference_images_per_second"]), "72 min"]
        for (name, row), p_value in zip(many.models.items(), p_values, strict=True)
    ]  # fmt: skip


def shown(text: str) -> str:
    return " ".join(text.split())


def test_energy_is_told_where_it_was_measured(boards: dict[str, Board]):
    assert [row[-2:] for row in boards["clear"].tables[BOARD][1:]] == [
        ["Training, J/image", "Inference, J/image"], ["0.512", "0.0512"], ["–", "–"],
    ]  # fmt: skip
    assert "J/image" not in boards["many"].page and "energy" not in boards["many"].text


def test_one_run_has_no_deviation(boards: dict[str, Board]):
    _, head, row = boards["alone"].tables[BOARD]
    assert head[:4] == ["Macro-F1", "One run", "Accuracy", "Single"] and "±" not in " ".join(row)
    assert "each trained once: on 1 fold with 1 seed" in boards["alone"].text


def test_differences_and_rank_shares_are_what_was_measured(many: Board, boards: dict[str, Board]):
    expected = []
    for names, pair in many.neighbours.items():
        row = [names.replace(" - ", " − ")]
        for merit in (pair["macro_f1"], pair["accuracy"]):
            verdict = "more than chance" if merit["p_holm"] < 0.05 else "may be chance"
            row += [f"{signed(merit['difference'])} {between(merit, signed)}", f"{three(merit['p_holm'])} {verdict}"]
        expected.append(row)
    assert many.tables[DIFFERENCES][2:] == expected
    assert {row[2].split(maxsplit=1)[1] for row in expected} == {"more than chance", "may be chance"}
    assert many.tables["In what percent of the draws each model has each rank"] == [
        ["", *(str(rank) for rank in range(1, 7))],
        *([name, *(f"{100 * share:.0f}" for share in row["rank_shares"].values())]
          for name, row in many.models.items()),
    ]  # fmt: skip
    few = boards["few"]
    assert [row[1:] for row in few.tables[DIFFERENCES][2:]] == [
        [signed(pair[merit]["difference"]) for merit in ("macro_f1", "accuracy")] for pair in few.neighbours.values()
    ]
    assert "too few to tell a real difference from chance" in few.text


def test_each_data_set_is_told_apart(many: Board):
    head, _, *rows = many.tables["Macro-F1 and accuracy of each model on each data set"]
    sets = many.models["cnn8"]["validation"]["per_dataset"]
    assert head[1:] == [f"{name}, {part['faces']} faces" for name, part in sets.items()] and len(sets) == 2
    assert rows == [
        [name] + [f"{three(part[merit])} {between(part['interval'][merit])}"
                  for part in row["validation"]["per_dataset"].values() for merit in ("macro_f1", "accuracy")]
        for name, row in many.models.items()
    ]  # fmt: skip


def test_each_chart_has_its_exact_numbers(many: Board, boards: dict[str, Board]):
    def figures(merit: str) -> list[tuple]:
        parts = [row["validation"] for row in many.models.values()]
        return [(part[merit], *part["interval"][merit].values()) for part in parts]

    for merit, title in {"macro_f1": "Macro-F1", "accuracy": "Accuracy"}.items():
        rows = [(name, *values) for name, values in zip(many.models, figures(merit))]
        assert many.tables[f"Numbers of {title}"][1:] == cells(pd.DataFrame(rows))
        rows = [(names.replace(" - ", " − "), *(pair[merit][name] for name in ("difference", "low", "high")))
                for names, pair in many.neighbours.items()]  # fmt: skip
        assert many.tables[f"Numbers of {title}: better less next"][1:] == cells(pd.DataFrame(rows))
    for title, name in {"computation": "flops", "speed": "inference_images_per_second"}.items():
        rows = [(model, row["cost"][name], *values)
                for (model, row), values in zip(many.models.items(), figures("accuracy"))]  # fmt: skip
        assert many.tables[f"Numbers of Accuracy and {title}"][1:] == cells(pd.DataFrame(rows))
    assert [row[2:] for row in boards["few"].tables["Numbers of Macro-F1"][1:]] == [["–", "–"]] * 3


def test_speeds_of_different_devices_are_not_compared(many: Board, boards: dict[str, Board], tmp_path: Path):
    assert "Speeds were measured with 1 thread on Abacus 3000." in many.text
    other = made(tmp_path, "clear")
    other.models["cnn5"]["cost"]["device"] = "Abacus 4000"
    (other.project.folder / "metrics/benchmark.json").write_text(json.dumps(other.found))
    text = other.presented().text
    assert "do not compare: cnn8 on Abacus 3000, cnn5 on Abacus 4000." in text


def test_drawn_faces_are_said_to_be_drawn(boards: dict[str, Board]):
    for which, board in boards.items():
        assert ("They say nothing about people." in board.text) == board.found["drawn_faces"] == (which != "few")


def test_how_to_repeat_it(many: Board):
    rows = many.tables["The params that the benchmark depends on"]
    assert ["benchmark.models", json.dumps(list(SKILLS["many"]))] in rows and ["benchmark.folds", "[0, 1, 2]"] in rows
    assert ["models.googlenet.input_size", "96"] in rows and "models.vgg16.input_size" not in dict(rows)
    assert "dvc repro stages/benchmark/dvc.yaml" in many.text


def test_the_page_needs_nothing_else_and_shows_no_face(boards: dict[str, Board]):
    for board in boards.values():
        page = board.page
        assert not re.search(r"https?:|<script|@import|<img|data:image", page)
        assert all(link.startswith(("#", "data:,")) for link in re.findall(r'(?:src|href)="(.*?)"', page))
        ids = re.findall(r'\bid="(.*?)"', page)
        assert len(ids) == len(set(ids)) and set(re.findall(r'href="#(.*?)"', page)) <= set(ids)
        assert not re.search("#0[0-9a-f]{5}", page)  # a stand-in for a colour that was not exchanged
        assert "nan" not in board.text.lower().split() and "None" not in board.text


def test_the_same_figures_give_the_same_bytes(many: Board):
    again = many.project.stage("benchmark.report", PYTHONHASHSEED="1", TZ="Asia/Tokyo", LANG="C")
    assert "plots/benchmark.html" in again and many.file.read_text(encoding="utf-8") == many.page


def test_a_benchmark_that_did_not_run_is_refused(project: Project):
    line = project.refused("benchmark.report")
    assert line.startswith("metrics/benchmark.json: not found") and "dvc repro stages/benchmark/dvc.yaml" in line


def test_numbers_are_short():
    counts = {9.5: "9.5", 30.46: "30.5", 1204.4: "1,204", 123456: "123,456", 1e6: "1 M", 12.34e6: "12.3 M", 2e9: "2 G"}
    assert {number: shown(brief(number)) for number in counts} == counts
    times = {0.51: "0.51 s", 4.24: "4.2 s", 9.96: "10 s", 119: "119 s", 150: "2.5 min", 4321: "72 min", 9000: "2.5 h"}
    assert {seconds: shown(duration(seconds)) for seconds in times} == times
    assert [shown(probability(p)) for p in (0.0004, 0.012, 1)] == ["< 0.001", "0.012", "1.000"]
    assert [signed(value) for value in (-0.0206, 0.3)] == ["−0.021", "+0.300"]


# In a browser, with the network off


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(scheme: str, width: int, browser: Browser, boards: dict[str, Board]):
    for board in boards.values() if (scheme, width) == ("light", 390) else [boards["many"]]:
        with browser.opened(board.file, scheme, width) as page:
            assert page.errors == [] and page.requests == [board.file.as_uri()]
            assert page.overflow() == 0
            charts = page.boxes("figure.chart svg")
            assert len(charts) == (6 if board.neighbours else 4)
            assert all(0 < box["width"] <= width and box["height"] > 50 for box in charts)
            assert page.violations() == []
            page.tab.keyboard.press("Tab")
            assert page.tab.evaluate("document.activeElement.className") == "skip"


def test_models_are_named_on_the_charts_and_no_name_covers_another(browser: Browser, many: Board):
    with browser.opened(many.file, "light", 390) as page:
        for title in ("computation", "speed"):
            texts = page.tab.query_selector_all(f"svg[aria-label^='Accuracy and {title}'] text")
            boxes = {text.text_content(): text.bounding_box() for text in texts}
            assert set(many.models) <= set(boxes)
            for one, other in combinations([boxes[name] for name in many.models], 2):
                apart = [abs(one[x] + one[size] / 2 - other[x] - other[size] / 2) - (one[size] + other[size]) / 2
                         for x, size in (("x", "width"), ("y", "height"))]  # fmt: skip
                assert max(apart) > -4, (one, other)  # pixels; the fonts of a browser have room above and below
