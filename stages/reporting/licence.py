"""The terms of a model's weights, by what they were computed from."""

from typing import Any, NamedTuple


class Licence(NamedTuple):
    """The terms of a model's weights.

    Attributes:
        name: `cc0-1.0`, or a name that no list of licences has.
        text: the same in whole sentences.
    """

    name: str
    text: str


def licence(config: dict[str, Any]) -> Licence:
    """Return the terms of a model's weights.

    Args:
        config: the content of its `config.json`.
    """
    recipe = config["recipe"]
    others = [f"started from other weights ({recipe['init']})"] if recipe["init"] != "random" else []
    if teachers := recipe.get("teachers"):  # models of earlier versions have no such key
        others.append(f"learned from other models ({', '.join(teachers)})")
    inherited = f" Training {' and '.join(others)}, whose terms apply too." if others else ""
    if any(not source["drawn"] for source in config["sources"].values()):
        text = (
            "These data sets are provided for research only, and their images may not be passed on (our reading of "
            "their terms). Treat the weights as subject to the terms of all these data sets, because they were "
            "computed from these images."
        )
        return Licence("research-only-as-its-data", text + inherited)
    if inherited:
        return Licence("as-the-models-it-learned-from", "The drawings are in the public domain (CC0-1.0)." + inherited)
    text = "The drawings are in the public domain (CC0-1.0), and so are the weights that were computed from them."
    return Licence("cc0-1.0", text)
