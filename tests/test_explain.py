import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from ruamel.yaml import YAML
from torch import nn

from helpers.evaluated import LABELS, write_tree
from helpers.project import ROOT
from stages import explain
from stages.architectures.vgg16 import Enlarge
from stages.base.errors import InputError
from stages.faces.table import write_index
from stages.inspection.cam import activation_maps, overlay
from stages.inspection.cam_layer import as_feature_maps, target_layer
from stages.inspection.examples import select_examples
from stages.models.networks import build, head
from stages.models.saved_model import load, save
from stages.training.augmentation import augmented_examples

MODELS = YAML(typ="safe").load(ROOT / "params.yaml")["models"]
SLOW = {"vgg16", "vit_b16", "vit_mod"}


def predicted(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the test faces with a random prediction of each."""
    probabilities = np.random.default_rng(1).dirichlet(np.ones(len(LABELS)), len(rows)).round(6)
    table = rows[["id", "dataset", "file", "label"]].reset_index(drop=True)
    prediction = np.array(LABELS)[probabilities.argmax(axis=1)]
    return table.assign(group=0, prediction=prediction, **dict(zip(LABELS, probabilities.T, strict=True)))


@pytest.fixture
def predictions() -> pd.DataFrame:
    labels = np.random.default_rng(0).choice(LABELS, 60)
    rows = pd.DataFrame({"id": np.arange(60)[::-1] * 2, "dataset": "ck48", "file": "a.png", "label": labels})
    return predicted(rows)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, predictions: pd.DataFrame) -> Path:
    """Write an untrained model, faces, and predictions for every second face; work in that folder."""
    write_tree(tmp_path, predictions.assign(split="test", fold=-1), drawn=False)
    network, config = load(tmp_path / "data/model")
    save(tmp_path / "data/model", network, config | {"fold": 0, "recipe": config["recipe"] | {"strength": 0.5}})
    (tmp_path / "data/predictions").mkdir()
    write_index(predictions, tmp_path / "data/predictions/test.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table() -> pd.DataFrame:
    return pd.read_csv("plots/explained/faces.csv", keep_default_na=False)


def image(name: str) -> np.ndarray:
    return np.asarray(Image.open(Path("plots/explained") / name))


# Examples


def test_mistakes_are_the_most_confident_ones_in_descending_order(predictions: pd.DataFrame) -> None:
    confidence = predictions[LABELS].max(axis=1)
    wrong = predictions.label != predictions.prediction
    shown = select_examples(predictions, LABELS, 24).query("kind == 'mistake'")
    expected = confidence[wrong].sort_values(ascending=False)[:24]
    assert len(shown) == 24 and shown.probability.tolist() == expected.tolist()
    assert shown.id.tolist() == predictions.id[expected.index].tolist()
    assert len(select_examples(predictions, LABELS, 100).query("kind == 'mistake'")) == wrong.sum()


def test_grid_and_right_hold_the_most_confident_face_of_each_pair_in_label_order(predictions: pd.DataFrame) -> None:
    rows = select_examples(predictions, LABELS, 24)
    grid, right = rows[rows.kind == "grid"], rows[rows.kind == "right"]
    confidence = predictions.assign(confidence=predictions[LABELS].max(axis=1))
    pairs = confidence.groupby(["label", "prediction"]).confidence.max()
    assert grid.set_index(["label", "prediction"]).probability.to_dict() == pairs.to_dict()
    assert [*zip(grid.label, grid.prediction, strict=True)] == sorted(
        pairs.index, key=lambda pair: [*map(LABELS.index, pair)]
    )
    assert (right.label == right.prediction).all() and right.label.tolist() == LABELS
    assert right.probability.tolist() == [pairs[label, label] for label in LABELS]


def test_equally_confident_faces_are_sorted_by_id(predictions: pd.DataFrame) -> None:
    same = predictions.assign(label="anger", prediction="fear", **dict(zip(LABELS, (0.1, 0.7, 0.1, 0.1), strict=True)))
    rows = select_examples(same, LABELS, 24)
    assert rows[rows.kind == "mistake"].id.tolist() == list(range(0, 48, 2))
    assert rows.kind.value_counts().to_dict() == {"grid": 1, "mistake": 24}


def test_without_mistakes_no_mistake_is_selected(predictions: pd.DataFrame) -> None:
    rows = select_examples(predictions.assign(label=predictions.prediction), LABELS, 24)
    assert rows.kind.value_counts().to_dict() == {"grid": 4, "right": 4}


# Activation maps


class LeftHalf(nn.Module):
    """A network whose logit is the brightness of the left half for class 0, and the negative of it for class 1."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 1, 3, padding=1, bias=False)
        self.convolution.weight.data.fill_(1)
        left = torch.zeros(8, 8)
        left[:, :4] = 1
        self.classifier = nn.Linear(64, 2, bias=False)
        self.classifier.weight.data = torch.stack([left.flatten(), -left.flatten()])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.convolution(images).flatten(1))


