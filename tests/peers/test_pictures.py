"""The comparison with other tools on labelled pictures: the choice of the pictures, and the row of the table."""

from pathlib import Path

import numpy as np
from PIL import Image

from helpers.drawn_faces import drawn_face
from helpers.small_model import write_model
from peers.choose import SHARED, choose
from peers.pictures import Answer, ask, read, row, this_project
from stages.datasets.picture import Picture
from stages.prediction.classifier import Classifier


def test_pictures_are_chosen_by_name_from_one_group_each_with_the_labels_in_turn() -> None:
    women = [f"{letter}A" for letter in "JIHGFEDCBA"]
    names = [(woman, label, number) for woman in women for label in SHARED for number in (2, 1)]
    pictures = [Picture(f"{woman}.{label}{number}", label, b"", woman) for woman, label, number in names]
    chosen = choose(pictures)
    assert [picture.subject for picture in chosen] == sorted(women)
    assert [picture.label for picture in chosen] == [*SHARED, *SHARED[:3]]
    assert all(picture.file.endswith("1") for picture in chosen)


def test_a_film_without_the_label_is_left_out() -> None:
    films = {"A": "anger", "B": "happy", "C": "disgust", "D": "disgust", "E": "fear"}
    pictures = [Picture(f"Val/{film}", label, b"", sequence=film) for film, label in films.items()]
    assert [picture.sequence for picture in choose(pictures)] == ["A", "C", "E"]


def test_a_picture_without_a_face_does_not_agree_and_the_largest_of_several_faces_counts() -> None:
    answers = [Answer(1, []), Answer(2, ["Angry"]), Answer(6, ["sad", "happy"]), Answer(3, ["happy", "sad"])]
    labels = ["neutral", "anger", "sadness", "fear"]
    assert row("x", answers, labels, 12.3) == "| x | 2.500 | 3 | 1 | 2 of 4 | 12 |"


def test_this_project_gives_the_expressions_of_the_pictures(tmp_path: Path) -> None:
    model, files = write_model(tmp_path / "model", channels=3), [tmp_path / "a.ppm", tmp_path / "b.ppm"]
    faces = [np.asarray(Image.fromarray(drawn_face("jaffe", number)).convert("RGB")) for number in (0, 1)]
    for file, pixels in zip(files, faces, strict=True):
        Image.fromarray(pixels).save(file)
        assert np.array_equal(read(file), pixels)
    answers = ask(this_project(str(model)), files)
    classifier = Classifier.load(model)
    assert [answer.labels for answer in answers] == [[face.label for face in classifier(face)] for face in faces]
    assert all(len(answer.labels) == 1 and answer.seconds > 0 for answer in answers)
