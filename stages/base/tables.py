"""Reading of tables that a stage or a person wrote."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from stages.base.errors import InputError

AGAIN = "run the stage that writes it again"


def read_table(
    path: Path,
    columns: Mapping[str, type | Collection[str]],
    required: Collection[str] | None = None,
    separator: str = ",",
) -> pd.DataFrame:
    """Return a table.

    Args:
        path: a CSV file with a header.
        columns: the types of columns: int, float, str, which all others are, or the texts that a column can have. A
            field can be empty in a column of floats, where it is NaN, and of str.
        required: columns that the table must have; all of `columns` if None.
        separator: what separates the fields.

    Raises:
        InputError: the file is missing or damaged, or lacks a column, or a value is not of its type. The message names
            the column.
    """
    try:
        table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)
        if not isinstance(table.index, pd.RangeIndex):
            raise ValueError("rows have more fields than the header")
    except FileNotFoundError:
        raise InputError(f"{path}: missing; run the stage that writes it") from None
    except (ValueError, OverflowError) as error:  # pandas's own errors are ValueErrors
        raise InputError(f"{path}: damaged ({_reason(error)}); {AGAIN}") from None
    if lacking := set(columns if required is None else required) - set(table):
        raise InputError(f"{path}: {min(lacking)}: this column is missing; {AGAIN}")
    for name in set(columns) & set(table):
        try:
            table[name] = _converted(table[name], columns[name])
        except (ValueError, OverflowError) as error:
            raise InputError(f"{path}: {name}: damaged ({_reason(error)}); {AGAIN}") from None
    return table


def _converted(text: pd.Series, kind: type | Collection[str]) -> pd.Series:
    """Return a column of texts as its type; raise ValueError or OverflowError if a field is not of it."""
    if kind is float:
        numbers = text.replace("", "nan").astype(np.float64)
        if np.isinf(numbers).any():
            raise ValueError("a number is not finite")
        return numbers
    if kind is int:
        return text.astype(np.int64)
    if not isinstance(kind, type) and not (known := text.isin(kind)).all():
        raise ValueError(f"{text[~known].iloc[0]!r} is not one of {', '.join(kind)}")
    return text


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:150]
