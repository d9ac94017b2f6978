"""Faces in a picture and their expressions, by a trained model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import nn

from stages.base.paths import RunPaths
from stages.datasets.crop import cut_out, fills, resized
from stages.detection.detector import Box, Detector
from stages.models import hardware
from stages.models.forward import model_logits
from stages.models.saved_model import load, model_folder
from stages.prediction.pictures import read_picture


class Face(NamedTuple):
    """A face in a picture.

    Attributes:
        box: where it is.
        probabilities: of each label, by the label, 0 to 1; calibrated on the model's validation faces.
    """

    box: Box
    probabilities: dict[str, float]

    @property
    def label(self) -> str:
        """The most probable label."""
        return max(self.probabilities, key=self.probabilities.__getitem__)


class Classifier:
    """Finds the faces in pictures and predicts their expressions.

    Args:
        network: a trained network.
        config: its config, as `saved_model.load` returns both.

    Attributes:
        labels: the expressions, in the order of the network's outputs.
    """

    def __init__(self, network: nn.Module, config: dict[str, Any]) -> None:
        self.labels: list[str] = config["labels"]
        self._config = config
        self._form = config["face_size"], config["channels"]  # in which faces are stored
        self._network = network.to(hardware.device()).to(memory_format=torch.channels_last)
        self._detector = Detector()

    @classmethod
    def load(cls, model: str | Path) -> Self:
        """Return the classifier of a trained model.

        Args:
            model: a folder, or a git revision or experiment of this repository.

        Raises:
            InputError: there is no such model, or it is damaged.
        """
        with model_folder(str(model), RunPaths.of(None).model.as_posix(), "model") as folder:
            return cls(*load(folder))

    def __call__(self, picture: str | Path | np.ndarray) -> list[Face]:
        """Return the faces in a picture, the largest first; none if no face is found.

        Args:
            picture: the path of an image file, or its pixels: uint8, H×W×3, RGB.

        Raises:
            InputError: the file is no picture that can be read.
        """
        pixels = picture if isinstance(picture, np.ndarray) else read_picture(Path(picture))
        return self.predict([pixels])[0]

    def predict(self, pictures: Sequence[np.ndarray], small: bool = True, cropped: bool = False) -> list[list[Face]]:
        """Return the faces in each of several pictures, which are classified together.

        Args:
            pictures: uint8, H×W×3 each, RGB.
            small: whether to look for small faces in large pictures too, which takes longer.
            cropped: whether each picture is a face that is cut out already, as in training; no face is looked for then.
        """
        found = [self._whole(picture) if cropped else self._find(picture, small) for picture in pictures]
        rows = iter(self.probabilities([crop for faces in found for _, crop in faces]))
        return [[Face(box, dict(zip(self.labels, next(rows), strict=True))) for box, _ in faces] for faces in found]

    def probabilities(self, faces: Sequence[np.ndarray]) -> list[list[float]]:
        """Return the calibrated probabilities of faces in the form in which the stage merge stores them, N×labels.

        Args:
            faces: uint8, H×W (grey) or H×W×3 (RGB) each.
        """
        if not len(faces):
            return []
        config, pixels = self._config, torch.from_numpy(np.stack(faces))
        outputs = model_logits(self._network, config, pixels).cpu().double()
        return (outputs / config["temperature"]).softmax(1).tolist()

    def _find(self, picture: np.ndarray, small: bool) -> list[tuple[Box, np.ndarray]]:
        """Return the faces in a picture and their crops."""
        boxes = self._detector(picture, small)
        if boxes and fills(boxes[0], picture):
            boxes = boxes[:1]  # what else was found is a part of this face
        return [(box, cut_out(picture, box, *self._form)) for box in boxes]

    def _whole(self, picture: np.ndarray) -> list[tuple[Box, np.ndarray]]:
        """Return a picture as the only face in it."""
        height, width = picture.shape[:2]
        return [(Box(0, 0, width, height, 1), resized(picture, *self._form))]