def test_a_network_that_depends_on_the_left_half_has_a_map_on_the_left() -> None:
    cam = activation_maps(LeftHalf(), torch.ones(1, 1, 8, 8), [0])[0]
    assert cam[:, :4].min() > 0.4 and cam[:, 4:].max() == 0


def test_each_map_belongs_to_its_face_and_class() -> None:
    images = torch.zeros(3, 1, 8, 8)
    images[0, :, 1, 1] = images[1, :, 6, 1] = images[2] = 1
    first, second, against = activation_maps(LeftHalf(), images, [0, 0, 1])
    assert first[1, 1] > 0.99 and first[4:].max() == 0
    assert second[6, 1] > 0.99 and second[:4].max() == 0
    assert against.max() == 0  # no positive contribution


def test_maps_are_computed_in_evaluation_mode() -> None:
    torch.manual_seed(0)
    network, images = build("cnn5", 2, 1, 16, 0.5).train(), torch.randn(2, 1, 16, 16)
    together, alone = activation_maps(network, images, [0, 1]), activation_maps(network, images[1:], [1])
    np.testing.assert_array_equal(together[1:], alone)
    assert not network.training


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in MODELS]
)
def test_every_architecture_has_activation_maps(name: str) -> None:
    torch.manual_seed(0)
    size = MODELS[name].get("input_size", 48)
    network = build(MODELS[name].get("arch", name), 3, 1, size, None).eval()
    nn.init.normal_(head(network).weight)
    image = torch.randn(1, 1, size, size)
    outputs = []
    with target_layer(network, image).register_forward_hook(lambda module, given, output: outputs.append(output)):
        network(image)
    assert as_feature_maps(outputs[0]).shape[-1] >= 4
    maps = [activation_maps(network, image, [number])[0] for number in range(3)]
    for cam in maps:
        assert cam.shape == (size, size) and np.isfinite(cam).all() and cam.min() >= 0 and cam.max() <= 1
    assert max(cam.max() for cam in maps) == pytest.approx(1) and max(cam.std() for cam in maps) > 0.05
    assert any((maps[0] != cam).any() for cam in maps[1:])


@pytest.mark.parametrize("pooled", ["token", "avg"])
def test_layers_whose_patches_do_not_affect_the_logits_are_skipped(pooled: str) -> None:
    """With a class token, patches do not affect the logits after the last attention; with their mean, they do."""
    from timm.models import VisionTransformer

    network = VisionTransformer(32, 8, 1, 2, pooled, 24, 2, 2, class_token=pooled == "token", fc_norm=False).eval()
    layer = target_layer(network, torch.randn(1, 1, 32, 32))
    assert layer is (network.blocks[-1].attn.qkv if pooled == "token" else network.norm)
    assert activation_maps(network, torch.randn(2, 1, 32, 32), [0, 1]).max() > 0


def test_layers_that_enlarge_feature_maps_are_skipped() -> None:
    body = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(4), Enlarge(2, 7))
    network = nn.Sequential(body, nn.Flatten(), nn.Linear(98, 2))
    assert target_layer(network, torch.randn(1, 1, 8, 8)) is body[0]


def test_outputs_of_every_layout_become_feature_maps() -> None:
    expected = torch.arange(2 * 3 * 16).view(2, 3, 4, 4)
    tokens = expected.flatten(2).transpose(1, 2)
    for output in (expected, expected.permute(0, 2, 3, 1), tokens, torch.cat([tokens[:, :1], tokens], dim=1)):
        assert torch.equal(as_feature_maps(output), expected)
    assert as_feature_maps(torch.zeros(2, 5)) is None


