"""The page of the benchmark: metrics, claims and their limits, and the page in a browser."""

import json
import re
import shlex
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.browser import Browser
from helpers.project import Project
from helpers.tables import Tables, cell_texts, decimals
from stages.base.errors import InputError
from stages.benchmark import report
from stages.benchmark.comparison.leaderboard import Runs, leaderboard
from stages.reporting.benchmark_charts import model_intervals
from stages.reporting.page import duration, p_value, short_number, signed

LABELS = ["anger", "happy", "neutral"]
SEEN = {"faces": 1186, "of": 2647, "same_image": 1000, "near_duplicate": 86, "same_group": 100}
MODELS = "models: [cnn5, cnn8, convnet, mini_xception]"
SKILLS = {  # of the models of made-up benchmarks; the second of `many` is as good as the first
    "many": {"cnn5": 0.2, "cnn8": 3.1, "convnet": 1.5, "mini_xception": 1.5, "googlenet": 3.0, "resnet18": 1.4},
    "clear": {"cnn5": 0.5, "cnn8": 3.0},
    "few": {"cnn5": 0.5, "cnn8": 1.5, "convnet": 1.4},
    "alone": {"vgg16": 1.0},
}
CROSSED = {  # no face of a second data set has a label of the first
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
DIFFERENCES = "Differences between neighbours in the ranking"
LEADERBOARD = "Leaderboard: metrics and costs of each model, the best first"


class Board:
    """A made-up benchmark and its page."""

    def __init__(self, project: Project, skills: dict[str, float], people: int, folds: int, joules: bool) -> None:
        self.project, self.skills, self.people, self.folds = project, skills, people, folds
        self.rng = np.random.default_rng(7)
        models = {model: self._runs(skill, joules and model == "cnn8") for model, skill in skills.items()}
        if "resnet18" in models:
            models["resnet18"].facts["seen_test"] = SEEN
        self.found = leaderboard(models, LABELS) | {"drawn_faces": people > 4, "leaks": {}}
        self.models, self.neighbours = self.found["models"], self.found["neighbours"]
        project.edit("params.yaml", (MODELS, f"models: [{', '.join(skills)}]"))
        project.edit("params.yaml", ("folds: [0, 1, 2, 3, 4]", f"folds: {list(range(folds))}"))
        self.file = project.folder / "plots/benchmark.html"
        (project.folder / "metrics").mkdir()
        (project.folder / "metrics/benchmark.json").write_text(json.dumps(self.found))
        (project.folder / "metrics/cross.json").write_text(json.dumps(CROSSED))

    def report(self) -> "Board":
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.project.folder)
            report.main()
        self.page = self.file.read_text(encoding="utf-8")
        main = self.page[self.page.index("<main") :]
        self.text = " ".join(re.sub("<.*?>", "", main).replace("&nbsp;", " ").split())
        self.tables = Tables.of(self.page)
        return self

    def _runs(self, skill: float, joules: bool) -> Runs:
        validation = [self._predictions(skill, fold) for fold in range(self.folds)]
        test = [self._predictions(skill, -1) for _ in range(self.folds)]
        cost = {"parameters": int(10**self.rng.uniform(4, 7)), "flops": int(10**self.rng.uniform(7.5, 8.5)),
                "training_images_per_second": 9.5, "inference_images_per_second": round(self.rng.uniform(900, 1100), 1),
                "threads": 1, "device": "Abacus 3000"}  # fmt: skip
        if joules:
            cost |= {"training_joules_per_image": 0.5123, "inference_joules_per_image": 0.0512}
        return Runs(validation, test, test[0], {"epochs": 3.0, "training_seconds": 4321.0, "cost": cost})

    def _predictions(self, skill: float, fold: int) -> pd.DataFrame:
        """Return the predictions of a model for the faces of a fold, those of every `folds`-th person."""
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
    return Board(Project.copy(folder / which), SKILLS[which], people, folds, which == "clear").report()


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Board]:
    folder = tmp_path_factory.mktemp("boards")
    return {which: made(folder, which) for which in SKILLS}


@pytest.fixture
def many(boards: dict[str, Board]) -> Board:
    return boards["many"]


def test_metrics_across_data_sets(many: Board):
    rows = many.tables["Macro-F1 and accuracy of cnn5, trained on one data set and tested on another"]
    assert rows[2:] == [
        ["ck48", "2", "1,240", "0.500 0.250 to 0.625", "0.750 0.500 to 0.875", "0", "–", "–"],
        ["all", "3", "1,240", "0.600", "0.800", "9", "0.200", "0.300"],
    ]


