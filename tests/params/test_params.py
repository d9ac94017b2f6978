"""params.yaml: what is wrong in it is named, with its value and the nearest right one."""

import re
from pathlib import Path

import pytest

from helpers.project import ROOT
from stages.base.errors import InputError
from stages.params.complete import Params
from stages.params.models import load_recipe
from stages.params.train import Train

TEXT = (ROOT / "params.yaml").read_text()
DEALT = TEXT[TEXT.index("  protocol: ") : TEXT.index("  fold: ")]  # protocol, by and folds
SEARCHED = "lr: {low: 0.0003, high: 0.01, log: true}"
WRONG = [
    ("model: cnn5", "model: cnn55", "model: 'cnn55'", "'cnn5'"),
    ("seed: 0", "sede: 0", "sede: unknown key (value 0)", "'seed'"),
    ("seed: 0", "seed: true", "seed: True", "integer"),
    ("source: demo", "source: demmo", "data.source: 'demmo'", "'demo'"),
    ("[ck48,", "[ck49,", "data.datasets.0: 'ck49'", "'ck48'"),
    ("[ck48, jaffe, sfew]", "[]", "data.datasets: []", "at least 1"),
    ("[ck48, jaffe, sfew]", "[ck48, ck48]", "data.datasets", "a value twice"),
    ("labels: [anger", "labels: [angry", "data.labels.0: 'angry'", "'anger'"),
    ("  size: 48", "  size: big", "data.size: 'big'", "integer"),
    ("channels: 1", "channels: 2", "data.channels: 2", "1, 3"),
    ("ck48: {faces: 360}", "ck48: {facs: 360}", "sources.demo.ck48.facs", "'faces'"),
    ("folds: 5", "folds: 1", "split.folds: 1", "greater than or equal to 2"),
    ("fold: 0 ", "fold: 5 ", "split: fold 5 does not exist", "0 to 4"),
    ("protocol: held_out", "protocol: loso", "split.protocol: 'loso'", "cross_validation"),
    (
        DEALT,
        "  protocol: cross_validation\n  by: groups\n  test_on: null\n  folds: 2\n",
        "split: folds 2 and validation_folds 1 leave no fold to train on beside a test fold and the validation folds",
        "raise folds",
    ),
    (DEALT, "  protocol: held_out\n  by: faces\n  test_on: sfew\n  folds: 5\n", "split: test_on sfew", "by groups"),
    (DEALT, "  protocol: official\n  by: faces\n  test_on: null\n  folds: 5\n", "split.by: faces under", "whole_parts"),
    ("test_on: null", "test_on: rafdb", "split.test_on: rafdb must be one of data.datasets", "another one"),
    ("test_on: null", "test_on: rafd", "split.test_on: 'rafd'", "'rafdb'"),
    (
        DEALT + "  fold: 0",
        "  protocol: official\n  by: groups\n  test_on: null\n  folds: 5\n  fold: 1",
        "split: protocol official",
        "fold 1",
    ),
    ("validation_folds: 1", "validation_folds: 0", "split.validation_folds: 0", "greater than or equal to 1"),
    ("validation_folds: 1", "validation_folds: 5", "split: folds 5 and validation_folds 5", "lower validation_folds"),
    ("lr: ", "lr: -", "train.lr: -", "greater than 0"),
    ("cnn5: {}", "cnn5: {lrr: 3}", "models.cnn5.lrr: unknown key (value 3)", "'lr'"),
    ("cnn5: {}", "cnn5: {epochs: many}", "models.cnn5.epochs: 'many'", "integer"),
    ("arch: null", "arch: 5", "train.arch: 5", "string"),
    ("epochs: 12", "epochs: 0", "train.epochs: 0", "greater than or equal to 1"),
    ("batch_size: 32", "batch_size: 1", "train.batch_size: 1", "greater than or equal to 2"),
    ("accumulation: 1 ", "accumulation: 5 ", "train: batch_size 32 cannot", "accumulation 5"),
    ("bias_lr: 1.0", "bias_lr: 0.0", "train.bias_lr: 0.0", "greater than 0"),
    ("layer_decay: 1.0", "layer_decay: 1.5", "train.layer_decay: 1.5", "less than or equal to 1"),
    ("freeze_epochs: 0", "freeze_epochs: -1", "train.freeze_epochs: -1", "greater than or equal to 0"),
    ("schedule: cosine", "schedule: cosin", "train.schedule: 'cosin'", "'cosine'"),
    ("warm_up: 0.2", "warm_up: 1.0", "train.warm_up: 1.0", "less than or equal to 0.9"),
    (
        "schedule: cosine    # of the learning rate: cosine, one_cycle, plateau (halved without progress) or constant\n"
        "  warm_up: 0.2",
        "schedule: one_cycle\n  warm_up: 0.0",
        "train: schedule one_cycle",
        "above 0",
    ),
    ("clip: null", "clip: 0.0", "train.clip: 0.0", "greater than 0"),
    ("dropout: null", "dropout: 1.0", "train.dropout: 1.0", "less than 1"),
    ("label_smoothing: 0.1", "label_smoothing: 1.1", "train.label_smoothing: 1.1", "less than 1"),
    ("gpu_batch_size: 256", "gpu_batch_size: 1", "train.gpu_batch_size: 1", "greater than or equal to 2"),
    ("focal: 0.0", "focal: -1.0", "train.focal: -1.0", "greater than or equal to 0"),
    ("balance: none", "balance: sample", "train.balance: 'sample'", "'sampling'"),
    ("balance: none", "balance: weights", "train.balance: 'weights' and augment.balance: 1.0", "set one to none"),
    ("erasing: 0.0", "erasing: 2.0", "train.erasing: 2.0", "less than or equal to 1"),
    ("mixup: 0.0", "mixup: -0.1", "train.mixup: -0.1", "greater than or equal to 0"),
    ("cutmix: 0.0", "cutmix: 11.0", "train.cutmix: 11.0", "less than or equal to 10"),
    ("cnn5: {}", "cnn5: {mixup: 0.2, batch_size: 33}", "models.cnn5: mixup and cutmix", "make batch_size even"),
    ("ema: 0.0", "ema: 1.0", "train.ema: 1.0", "less than 1"),
    ("precision: auto", "precision: bf16", "train.precision: 'bf16'", "'bfloat16'"),
    ("normalise: faces", "normalise: both", "train.normalise: 'both'", "faces, face"),
    ("test_views: 1", "test_views: 3", "train.test_views: 3", "1, 2, 10"),
    ("memory_share: 0.4", "memory_share: 1.5", "train.memory_share: 1.5", "less than or equal to 0.9"),
    ("execution: auto", "execution: eagr", "train.execution: 'eagr'", "'eager'"),
    ("checkpoint_minutes: 2", "checkpoint_minutes: 0", "train.checkpoint_minutes: 0", "greater than 0"),
    ("models: [cnn5,", "models: [cnn50,", "benchmark.models: 'cnn50'", "'cnn5'"),
    ("seeds: [0, 1, 2]", "seeds: [0, 0]", "benchmark.seeds", "a value twice"),
    ("lr: {low:", "lrr: {low:", "search.lrr: 'lrr' is unknown", "'lr'"),
    ("low: 0.0003", "lo: 0.0003", "search.lr.lo: unknown key", "'low'"),
    ("low: 0.0003, ", "", "search.lr: give either", "choices"),
    (SEARCHED, "lr: {choices: [0.1, 0.2], low: 0.1}", "search.lr: give either", "choices"),
    (SEARCHED, "lr: {choices: [0.1]}", "search.lr.choices: [0.1]", "at least 2"),
    (SEARCHED, "lr: {choices: [0.1, 0.1]}", "search.lr.choices: [0.1, 0.1]", "twice"),
    (SEARCHED, "lr: {choices: [0.1, [2]]}", "search.lr: [2]", "number"),
    ("low: 0.0003", "low: little", "search.lr.low: 'little'", "is not a number"),
    ("high: 0.01, log", "high: .inf, log", "search.lr.high: inf", "is not a number"),
    ("low: 0.0003", "low: 0.1", "search.lr: low 0.1", "less than high 0.01"),
    ("high: 0.01, log", "high: 100, log", "search.lr: 100", "less than or equal to 10"),
    (
        "label_smoothing: {low: 0.0, high: 0.2",
        "label_smoothing: {low: 0.0, log: true, high: 0.2",
        "search.label_smoothing: log",
        "above 0",
    ),
    (
        "label_smoothing: {low: 0.0, high: 0.2",
        "label_smoothing: {low: 0.0, high: 1",
        "search.label_smoothing: 1",
        "less than 1",
    ),
    (SEARCHED, "epochs: {low: 1.5, high: 3}", "search.epochs: 1.5", "integer"),
    (SEARCHED, "tensorboard: {low: 0, high: 1}", "search.tensorboard: 0", "string"),
    (SEARCHED, "arch: {choices: [cnn5, 8]}", "search.arch: 8", "string"),
    (SEARCHED, "schedule: {choices: [cosine, cosin]}", "search.schedule: 'cosin'", "'cosine'"),
    (SEARCHED, "accumulation: {choices: [1, 5]}", "search: batch_size 32 cannot", "accumulation 5"),
    (
        SEARCHED,
        "balance: {choices: [none, weights]}",
        "search.balance: 'weights' and augment.balance: 1.0",
        "set one to none",
    ),
    ("faces: true", "faces: some", "report.faces: 'some'", "boolean"),
    ("launch: python", "launch: pyhton", "launch: 'pyhton'", "torchrun"),
    ("model: cnn5", "model: [", "not readable as YAML", "line"),
]


