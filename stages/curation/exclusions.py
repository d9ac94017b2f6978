"""The list of faces that a person has excluded, data/exclude.csv."""

import re
from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

import pandas as pd

from stages.base.errors import InputError
from stages.base.files import decode
from stages.curation.splitting import TEST

COLUMNS = ["dataset", "file", "reason"]
EXCLUDED = "excluded"
MAX_BYTES = 2**24
MAX_LINES = 20  # of a reason


def excluded_faces(index: pd.DataFrame, path: Path) -> pd.Series:
    """Return which faces are excluded by hand.

    Lines about data sets that are not in the index are ignored. A line about a file that its data set does not contain,
    or about a face of the test part, is reported and ignored: whoever excludes test faces chooses the test part.

    Args:
        index: N faces with the columns dataset, file and split, those included that are removed.
        path: a table with the columns dataset, file and reason, as `read_exclusions` reads it.

    Returns:
        N booleans with the index's row labels.

    Raises:
        InputError: the file has other columns, or a line is not a row of them or gives no reason.
    """
    key = ["dataset", "file"]
    faces = index[["split"]].assign(dataset=index["dataset"], file=index["file"].map(_composed))
    listed = read_exclusions(path)
    listed = listed[listed["dataset"].isin(index["dataset"])]
    listed = listed.merge(faces.drop_duplicates(key), how="left", on=key)
    for row in listed[listed["split"].isna()].itertuples():
        print(f"{path}:{row.line}: {row.dataset} has no file {row.file!r}; the line is ignored")
    for row in listed[listed["split"] == TEST].itertuples():
        print(f"{path}:{row.line}: {row.file!r} of {row.dataset} is a test face; the line is ignored")
    names = pd.MultiIndex.from_frame(listed.loc[listed["split"] != TEST, key])
    return pd.Series(pd.MultiIndex.from_frame(faces[key]).isin(names), index=index.index)


def read_exclusions(path: Path) -> pd.DataFrame:
    """Return the rows of a list of excluded faces: dataset, file, reason, and the number of the line, from 1.

    The list is written by hand: separated by commas, semicolons or tabs; in UTF-8, in any encoding with a byte order
    mark, or in Windows-1252; a value that contains the separator or a quote is in quotes, but the reason, which ends
    its line, need not be; in quotes, it can have several lines. An empty file excludes nothing.

    Raises:
        InputError: the file has other columns, or a line is not a row of them or gives no reason.
    """
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise InputError(f"{path}: is larger than {MAX_BYTES} bytes; it lists faces, one a line")
    lines = re.split(r"\r\n|\r|\n", decode(content))
    start = next((number for number, line in enumerate(lines) if line.strip()), None)
    separator = "," if start is None else _separator(lines[start], f"{path}:{start + 1}")
    rows: list[tuple[str, str, str, int]] = []
    for number, line in _rows(lines, separator, len(lines) if start is None else start + 1):
        fields = _fields(line, separator)
        if not fields:
            raise InputError(
                f"{path}:{number}: {line[:100]!r} is not a row of {separator.join(COLUMNS)}; write a value that "
                f"contains {separator!r} or a quote in double quotes, and each quote in it twice"
            )
        dataset, file_name, reason = fields
        if not reason:
            raise InputError(
                f"{path}:{number}: the reason is missing; write in the last column why {file_name!r} is excluded"
            )
        rows.append((dataset, _composed(file_name), reason, number))
    return pd.DataFrame(rows, columns=[*COLUMNS, "line"])


def _rows(lines: list[str], separator: str, start: int) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each row from `start` on; a reason in quotes can go over several lines."""
    while start < len(lines):
        text, end = lines[start], start + 1
        if (fields := _fields(text, separator)) and fields[2].startswith('"'):
            for last in range(end, min(start + MAX_LINES, len(lines))):
                if _fields(lines[last], separator):  # a row of its own: the quote belongs to the reason
                    break
                longer = "\n".join(lines[start : last + 1])
                if (fields := _fields(longer, separator)) and not fields[2].startswith('"'):
                    text, end = longer, last + 1
                    break
        if text.strip():
            yield start + 1, text
        start = end


def _separator(header: str, place: str) -> str:
    """Return what separates the columns in the first line; raise InputError if it does not name `COLUMNS`."""
    for separator in ",;\t":
        if [name.strip(' "').lower() for name in header.split(separator)] == COLUMNS:
            return separator
    raise InputError(f"{place}: the columns must be {','.join(COLUMNS)}, not {header[:100]}")


def _fields(line: str, separator: str) -> tuple[str, str, str] | None:
    """Return the three values of a line, or None if its first two are not told apart."""
    value = rf'( *"(?:[^"]|"")*" *|[^"{separator}]*)'
    if match := re.fullmatch(f"{value}{separator}{value}{separator}(.*)", line, re.DOTALL):
        dataset, file, reason = (_unquoted(text) for text in match.groups())
        if dataset and file:
            return dataset, file, " ".join(reason.split())
    return None


def _unquoted(text: str) -> str:
    """Return a value without the quotes around it, and without spaces at its ends."""
    text = text.strip()
    if re.fullmatch(r'"(?:[^"]|"")*"', text):
        return text[1:-1].replace('""', '"').strip()
    return text


def _composed(name: str) -> str:
    """Return a name with composed characters (Unicode NFC), as macOS and other systems write the same name."""
    return normalize("NFC", name)
