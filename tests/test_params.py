"""params.yaml: what is wrong in it is named, with its value and the nearest right one."""

from pathlib import Path

import pytest
from conftest import ROOT

from stages.base import params
from stages.base.errors import InputError

WRONG = [
    ("model: cnn5", "model: cnn6", "model: 'cnn6'", "'cnn5'"),
    ("seed: 0", "sede: 0", "sede: unknown key (value 0)", "'seed'"),
    ("seed: 0", "seed: true", "seed: True", "integer"),
    ("source: demo", "source: demmo", "data.source: 'demmo'", "'demo'"),
    ("[ck48,", "[ck49,", "data.datasets.0: 'ck49'", "'ck48'"),
    ("[ck48, jaffe, sfew]", "[]", "data.datasets: []", "at least 1"),
    ("[ck48, jaffe, sfew]", "[ck48, ck48]", "data.datasets", "names one twice"),
    ("labels: [anger", "labels: [angry", "data.labels.0: 'angry'", "'anger'"),
    ("  size: 48", "  size: big", "data.size: 'big'", "integer"),
    ("channels: 1", "channels: 2", "data.channels: 2", "1, 3"),
    ("ck48: {faces: 360}", "ck48: {facs: 360}", "sources.demo.ck48.facs", "'faces'"),
    ("folds: 5", "folds: 1", "split.folds: 1", "greater than or equal to 2"),
    ("fold: 0 ", "fold: 5 ", "split: fold 5 does not exist", "0 to 4"),
    ("lr: ", "lr: -", "train.lr: -", "greater than 0"),
    ("cnn5: {}", "cnn5: {lrr: 3}", "models.cnn5.lrr: unknown key (value 3)", "'lr'"),
    ("cnn5: {}", "cnn5: {epochs: many}", "models.cnn5.epochs: 'many'", "integer"),
    ("model: cnn5", "model: [", "not readable as YAML", "line"),
]


@pytest.mark.parametrize(("right", "wrong", "key", "help"), WRONG)
def test_a_mistake_is_named(tmp_path: Path, right: str, wrong: str, key: str, help: str):
    text = (ROOT / "params.yaml").read_text()
    assert right in text
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(right, wrong, 1))
    with pytest.raises(InputError) as error:
        params.load(path)
    assert key in str(error.value) and help in str(error.value) and "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="not found"):
        params.load(tmp_path / "params.yaml")


def test_the_recipe_is_train_with_what_the_model_changes(tmp_path: Path):
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text().replace("cnn5: {}", "cnn5: {lr: 5e-4}", 1))
    changed, plain = params.load(path).recipe, params.load(ROOT / "params.yaml").train
    assert changed.lr == 5e-4  # YAML 1.2, as DVC writes it: PyYAML would read a text
    assert changed.model_dump(exclude={"lr"}) == plain.model_dump(exclude={"lr"})