def interval_text(part: dict, show=decimals) -> str:
    return f"{show(part['low'])} to {show(part['high'])}"


def test_the_summary_claims_only_what_is_significant(boards: dict[str, Board]):
    first, pair = {}, {}
    for which, board in boards.items():
        name, row = next(iter(board.models.items()))
        first[which] = (name, decimals(row["out_of_fold"]["macro_f1"]))
        pair[which] = next((found["macro_f1"] for found in board.neighbours.values()), None)
    assert pair["many"]["p_holm"] > 0.05 > pair["clear"]["p_holm"] and "p_holm" not in pair["few"]
    gap = {which: decimals(found["difference"]) for which, found in pair.items() if found}

    name, macro_f1 = first["many"]
    next_ = list(boards["many"].models)[1]
    assert (
        f"{name} ranks first of 6 models, with a macro-F1 of {macro_f1} on 270 out-of-fold faces" in boards["many"].text
    )
    assert (
        f"The next model, {next_}, is {gap['many']} lower, a difference that is not significant (p = "
        f"{decimals(pair['many']['p_holm'])}, corrected for 5 pairs; 95 % interval without this correction "
        f"{interval_text(pair['many'], signed)}). This is about these trained models, "
        "not about their recipes: each was trained with one seed."
    ) in boards["many"].text
    assert (
        f"The next model, cnn5, is {gap['clear']} lower, a difference that is significant (p &lt; 0.001; "
        f"95 % interval {interval_text(pair['clear'], signed)}). This is about these trained models"
    ) in boards["clear"].text
    few = boards["few"].text
    assert f"is {gap['few']} lower; there are too few groups of faces to test this difference." in few
    assert "95 % interval" not in few and "Percentage of simulated cases" not in boards["few"].page
    assert f"vgg16 has a macro-F1 of {first['alone'][1]} on 90 out-of-fold faces" in boards["alone"].text
    assert "there is no comparison" in boards["alone"].text and "Differences" not in boards["alone"].page


def test_the_leaderboard_shows_the_metrics_and_costs(many: Board):
    rows = many.tables[LEADERBOARD][2:]
    p_values = [single_spaced(p_value(pair["macro_f1"]["p_holm"])) for pair in many.neighbours.values()] + [""]
    assert rows == [
        [f"{row['rank']} {name}",
         f"{decimals(row['out_of_fold']['macro_f1'])} {interval_text(row['out_of_fold']['interval']['macro_f1'])}", p,
         f"{decimals(row['out_of_fold']['mean']['macro_f1'])} ± {decimals(row['out_of_fold']['std']['macro_f1'])}",
         f"{decimals(row['out_of_fold']['accuracy'])} {interval_text(row['out_of_fold']['interval']['accuracy'])}",
         f"{decimals(row['test']['mean']['macro_f1'])} ± {decimals(row['test']['std']['macro_f1'])}",
         decimals(row["test"]["ensemble"]["macro_f1"]), single_spaced(short_number(row["cost"]["parameters"])),
         single_spaced(short_number(row["cost"]["flops"])), "9.5",
         short_number(row["cost"]["inference_images_per_second"]), "72 min"]
        for (name, row), p in zip(many.models.items(), p_values, strict=True)
    ]  # fmt: skip


def single_spaced(text: str) -> str:
    return " ".join(text.split())


def test_energy_is_shown_if_it_was_measured(boards: dict[str, Board]):
    assert [row[-2:] for row in boards["clear"].tables[LEADERBOARD][1:]] == [
        ["Training, J/image", "Inference, J/image"], ["0.512", "0.0512"], ["–", "–"],
    ]  # fmt: skip
    assert "J/image" not in boards["many"].page and "energy" not in boards["many"].text


def test_a_single_run_has_no_standard_deviation(boards: dict[str, Board]):
    _, head, row = boards["alone"].tables[LEADERBOARD]
    assert head[:4] == ["Macro-F1", "One run", "Accuracy", "Single"] and "±" not in " ".join(row)
    assert "1 model, each trained once: 1 fold × 1 seed." in boards["alone"].text


