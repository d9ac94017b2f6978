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


def signed(value: float) -> str:
    """A difference to three decimals, with its sign."""
    return f"{value:+.3f}".replace("-", "−")


def brief(number: float) -> str:
    """A count or a speed in three digits or so: 9.5, 1,204, 12.3 M, 1.45 G."""
    for unit, size in {"G": 1e9, "M": 1e6}.items():
        if number >= 0.9995 * size:
            return f"{_three(number / size)}\u202f{unit}"
    return _three(number)


def duration(seconds: float) -> str:
    """A time to two digits or so, in the unit that suits it: 4.2 s, 110 s, 35 min, 5.1 h."""
    unit, size = next(((unit, size) for unit, size in (("h", 3600), ("min", 60)) if seconds >= 2 * size), ("s", 1))
    return f"{seconds / size:{'.0f' if seconds >= 9.95 * size else '.2g'}}\u202f{unit}"


def probability(p: float) -> str:
    """A p-value to three decimals; one that they do not show as < 0.001."""
    return "<\u202f0.001" if p < 0.001 else f"{p:.3f}"


def _three(number: float) -> str:
    return f"{number:,.0f}" if number >= 99.95 else f"{number:.3g}"


def exact(value: object) -> str:
    """A cell of a table of numbers: text as it is, counts in full, others to six digits."""
    if isinstance(value, str):
        return value
    return "–" if pd.isna(value) else f"{int(value):,}" if value == int(value) else f"{value:.6g}"


def reasons(counts: dict[str, dict], key: str) -> list[str]:
    """Every reason that a data set's `key` counts, each once, in order of the alphabet."""
    return sorted({reason for row in counts.values() for reason in row[key]})


TEMPLATES.filters |= {
    "brief": brief,
    "count": lambda number: f"{number:,}",
    "duration": duration,
    "exact": exact,
    "figure": figure,
    "mistakes": mistakes,
    "percent": percent,
    "percent0": lambda share: f"{share:.0%}".replace("%", "\u202f%"),
    "probability": probability,
    "reasons": reasons,
    "settings": settings,
    "signed": signed,
}
