"""The official parts of data sets, and how folders, files and tables name them."""

import re
from collections.abc import Iterable
from functools import lru_cache

WORD = re.compile(r"(?:(train)(?:ing)?|(val)(?:id(?:at(?:ion|e))?)?|(test)(?:ing)?)(?:set|data|images|faces)?")
PARTS = ("train", "val", "test")


@lru_cache(maxsize=4096)
def find_part(text: str) -> str | None:
    """Return the part that a name tells: "train", "val" or "test"; None if it tells none or more than one.

    Words are separated by digits, punctuation or capitals ("Train_Aligned_Faces", "FER2013Valid", "test_afew"). A
    public test part is "val" and a private one "test", as in FER2013.
    """
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text)]
    found = {PARTS[match.lastindex - 1] for word in words if (match := WORD.fullmatch(word)) and match.lastindex}
    if match := re.search("(public|private)test", "".join(sorted(words, key="test".__eq__))):
        return "val" if match[1] == "public" else "test"
    return found.pop() if len(found) == 1 else None


def nearest_part(folders: Iterable[str]) -> str | None:
    """Return the part that the innermost folder tells of those that tell one; None if none does.

    Args:
        folders: from the outermost to the innermost.
    """
    return next((part for folder in reversed(list(folders)) if (part := find_part(folder))), None)