def test_differences_and_rank_shares_show_the_metrics(many: Board, boards: dict[str, Board]):
    expected = []
    for names, pair in many.neighbours.items():
        row = [names.replace(" - ", " − ")]
        for metric in (pair["macro_f1"], pair["accuracy"]):
            verdict = "significant" if metric["p_holm"] < 0.05 else "not significant"
            row += [
                f"{signed(metric['difference'])} {interval_text(metric, signed)}",
                f"{single_spaced(p_value(metric['p_holm']))} {verdict}",
            ]
        expected.append(row)
    assert many.tables[DIFFERENCES][2:] == expected
    assert {row[2].endswith("not significant") for row in expected} == {True, False}
    assert many.tables["Percentage of simulated cases in which each model has each rank"] == [
        ["", *(str(rank) for rank in range(1, 7))],
        *([name, *(f"{100 * share:.0f}" for share in row["rank_shares"].values())]
          for name, row in many.models.items()),
    ]  # fmt: skip
    few = boards["few"]
    assert [row[1:] for row in few.tables[DIFFERENCES][2:]] == [
        [signed(pair[metric]["difference"]) for metric in ("macro_f1", "accuracy")] for pair in few.neighbours.values()
    ]
    assert "There are no p-values, because the faces form only 4 groups" in few.text


def test_metrics_of_each_data_set(many: Board):
    head, _, *rows = many.tables["Macro-F1 and accuracy of each model on each data set"]
    sets = many.models["cnn8"]["out_of_fold"]["per_dataset"]
    assert head[1:] == [f"{name}, {part['faces']} faces" for name, part in sets.items()] and len(sets) == 2
    assert rows == [
        [name] + [f"{decimals(part[metric])} {interval_text(part['interval'][metric])}"
                  for part in row["out_of_fold"]["per_dataset"].values() for metric in ("macro_f1", "accuracy")]
        for name, row in many.models.items()
    ]  # fmt: skip


def test_each_chart_has_a_table_of_its_numbers(many: Board, boards: dict[str, Board]):
    def values_with_intervals(metric: str) -> list[tuple]:
        parts = [row["out_of_fold"] for row in many.models.values()]
        return [(part[metric], *part["interval"][metric].values()) for part in parts]

    for metric, title in {"macro_f1": "Macro-F1", "accuracy": "Accuracy"}.items():
        rows = [(name, *values) for name, values in zip(many.models, values_with_intervals(metric), strict=True)]
        assert many.tables[f"Numbers of {title}"][1:] == cell_texts(pd.DataFrame(rows))
        rows = [(names.replace(" - ", " − "), *(pair[metric][name] for name in ("difference", "low", "high")))
                for names, pair in many.neighbours.items()]  # fmt: skip
        assert many.tables[f"Numbers of {title}: better − next"][1:] == cell_texts(pd.DataFrame(rows))
    for title, name in {"computation": "flops", "speed": "inference_images_per_second"}.items():
        values = values_with_intervals("accuracy")
        costs = [(model, row["cost"][name]) for model, row in many.models.items()]
        rows = [(*cost, *row) for cost, row in zip(costs, values, strict=True)]
        assert many.tables[f"Numbers of Accuracy and {title}"][1:] == cell_texts(pd.DataFrame(rows))
    assert [row[2:] for row in boards["few"].tables["Numbers of Macro-F1"][1:]] == [["–", "–"]] * 3


def test_speeds_of_different_devices_are_not_compared(many: Board, boards: dict[str, Board], tmp_path: Path):
    assert "Speeds were measured with 1 thread on Abacus 3000." in many.text
    other = made(tmp_path, "clear")
    other.models["cnn5"]["cost"]["device"] = "Abacus 4000"
    (other.project.folder / "metrics/benchmark.json").write_text(json.dumps(other.found))
    text = other.report().text
    assert "cannot be compared: cnn8 on Abacus 3000, cnn5 on Abacus 4000." in text


def test_the_page_names_models_whose_initial_weights_have_seen_test_faces(many: Board, boards: dict[str, Board]):
    assert "resnet18 were trained on at least 1,186 of the 2,647 test and out-of-fold faces" in many.text
    assert many.text.index("The metrics of resnet18 on this page can be too high") < many.text.index("Summary")
    assert many.text.count("seen in training") == 1 and "seen in training" not in boards["clear"].text


