"""data/exclude.csv as people write it: read as it is meant, or refused with the line."""

import csv
import io
from pathlib import Path
from unicodedata import normalize

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from helpers.generated import MANY
from stages.base.errors import InputError
from stages.curation.exclusions import COLUMNS, excluded_faces, read_exclusions

HEADER = "dataset,file,reason\n"
INDEX = pd.DataFrame({"dataset": ["sfew"] * 3, "file": ["Val/a.png", "Val/b, c.png", "Val/é.png"]}, index=[7, 8, 9])


def reasons(path: Path, content: str | bytes) -> list[str]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    listed = read_exclusions(path).drop_duplicates(["dataset", "file"]).set_index("file")["reason"]
    excluded = excluded_faces(INDEX.assign(split="train"), path)
    names = [normalize("NFC", name) for name in INDEX["file"]]
    return [listed[name] if out else "" for name, out in zip(names, excluded, strict=True)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ["", "", ""]),
        ("\n", ["", "", ""]),
        (HEADER + "sfew,Val/a.png,no face, only stripes", ["no face, only stripes", "", ""]),
        (HEADER + 'sfew,Val/a.png,says "no"\n\n', ['says "no"', "", ""]),
        (HEADER + 'sfew,"Val/a.png","no face, ""only"" stripes"', ['no face, "only" stripes', "", ""]),
        (HEADER + 'sfew,"Val/b, c.png",x\r\nsfew,Val/a.png,y\r\n', ["y", "x", ""]),
        (HEADER + " sfew , Val/a.png , x ", ["x", "", ""]),
        ("dataset;file;reason\nsfew;Val/b, c.png;x; y", ["", "x; y", ""]),
        ("Dataset\tFile\tReason\rsfew\tVal/a.png\tx\r", ["x", "", ""]),
        (HEADER + 'sfew,Val/a.png,"no face', ['"no face', "", ""]),
        (HEADER + 'sfew,Val/a.png,"no face\nsfew,Val/é.png,"x"', ['"no face', "", "x"]),
        (HEADER + 'sfew,Val/a.png,"no face,\n\nbut ""lines"""\nsfew,Val/é.png,x', ['no face, but "lines"', "", "x"]),
        (HEADER + "sfew,Val/e\u0301.png,x", ["", "", "x"]),  # é in two characters, as macOS writes it
        (HEADER + "sfew,Val/é.png,flou", ["", "", "flou"]),
        *[((HEADER + "sfew,Val/é.png,flou").encode(code), ["", "", "flou"])
          for code in ("latin-1", "utf-8-sig", "utf-16", "utf-32")],
    ],
)  # fmt: skip
def test_it_is_read_as_it_is_meant(tmp_path: Path, content: str | bytes, expected: list[str]):
    assert reasons(tmp_path / "exclude.csv", content) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER + 'sfew,"Val/a.png,x\nsfew,Val/é.png,y', "exclude.csv:2: .* is not a row of dataset,file,reason"),
        (HEADER + "sfew,Val/a.png", "exclude.csv:2: .* is not a row"),
        (HEADER + "sfew,,x", "exclude.csv:2: .* is not a row"),
        (HEADER + '\nsfew,Val/a.png,"x\nafter a line end', "exclude.csv:4: .* is not a row"),
        (HEADER + 'sfew,Val/a.png," "', "exclude.csv:2: the reason is missing.*'Val/a.png'"),
        ("sfew,Val/a.png,x", "exclude.csv:1: the columns must be dataset,file,reason"),
        (b"\0\0\0", "exclude.csv:1: the columns must be dataset,file,reason"),
        (HEADER + "x" * 2**24, "is larger than"),
    ],
)
def test_anything_else_is_refused_with_its_line(tmp_path: Path, content: str | bytes, message: str):
    with pytest.raises(InputError, match=message) as error:
        reasons(tmp_path / "exclude.csv", content)
    assert len(str(error.value)) < 400


NAMES = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1, max_size=20)
ROWS = some.lists(some.tuples(NAMES, NAMES, NAMES).filter(lambda row: all(value.strip() for value in row)), max_size=5)
FEW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(rows=ROWS)
@settings(FEW, max_examples=200)
def test_what_other_programs_write_is_read_back(tmp_path: Path, rows: list[tuple[str, str, str]]):
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *rows])
    (tmp_path / "exclude.csv").write_text(text.getvalue(), encoding="utf-8", newline="")
    read = read_exclusions(tmp_path / "exclude.csv")
    expected = pd.DataFrame(rows, columns=COLUMNS)
    assert read["reason"].tolist() == [" ".join(value.split()) for value in expected["reason"]]
    assert len(read) == len(rows) and read["line"].tolist() == list(range(2, len(rows) + 2))


CONTENTS = some.one_of(
    some.binary(max_size=200),
    some.lists(some.sampled_from([*'",;\t\r\n é\0\ufeff', "sfew", "Val/a.png", HEADER, '""', "x", "a,b,c\n"])).map(
        lambda parts: (HEADER + "".join(parts)).encode()
    ),
    some.tuples(some.text(max_size=100), some.sampled_from(["utf-8", "utf-16", "utf-32"])).map(
        lambda text: (HEADER + text[0]).encode(text[1], "surrogatepass")
    ),
)


def check(path: Path, content: bytes) -> None:
    try:
        listed = reasons(path, content)
    except InputError as error:
        assert str(error).isprintable() and len(str(error)) < 1500
    else:
        assert len(listed) == len(INDEX)


@given(content=CONTENTS)
@settings(FEW, max_examples=300)
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes):
    check(tmp_path / "exclude.csv", content)


@pytest.mark.slow
@given(content=CONTENTS)
@settings(FEW, max_examples=MANY)
def test_many_bytes_are_read_or_refused(tmp_path: Path, content: bytes):
    check(tmp_path / "exclude.csv", content)
