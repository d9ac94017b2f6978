"""The emotion labels of this project, and their spellings in data sets."""

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


def harmonise(name: str, member: str) -> str:
    """Return the project's label for the name of an emotion.

    Args:
        name: name of the emotion, in any spelling of `SPELLINGS`; case and surrounding spaces are ignored.
        member: path of the archive member with this name, for the error message.

    Raises:
        InputError: the name is unknown.
    """
    label = SPELLINGS.get(name.strip().lower())
    if label is None:
        close = get_close_matches(name.lower(), SPELLINGS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known emotions: {', '.join(LABELS)}"
        raise InputError(f"{member}: unknown emotion {name!r}; {hint}")
    return label