def test_the_page_begins_with_what_the_split_leaks(tmp_path: Path, boards: dict[str, Board]):
    board = made(tmp_path, "few")
    leaks = {"out_of_fold": {"faces": 1070, "of": 2001}, "test": {"faces": 1186, "of": 2647}}
    crossed = json.loads(json.dumps(CROSSED))
    crossed["trained_on"]["ck48"] |= {"leaks": {"faces": 7, "of": 9}, "seen_test": SEEN}
    (board.project.folder / "metrics/benchmark.json").write_text(json.dumps(board.found | {"leaks": leaks}))
    (board.project.folder / "metrics/cross.json").write_text(json.dumps(crossed))
    text = board.report().text
    told = "test faces have a training face of the same subject, sequence or near-duplicate"
    assert text.index(f"1,186 of 2,647 {told}") < text.index("1,070 of 2,001 have one") < text.index("Summary")
    assert f"Trained on ck48: The split leaks. 7 of 9 {told}" in text and "leaks" not in boards["few"].text
    assert "Trained on ck48: initial weights or teachers saw at least 1,186 of the 2,647 test faces." in text


def test_the_page_tells_what_is_compared_and_what_few_groups_mean(many: Board, tmp_path: Path):
    assert "These trained models are compared, not their recipes" in many.text
    assert "not how much it depends on the seed of training" in many.text
    assert "percentage is not the probability that a model is the best" in many.text and "take care" not in many.text
    assert "with one seed, for these trained models only" in many.text
    assert many.text.count("one person can be in several groups") == 2
    assert "Bars are 95 % intervals, not corrected for the number of pairs." in many.text
    recipes = made(tmp_path, "clear")
    recipes.found["seeds"] = 3
    first = next(iter(recipes.models.values()))["out_of_fold"]
    first["warning"] = "only 9 groups: take care"
    (recipes.project.folder / "metrics/benchmark.json").write_text(json.dumps(recipes.found))
    text = recipes.report().text
    assert "Recipes are compared" in text and "of the 3 seeds" in text and "This is about the recipes." in text
    assert "depends on the groups of faces and on the seeds of training" in text
    assert "not their recipes" not in text and "trained models only" not in text
    assert text.count("Out of fold: only 9 groups: take care.") == 2


def test_the_page_names_drawn_faces(boards: dict[str, Board]):
    for which, board in boards.items():
        assert ("They say nothing about people." in board.text) == board.found["drawn_faces"] == (which != "few")


def test_under_cross_validation_the_ranking_is_by_test_faces(tmp_path: Path):
    board = made(tmp_path, "clear")
    told = "these faces are the test faces: metrics of a model that is chosen by this ranking are too high"
    assert told not in board.text and board.text.count("not used for the ranking") == 1
    board.project.edit("params.yaml", ("protocol: held_out", "protocol: cross_validation"))
    board.report()
    assert told in board.text and "not used for the ranking" not in board.text
    assert "do not affect the ranking" not in board.text


def test_how_to_repeat_it(many: Board):
    rows = many.tables["Parameters of the benchmark"]
    assert ["benchmark.models", json.dumps(list(SKILLS["many"]))] in rows and ["benchmark.folds", "[0, 1, 2]"] in rows
    assert ["models.googlenet.input_size", "96"] in rows and "models.vgg16.input_size" not in dict(rows)
    commands = re.search("<pre.*?<code>(.*?)</code>", many.page, re.DOTALL)[1].splitlines()
    train, show = (shlex.split(command, comments=True) for command in commands)
    assert "trains" in commands[0] and "--workers" in many.project.ok(*train, "--help")
    assert all(model in many.project.ok(*show) for model in many.models)


def test_the_page_is_self_contained_and_shows_no_face(boards: dict[str, Board]):
    for board in boards.values():
        page = board.page
        assert not re.search(r"https?:|<script|@import|<img|data:image", page)
        assert all(link.startswith(("#", "data:,")) for link in re.findall(r'(?:src|href)="(.*?)"', page))
        ids = re.findall(r'\bid="(.*?)"', page)
        assert len(ids) == len(set(ids)) and set(re.findall(r'href="#(.*?)"', page)) <= set(ids)
        assert not re.search("#0[0-9a-f]{5}", page)  # a placeholder that was not replaced by a colour
        assert "nan" not in board.text.lower().split() and "None" not in board.text


def test_the_same_inputs_give_the_same_bytes(many: Board):
    again = many.project.stage("benchmark.report", PYTHONHASHSEED="1", TZ="Asia/Tokyo", LANG="C")
    assert "plots/benchmark.html" in again and many.file.read_text(encoding="utf-8") == many.page


