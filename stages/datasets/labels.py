"""The emotion labels of this project, and how data sets write them."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache

from stages.base.errors import InputError

LABELS = ("anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral", "contempt")

SPELLINGS = {
    "angry": "anger",
    "disgusted": "disgust",
    "disgusting": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "scared": "fear",
    "happiness": "happy",
    "joy": "happy",
    "joyful": "happy",
    "sad": "sadness",
    "surprised": "surprise",
    "surprising": "surprise",
    "suprise": "surprise",
    "suprised": "surprise",
    "neutrality": "neutral",
    "contemptuous": "contempt",
} | {label: label for label in LABELS}

FILLERS = {"face", "faces", "image", "images", "emotion", "expression"}


@lru_cache(maxsize=4096)
def find_label(text: str) -> str | None:
    """Return the project's label for an emotion as data sets write it, or None if it is unknown.

    Case is ignored, and so are numbers, spaces and punctuation around the emotion: "Sad", "0 angry", "03_fear".
    """
    words = [word for word in re.findall(r"[^\W\d_]+", text.casefold()) if word not in FILLERS]
    return SPELLINGS.get(words[0]) if len(words) == 1 else None


@lru_cache(maxsize=4096)
def find_code(text: str) -> str | None:
    """Return a label's code as a whole number in decimal digits ("4" for "4", " 4.0" and "4.0e+00"), or None."""
    try:
        number = float(text)
        return str(int(number)) if number == int(number) else None
    except (ValueError, OverflowError):
        return None


def with_codes(codes: Mapping[str, str] | Sequence[str]) -> Mapping[str, str]:
    """Return code → label, for labels whose codes count from 0 as well."""
    return codes if isinstance(codes, Mapping) else {str(code): label for code, label in enumerate(codes)}


def harmonise(text: str, place: str, codes: Mapping[str, str] | Sequence[str] = ()) -> str:
    """Return the project's label for a label of a data set.

    Args:
        text: the emotion's name (`find_label`) or code (`find_code`).
        place: where it stands (an archive member, or a table and line), for the error message.
        codes: the data set's label of each code; a sequence starts with code 0.

    Raises:
        InputError: the label is unknown.
    """
    codes = with_codes(codes)
    label = find_label(text) or codes.get(find_code(text) or "")
    if label is None:
        raise InputError(f"{place}: {unknown_label(text, codes)}")
    return label


def unknown_label(text: str, codes: Mapping[str, str] | Sequence[str] = ()) -> str:
    """Return a message about a label that is unknown, with the nearest known one or all of them."""
    known = f"known emotions: {', '.join(LABELS)}"
    if codes:
        known = f"the data set has {', '.join(f'{code} ({label})' for code, label in with_codes(codes).items())}"
    close = get_close_matches(text.casefold(), SPELLINGS, n=1)
    return f"unknown emotion {text[:60]!r}; {f'did you mean {close[0]!r}?' if close else known}"
