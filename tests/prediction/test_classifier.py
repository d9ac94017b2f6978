"""The classifier: crops as in training, and the probabilities of a saved model."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.drawn_faces import drawn_face
from helpers.small_model import LABELS, write_model
from stages.base.errors import InputError
from stages.datasets.crop import MARGIN, cut_out
from stages.datasets.picture import Face as MergedFace
from stages.datasets.picture import Picture, prepare
from stages.detection.detector import Box, Detector
from stages.models.forward import model_logits
from stages.models.saved_model import load
from stages.prediction.classifier import Classifier


@pytest.fixture(scope="module", params=[1, 3])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"), request.param)


def evaluated(model: Path, content: bytes, crop: bool = False) -> dict[str, float]:
    """The calibrated probabilities that evaluate gives a picture which merge has read."""
    network, config = load(model)
    merged = prepare(Picture("a.png", "happy", content, crop=crop), config["face_size"], config["channels"])
    assert isinstance(merged, MergedFace) and merged.crop == ("detected" if crop else "")
    shape = (1, 48, 48) if config["channels"] == 1 else (1, 48, 48, 3)
    face = torch.from_numpy(np.frombuffer(merged.pixels, np.uint8).reshape(shape).copy())
    outputs = model_logits(network, config, face).double() / config["temperature"]
    return dict(zip(LABELS, outputs.softmax(1)[0].tolist(), strict=True))


@pytest.mark.parametrize("dataset", ["ck48", "fer2013", "rafdb"])
def test_a_face_that_is_cropped_already_is_predicted_as_evaluate_does(model: Path, tmp_path: Path, dataset: str):
    classifier = Classifier.load(model)
    for number in range(3):
        path = tmp_path / f"{number}.png"
        Image.fromarray(drawn_face(dataset, number)).save(path)
        (face,) = classifier(path)
        ((told,),) = classifier.predict([drawn_face(dataset, number)], cropped=True)
        assert face.probabilities == pytest.approx(evaluated(model, path.read_bytes()), abs=1e-6)
        assert told.probabilities == face.probabilities
        assert face.label == max(face.probabilities, key=face.probabilities.get)


def test_an_oblong_face_is_predicted_as_evaluate_does(model: Path, tmp_path: Path):
    picture = drawn_face("sfew", 0)
    Image.fromarray(picture).save(tmp_path / "a.png")
    ((face,),) = Classifier.load(model).predict([picture], cropped=True)
    assert picture.shape[0] > picture.shape[1]
    assert face.probabilities == pytest.approx(evaluated(model, (tmp_path / "a.png").read_bytes()), abs=1e-6)


def test_a_face_is_cut_out_and_predicted_as_in_merge_and_evaluate(model: Path, tmp_path: Path):
    classifier = Classifier.load(model)
    for number, (tilt, side) in enumerate([(0, 640), (20, 256), (-8, 256), (0, 640), (3, 256)]):
        path = tmp_path / f"{number}.png"
        grey = Image.fromarray(drawn_face("jaffe", number)).convert("L")  # colour becomes grey before or after turning
        grey.rotate(tilt, Image.Resampling.BICUBIC, fillcolor=128).resize((side, side)).save(path)
        assert classifier(path)[0].probabilities == pytest.approx(evaluated(model, path.read_bytes(), True), abs=1e-6)


@pytest.mark.parametrize("tilt", [-25, -15, 15, 25])
def test_a_tilted_head_is_turned_upright(tilt: float):
    detect, turned, not_turned = Detector(1), [], []
    for number in range(5):
        picture = drawn_face("jaffe", number)
        tilted = np.asarray(Image.fromarray(picture).rotate(-tilt, Image.Resampling.BICUBIC, fillcolor=(128,) * 3))
        (before,), (box,) = detect(picture), detect(tilted)
        assert abs(box.roll - before.roll - tilt) < 8
        upright = cut_out(picture, before._replace(roll=0), 48, 1).ravel()
        turned.append(np.corrcoef(upright, cut_out(tilted, box, 48, 1).ravel())[0, 1])
        not_turned.append(np.corrcoef(upright, cut_out(tilted, box._replace(roll=0), 48, 1).ravel())[0, 1])
    assert np.median(np.subtract(turned, not_turned)) > 0.05, (turned, not_turned)


def test_several_pictures_at_once_are_predicted_as_one_after_another(model: Path):
    classifier = Classifier.load(model)
    pictures = [drawn_face("jaffe", 0), np.zeros((50, 60, 3), np.uint8), np.hstack([drawn_face("jaffe", 1)] * 2)]
    together = classifier.predict(pictures)
    assert [len(faces) for faces in together] == [1, 0, 2]
    for faces, picture in zip(together, pictures, strict=True):
        for one, other in zip(faces, classifier(picture), strict=True):
            assert one.box == other.box and one.probabilities == pytest.approx(other.probabilities, abs=1e-5)


def test_a_crop_is_centred_on_the_face_and_repeats_the_edge_of_the_picture():
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[:, :50] = 200
    inside = cut_out(picture, Box(30, 40, 70, 80, 0.9), 48, 1)
    assert inside.shape == (48, 48) and abs(int(np.flatnonzero(inside[20] < 100)[0]) - 24) <= 1
    beyond = cut_out(picture, Box(-40, 30, 20, 90, 0.9), 48, 3)
    assert beyond.shape == (48, 48, 3) and (beyond == 200).all() and MARGIN * 60 / 2 - 10 < 50


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_what_is_no_model_is_refused_in_one_line(tmp_path: Path, name: str):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="contains no trained model|is neither a folder, nor a git revision"):
        Classifier.load(tmp_path / name)