def test_a_missing_benchmark_is_reported(project: Project):
    line = project.refused("benchmark.report")
    assert line.startswith("metrics/benchmark.json: not found") and "python -m stages.benchmark.run" in line


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        ("benchmark", lambda content: content.pop("seeds"), "seeds: missing"),
        ("benchmark", lambda content: content.update(models=[]), "models: [] is not allowed"),
        ("benchmark", lambda content: content["models"]["cnn5"]["cost"].update(flops="many"),
         "models.cnn5.cost.flops: 'many' is not allowed"),
        ("benchmark", lambda content: content["neighbours"].popitem(), "6 models do not have 4 pairs"),
        ("benchmark", lambda content: next(iter(content["neighbours"].values()))["accuracy"].pop("high"),
         "low, high and p_holm stand together"),
        ("cross", lambda content: content["trained_on"].pop("all"), "no row 'all'"),
        ("cross", lambda content: content["trained_on"]["ck48"].update(tested_on=3), "trained_on.ck48.tested_on: 3"),
    ],
)  # fmt: skip
def test_a_file_that_was_edited_by_hand_is_named_with_its_key(
    many: Board, file: str, edit: Callable[[dict], object], message: str, monkeypatch: pytest.MonkeyPatch
):
    path = many.project.folder / f"metrics/{file}.json"
    before = path.read_text()
    content = json.loads(before)
    edit(content)
    path.write_text(json.dumps(content))
    monkeypatch.chdir(many.project.folder)
    try:
        with pytest.raises(InputError) as caught:
            report.main()
    finally:
        path.write_text(before)
    assert str(caught.value).startswith(f"metrics/{file}.json: ") and message in str(caught.value)


def test_formats_of_numbers():
    counts = {9.5: "9.5", 30.46: "30.5", 1204.4: "1,204", 123456: "123,456", 1e6: "1 M", 12.34e6: "12.3 M", 2e9: "2 G"}
    assert {number: single_spaced(short_number(number)) for number in counts} == counts
    times = {0.51: "0.51 s", 4.24: "4.2 s", 9.96: "10 s", 119: "119 s", 150: "2.5 min", 4321: "72 min", 9000: "2.5 h"}
    assert {seconds: single_spaced(duration(seconds)) for seconds in times} == times
    assert [single_spaced(p_value(p)) for p in (0.0004, 0.012, 1)] == ["< 0.001", "0.012", "1.000"]
    assert [signed(value) for value in (-0.0206, 0.3)] == ["−0.021", "+0.300"]


# In a browser without network


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(scheme: str, width: int, browser: Browser, boards: dict[str, Board]):
    for board in boards.values() if (scheme, width) == ("light", 390) else [boards["many"]]:
        with browser.opened(board.file, scheme, width) as page:
            assert page.errors == [] and page.requests == [board.file.as_uri()]
            assert page.overflow() == 0
            assert all(region["hint"] == region["wide"] for region in page.scroll_regions())
            charts = page.boxes("figure.chart svg")
            assert len(charts) == (6 if board.neighbours else 4)
            assert all(0 < box["width"] <= width and box["height"] > 50 for box in charts)
            assert page.violations() == []
            page.tab.keyboard.press("Tab")
            assert page.tab.evaluate("document.activeElement.className") == "skip"


def test_the_names_on_the_charts_do_not_overlap(browser: Browser, many: Board):
    with browser.opened(many.file, "light", 390) as page:
        for title in ("computation", "speed"):
            texts = page.tab.query_selector_all(f"svg[aria-label^='Accuracy and {title}'] text")
            boxes = {text.text_content(): text.bounding_box() for text in texts}
            assert set(many.models) <= set(boxes)
            for one, other in combinations([boxes[name] for name in many.models], 2):
                apart = [abs(one[x] + one[size] / 2 - other[x] - other[size] / 2) - (one[size] + other[size]) / 2
                         for x, size in (("x", "width"), ("y", "height"))]  # fmt: skip
                assert max(apart) > -4, (one, other)  # pixels; the fonts of a browser have room above and below


def test_a_dollar_in_a_name_is_drawn_as_a_dollar():
    rows = pd.DataFrame({"model": ["a$\\frac{$", "b$c$"], "value": [0.5, 0.6], "low": [0.4, 0.5], "high": [0.6, 0.7]})
    svg = model_intervals("Accuracy", rows, False).svg
    assert "a$\\frac{$" in svg and "b$c$" in svg
