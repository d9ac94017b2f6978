"""The votes of FER+: for each image of FER2013, how many of ten people chose each emotion."""

from collections.abc import Iterator
from typing import NamedTuple

from stages.archives.member import Member
from stages.base.errors import InputError
from stages.datasets.labels import find_label
from stages.datasets.layout import FILE_NAMES
from stages.datasets.parts import find_part, nearest_part

EMOTIONS = ("neutral", "happy", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
CHOICES = (*EMOTIONS, "unknown", "NF")  # NF: not a face; columns of a table without a header are in this order
NO_PICTURE, NO_MAJORITY = "dropped by the authors of FER+", "no majority among the votes of FER+"
NO_EMOTION = {"unknown": "unknown emotion by the votes of FER+", "NF": "not a face by the votes of FER+"}


class Vote(NamedTuple):
    """A row of votes.

    Attributes:
        image: name of the image ("fer0000000"), or "" where the authors dropped it. Its number is not that of its row.
        part: "train", "val" or "test"; "" if it is not known.
        label: label of the majority, or None.
        reason: why there is no label.
    """

    image: str
    part: str
    label: str | None
    reason: str = ""


def is_votes(member: Member) -> bool:
    """Return whether a member is a table of votes: fer2013new.csv, or label.csv beside the images of FER+."""
    if member.kind() != "text":
        return False
    row = member.header()
    return len(_columns(row)) == len(CHOICES) or bool(row and len(row) == 12 and FILE_NAMES["ferplus"].match(row[0]))


def is_table(member: Member) -> bool:
    """Return whether votes have a row for each one of fer2013.csv, as in fer2013new.csv, and not as in label.csv."""
    return "usage" in (name.strip().casefold() for name in member.header())


def read_votes(member: Member, limit: int) -> Iterator[Vote]:
    """Yield the rows of a table of votes.

    The label is that of the majority as its authors take it: votes of one person alone are left out, and more than half
    of the others must agree (Barsoum et al., "Training deep networks for facial expression recognition with
    crowd-sourced label distribution", ICMI 2016).

    Raises:
        InputError: a row is no row of votes.
    """
    columns: dict[str, int] = {}
    image, usage = 0, None
    folder_part = nearest_part(member.folders) or ""
    for number, row in member.rows(limit):
        if not columns:
            columns = _columns(row)
            names = [name.strip().casefold() for name in row]
            if columns:
                image = next((place for place, name in enumerate(names) if "image" in name), 0)
                usage = names.index("usage") if "usage" in names else None
                continue
            columns = {choice: place for place, choice in enumerate(CHOICES, start=2)}
        try:
            votes = {choice: int(float(row[place])) for choice, place in columns.items()}
            name = row[image].strip().rsplit("/", 1)[-1].split(".")[0].lower()
            part = folder_part if usage is None else find_part(row[usage]) or ""
        except (IndexError, ValueError, OverflowError):
            raise InputError(f"{member.name}:{number}: not a row of the votes of FER+") from None
        if not name:
            yield Vote("", part, None, NO_PICTURE)
        else:
            yield _majority(name, part, votes)


def _majority(image: str, part: str, votes: dict[str, int]) -> Vote:
    counted = {choice: count for choice, count in votes.items() if count > 1}
    choice = max(counted, key=lambda choice: counted[choice], default="")
    if not choice or counted[choice] * 2 <= sum(counted.values()):
        return Vote(image, part, None, NO_MAJORITY)
    return Vote(image, part, None, NO_EMOTION[choice]) if choice in NO_EMOTION else Vote(image, part, choice)


def _columns(header: list[str]) -> dict[str, int]:
    """Return choice → number of its column; {} if the header does not have all of them."""
    found = {}
    for place, name in enumerate(header):
        choice = find_label(name) or {"unknown": "unknown", "nf": "NF"}.get(name.strip().casefold())
        if choice:
            found[choice] = place
    return found if len(found) == len(CHOICES) else {}
