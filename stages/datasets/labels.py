"""The names of the emotions, and the many ways in which data sets spell them."""

from difflib import get_close_matches

from stages.base.errors import InputError

LABELS = ("anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral", "contempt")

SPELLINGS = {
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear",
    "scared": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sad": "sadness",
    "surprised": "surprise",
    "suprise": "surprise",
    "neutrality": "neutral",
} | {label: label for label in LABELS}


def harmonise(name: str, where: str) -> str:
    """The project's label for an emotion's name in any accepted spelling or case.

    `where` is the archive member that carries the name. Raises InputError where the name is unknown.
    """
    label = SPELLINGS.get(name.strip().lower())
    if label is None:
        close = get_close_matches(name.lower(), SPELLINGS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(LABELS)}"
        raise InputError(f"{where}: {name!r} is not an emotion this project knows; {hint}")
    return label
