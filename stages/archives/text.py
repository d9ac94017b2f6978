"""Text files and tables of any encoding, line end and separator, read line by line with bounded memory."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import IO, cast

from stages.archives.sniffing import HEAD, text_encoding
from stages.base.errors import InputError

MAX_LINE = 4 * 2**20  # characters; a grey face of 512x512 pixels as text takes 1 MiB
SEPARATORS = ",;\t|"
csv.field_size_limit(MAX_LINE)


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("latin-1", _as_latin_1)  # UTF-8 where it is valid, and Latin-1 where it is not


def read_lines(stream: IO[bytes], name: str, limit: int) -> Iterator[str]:
    """Yield the lines of a text file without their ends.

    Args:
        stream: content of the file; it must be buffered and at its start.
        name: name of the file, for messages.
        limit: largest number of lines.

    Raises:
        InputError: the file is no text, or has too many or too long lines.
    """
    buffered = io.BufferedReader(cast("io.RawIOBase", stream), HEAD)
    encoding = text_encoding(buffered.peek(HEAD)[:HEAD])
    if encoding is None:
        raise InputError(f"{name}: not a text file; is this the right file?")
    text = io.TextIOWrapper(buffered, encoding, errors="latin-1")
    number = 0
    while line := text.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise InputError(f"{name}:{number}: a line of more than {MAX_LINE:,} characters; is this the right file?")
        if number > limit:
            raise InputError(f"{name}: more than {limit:,} lines; if it is the right file, raise data.limits.members")
        yield line.rstrip("\r\n")


def read_rows(lines: Iterator[str], name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number (from 1) and the fields of each line of a table that is not blank.

    The separator is the one of `SEPARATORS` that occurs most often in the first line, or any white space if none does.
    A line "sep=;", as Excel writes it, is left out. Quotes are those of the csv module (RFC 4180); a field is never
    longer than its line.

    Raises:
        InputError: a quotation mark is not closed in its line.
    """
    separator: str | None = None
    for number, line in enumerate(lines, start=1):
        if number == 1 and re.fullmatch(r"\W?sep=.\W?", line):
            continue
        if not line.strip():
            continue
        if separator is None:
            bare = re.sub(r'"[^"]*"', "", line)
            separator = max(SEPARATORS, key=bare.count)
            separator = separator if separator in bare else " "
        if '"' not in line:
            yield number, line.split(None if separator == " " else separator)
            continue
        try:
            (row,) = csv.reader([line], delimiter=separator, strict=True, skipinitialspace=separator != "\t")
        except csv.Error as error:
            raise InputError(f"{name}:{number}: a quotation mark is not closed or stands alone ({error})") from None
        yield number, row
