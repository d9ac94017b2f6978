"""The pages: their templates filled in."""

import json
from pathlib import Path
from typing import Literal

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=lambda name: ".html" in name,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def page(name: Literal["report", "benchmark"], content: dict) -> str:
    """The page of that name, a whole HTML document that needs nothing else, from what its templates name."""
    return TEMPLATES.get_template(f"{name}.html.jinja").render(content)


def mistakes(confusion: pd.DataFrame) -> list[dict]:
    """The pairs of label and prediction that differ, the commonest first, those that occur."""
    wrong = confusion[(confusion.label != confusion.prediction) & (confusion.faces > 0)]
    return wrong.sort_values("faces", ascending=False, kind="stable").to_dict("records")


def settings(params: dict) -> dict[str, str]:
    """Nested params by the dotted names and in the form that `-S` takes."""
    found = {}
    for name, value in params.items():
        if isinstance(value, dict):
            found |= {f"{name}.{key}": text for key, text in settings(value).items()}
        else:
            found[name] = value if isinstance(value, str) else json.dumps(value)
    return found


def percent(share: float) -> str:
    return f"{share:.1%}".replace("%", "\u202f%")


def figure(value: float) -> str:
    """A figure between 0 and 1, or a loss, to three decimals; a dash for none."""
    return "–" if value is None else f"{value:.3f}"


def exact(value: object) -> str:
    """A cell of a table of numbers: text as it is, counts in full, others to six digits."""
    if isinstance(value, str):
        return value
    return "–" if pd.isna(value) else f"{int(value):,}" if value == int(value) else f"{value:.6g}"


def reasons(counts: dict[str, dict], key: str) -> list[str]:
    """Every reason that a data set's `key` counts, each once, in order of the alphabet."""
    return sorted({reason for row in counts.values() for reason in row[key]})


TEMPLATES.filters |= {
    "count": lambda number: f"{number:,}",
    "exact": exact,
    "figure": figure,
    "mistakes": mistakes,
    "percent": percent,
    "percent0": lambda share: f"{share:.0%}".replace("%", "\u202f%"),
    "reasons": reasons,
    "settings": settings,
}
