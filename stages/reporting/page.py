"""HTML pages from Jinja templates. A page is one file that makes no request."""

import json
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stages.base.errors import one_line

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=lambda name: name is not None and ".html" in name,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render_page(name: Literal["report", "benchmark", "review"], content: dict[str, Any]) -> str:
    """Return a page as a complete HTML document.

    Args:
        name: the name of the page's template.
        content: the variables of the template; a missing one raises jinja2.UndefinedError.
    """
    return TEMPLATES.get_template(f"{name}.html.jinja").render(content)


def confused_pairs(confusion: pd.DataFrame) -> list[dict]:
    """Return the rows of a confusion table that are mistakes, the most frequent first."""
    wrong = confusion[(confusion.label != confusion.prediction) & (confusion.faces > 0)]
    return wrong.sort_values("faces", ascending=False, kind="stable").to_dict("records")


def flatten(params: dict[str, Any]) -> dict[str, str]:
    """Return nested parameters by dotted name, with their values as `dvc exp run -S` accepts them."""
    flat: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{key}": text for key, text in flatten(value).items()}
        else:
            flat[name] = value if isinstance(value, str) else json.dumps(value)
    return flat


def percent(share: float, decimals: int = 1) -> str:
    """Return a share, 0 to 1, in percent."""
    return f"{share:.{decimals}%}".replace("%", "\u202f%")


def metric(value: float | None) -> str:
    """Return a metric with three decimals, or a dash if it is None."""
    return "–" if value is None else f"{value:.3f}"


def signed(value: float) -> str:
    """Return a difference with three decimals and its sign."""
    return f"{value:+.3f}".replace("-", "−")


def short_number(number: float) -> str:
    """Return a count or a speed with about three digits: 9.5, 1,204, 12.3 M, 1.45 G."""
    for unit, size in {"G": 1e9, "M": 1e6}.items():
        if number >= 0.9995 * size:
            return f"{_three_digits(number / size)}\u202f{unit}"
    return _three_digits(number)


def duration(seconds: float) -> str:
    """Return a time with about two digits in a suitable unit: 4.2 s, 110 s, 35 min, 5.1 h."""
    unit, size = next(((unit, size) for unit, size in (("h", 3600), ("min", 60)) if seconds >= 2 * size), ("s", 1))
    return f"{seconds / size:{'.0f' if seconds >= 9.95 * size else '.2g'}}\u202f{unit}"


def p_value(p: float) -> str:
    """Return a p-value with three decimals, or "< 0.001"."""
    return "<\u202f0.001" if p < 0.001 else f"{p:.3f}"


def table_cell(value: str | float) -> str:
    """Return the text of a cell: whole numbers in full, others with six digits, a dash for a missing one."""
    if isinstance(value, str):
        return value
    return "–" if pd.isna(value) else f"{int(value):,}" if value == int(value) else f"{value:.6g}"


def plain(text: object) -> str:
    """Return a text, such as the name of an archive, as Markdown that shows it as it is, in one line."""
    return re.sub(r"([\\`*_\[\]~$|])", r"\\\1", escape(one_line(str(text)), quote=False))


def distinct_reasons(datasets: Iterable[dict], key: str) -> list[str]:
    """Return every reason under `key` of any data set, in alphabetical order."""
    return sorted({reason for row in datasets for reason in row[key]})


def _three_digits(number: float) -> str:
    return f"{number:,.0f}" if number >= 99.95 else f"{number:.3g}"


TEMPLATES.filters |= {
    "confused_pairs": confused_pairs,
    "count": lambda number: f"{number:,}",
    "distinct_reasons": distinct_reasons,
    "duration": duration,
    "flatten": flatten,
    "metric": metric,
    "p_value": p_value,
    "percent": percent,
    "plain": plain,
    "short_number": short_number,
    "signed": signed,
    "table_cell": table_cell,
}