def test_a_network_without_feature_maps_is_an_error() -> None:
    with pytest.raises(InputError, match="no layer of the network has feature maps"):
        activation_maps(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), torch.zeros(1, 1, 8, 8), [0])


def test_an_overlay_of_zeros_leaves_the_face_and_one_of_ones_colours_it() -> None:
    face = np.full((48, 48), 90, np.uint8)
    assert (overlay(face, np.zeros((24, 24), np.float32)) == 90).all()
    red, _, blue = overlay(np.stack([face] * 3, axis=2), np.ones((64, 64), np.float32))[20, 20].astype(int)
    assert red > 150 and red > blue


# Augmented faces


@pytest.mark.parametrize("shape", [(16, 16), (16, 16, 3)])
def test_the_original_face_comes_before_its_augmented_versions(shape: tuple[int, ...]) -> None:
    face = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    first, *others = augmented_examples(face, 7, 0.5, seed=0)
    np.testing.assert_array_equal(first, face)
    assert len({other.tobytes() for other in others} | {face.tobytes()}) == 8
    assert all(other.shape == shape for other in others)
    assert all((other == face).all() for other in augmented_examples(face, 3, 0, seed=0))


# The stage


def test_images_show_the_faces_named_in_the_table(tree: Path) -> None:
    explain.main()
    faces, rows = np.load("data/merged/faces.npy"), table()
    assert list(rows) == ["kind", "id", "dataset", "label", "prediction", "probability", "face", "map"]
    for row in rows.itertuples():
        assert (row.map != "") == (row.kind in ("mistake", "right"))
        if row.kind != "distorted":
            np.testing.assert_array_equal(image(row.face), faces[row.id])
        if row.map:
            assert image(row.map).shape == (16, 16, 3)
    augmented = rows[rows.kind == "distorted"]
    assert len(augmented) == augmented.face.nunique() == 8 and augmented.id.nunique() == 1
    assert augmented.id.iloc[0] % 2 == 1 and (augmented.prediction == "").all()  # odd ids are training faces
    np.testing.assert_array_equal(image(augmented.face.iloc[0]), faces[augmented.id.iloc[0]])
    named = {*rows["face"], *rows["map"], "faces.csv"} - {""}
    assert {path.name for path in Path("plots/explained").iterdir()} == named


def test_a_second_run_writes_the_same_bytes(tree: Path) -> None:
    def run() -> dict[str, bytes]:
        explain.main()
        return {path.name: path.read_bytes() for path in Path("plots/explained").iterdir()}

    first = run()
    shutil.rmtree("plots")
    assert run() == first


def test_large_faces_in_colour_are_shown_as_thumbnails(tree: Path) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (120, 100, 100, 3), dtype=np.uint8)
    np.save("data/merged/faces.npy", faces)
    _, config = load(Path("data/model"))
    inputs = {"size": 16, "mean": [0.5] * 3, "std": [0.25] * 3, "per_face": False}
    save(Path("data/model"), build("cnn5", 4, 3, 16, 0.3), config | {"channels": 3, "inputs": inputs})
    explain.main()
    assert {image(name).shape for name in {*table()["face"], *table()["map"]} - {""}} == {(96, 96, 3)}


def test_one_test_face_is_enough(tree: Path, predictions: pd.DataFrame) -> None:
    write_index(predictions[:1], Path("data/predictions/test.csv"))
    explain.main()
    kind = "right" if predictions.label[0] == predictions.prediction[0] else "mistake"
    assert table().kind.value_counts().to_dict() == {"grid": 1, "distorted": 8, kind: 1}


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda rows: rows[:0], "has no faces; raise split.test_share"),
        (lambda rows: rows.assign(label="contempt"), "'contempt' is not one of"),
    ],
)
def test_unusable_predictions_are_an_error(tree: Path, predictions, spoil, line: str) -> None:
    write_index(spoil(predictions), Path("data/predictions/test.csv"))
    with pytest.raises(InputError, match=line):
        explain.main()
    assert not Path("plots").exists()
