"""Damaged tables of faces, and indexes of other ones, are one line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.base.errors import InputError
from stages.faces.table import Selection, open_faces, read_index, write_faces, write_index

INDEX = pd.DataFrame({"id": [0, 2], "file": ["a", "b"]})
FACES = np.arange(3 * 16 * 16, dtype=np.uint8).reshape(3, 16, 16)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ""),
        (b"file\na\n", "id: this column is missing"),
        (b"id\n0\n", "file: this column is missing"),
        (b"id,file\n0,a\n0,b\n", "its column id"),
        (b"id,file\n-1,a\n", "its column id"),
        (b"id,file\nx,a\n", ""),
        (b"id,file\n99999999999999999999,a\n", ""),
        (b"id,file\n,a\n", ""),
        (b'id,file\n0,"a\n', ""),
        (b"id,file\n0,a,b,c\n1,a\n", ""),
        (b"id,file\n0,\xff\n", ""),
        (b"\0" * 100, ""),
    ],
)
def test_a_damaged_index_is_named(tmp_path: Path, content: bytes, message: str):
    (tmp_path / "index.csv").write_bytes(content)
    with pytest.raises(InputError, match=f"index.csv: .*{message}.*run the stage that writes it again"):
        read_index(tmp_path / "index.csv", "file")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(b""), "damaged"),
        (lambda path: path.write_bytes(b"PK\3\4"), "damaged"),
        (cut, "damaged"),
        (lambda path: np.save(path, FACES.astype(float)), "is not an array of faces"),
        (lambda path: np.save(path, FACES[0]), "is not an array of faces"),
        (lambda path: np.save(path, np.array([{}, {}]), allow_pickle=True), "damaged"),
        (lambda path: np.savez(path.open("wb"), FACES), "damaged"),
        (lambda path: np.save(path, FACES[:2]), "has 2 faces, and an index names face 2"),
    ],
)
def test_damaged_faces_are_named(tmp_path: Path, damage: Callable[[Path], object], message: str):
    path = tmp_path / "faces.npy"
    write_faces(FACES, FACES.shape, path)
    np.testing.assert_array_equal(open_faces(path, INDEX), FACES)
    damage(path)
    with pytest.raises(InputError, match=f"faces.npy: {message}.*run the stage that writes it again") as error:
        open_faces(path, INDEX)
    assert str(error.value).isprintable()


def test_a_selection_has_no_faces_of_another_table():
    with pytest.raises(InputError, match="has 3 faces, and an index names face 3"):
        Selection((FACES, np.array([0, 3])))


def test_faces_are_written_as_numpy_writes_them(tmp_path: Path):
    for faces in (FACES, FACES[:0], np.stack([FACES] * 3, 3)):
        np.save(tmp_path / "expected.npy", faces)
        write_faces(faces, faces.shape, tmp_path / "faces.npy")
        assert (tmp_path / "faces.npy").read_bytes() == (tmp_path / "expected.npy").read_bytes()


def test_an_index_of_no_face_fits_any_table(tmp_path: Path):
    write_index(INDEX[:0], tmp_path / "index.csv")
    write_faces(FACES, FACES.shape, tmp_path / "faces.npy")
    assert len(open_faces(tmp_path / "faces.npy", read_index(tmp_path / "index.csv"))) == 3