@pytest.mark.parametrize(("right", "wrong", "key", "help"), WRONG)
def test_a_mistake_is_named(tmp_path: Path, right: str, wrong: str, key: str, help: str):
    text = (ROOT / "params.yaml").read_text()
    assert right in text
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(right, wrong, 1))
    with pytest.raises(InputError) as error:
        Params.load(path)
    assert key in str(error.value) and help in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("  folds: [0, 1, 2, 3, 4]", "  folds: [0, 5]", "benchmark.folds: fold 5 does not exist; folds are 0 to 4"),
        (
            "validation_folds: 1",
            "validation_folds: 4",
            "split.folds: 5 folds leave none to train on beside the fold that",
        ),
        ("protocol: held_out", "protocol: official", "split.protocol: official has no fold by which"),
        ("  review: cnn5 ", "  review: cnn7 ", "benchmark.review: 'cnn7' is not one of `benchmark.models`"),
        ("cnn8: {", "cnn8: {balance: weights, ", "models.cnn8.balance: 'weights' and augment.balance: 1.0 both"),
    ],
)
def test_the_benchmark_is_checked_when_it_is_run(tmp_path: Path, right: str, wrong: str, message: str):
    path = tmp_path / "params.yaml"
    text = (ROOT / "params.yaml").read_text()
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    params = Params.load(path)
    with pytest.raises(InputError, match=re.escape(message)):
        params.check_benchmark()


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="not found"):
        Params.load(tmp_path / "params.yaml")


def test_the_recipe_is_train_with_what_the_model_changes(tmp_path: Path):
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text().replace("cnn5: {}", "cnn5: {lr: 5e-4}", 1))
    changed, plain = load_recipe("cnn5", path), Train.load(ROOT / "params.yaml")
    assert changed.arch == "cnn5" and changed.lr == 5e-4  # YAML 1.2, as DVC writes it: PyYAML would read a text
    assert changed.model_dump(exclude={"arch", "lr"}) == plain.model_dump(exclude={"arch", "lr"})
