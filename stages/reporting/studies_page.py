"""The page of the studies as Markdown: our results beside those of others."""

from typing import Any

from stages.base.errors import InputError
from stages.base.suggestions import suggestion
from stages.reporting.page import TEMPLATES, metric


def render_studies(studies: dict[str, dict[str, Any]], results: dict[str, dict[str, Any]], waiting: list[str]) -> str:
    """Return the page.

    Args:
        studies: the studies of the file by name: about, settings, folds, seeds, ensemble and original.
        results: the results by name, as the command writes them; those of studies that are no longer in the file too.
        waiting: names of the studies that have no result of their present settings.

    Raises:
        InputError: a study is compared by a metric that its result does not have.
    """
    for name, result in results.items():
        for other in studies.get(name, {"original": []})["original"]:
            if other["metric"] not in result["metrics"]:
                hint = suggestion(other["metric"], result["metrics"])
                raise InputError(f"studies.{name}.original: its result has no metric {other['metric']!r}{hint}")
    return TEMPLATES.get_template("studies.md.jinja").render(studies=studies, results=results, waiting=waiting)


def with_interval(found: dict[str, float]) -> str:
    """Return a metric with its interval, if it has one."""
    return metric(found["value"]) + (f" ({metric(found['low'])}–{metric(found['high'])})" if "low" in found else "")


TEMPLATES.filters["with_interval"] = with_interval
