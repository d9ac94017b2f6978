"""The page of the studies as Markdown: our results beside those of others."""

from typing import Any

from stages.reporting.page import TEMPLATES, metric


def render_studies(studies: dict[str, dict[str, Any]], results: dict[str, dict[str, Any]]) -> str:
    """Return the page.

    Args:
        studies: the studies of the file by name: about, settings, folds, seeds, ensemble and original.
        results: the results by name, as the command writes them; those of studies that are no longer in the file too.
    """
    return TEMPLATES.get_template("studies.md.jinja").render(
        studies=studies, results=results, with_interval=with_interval
    )


def with_interval(found: dict[str, float]) -> str:
    """Return a metric with its interval, if it has one."""
    return metric(found["value"]) + (f" ({metric(found['low'])}–{metric(found['high'])})" if "low" in found else "")


TEMPLATES.filters["with_interval"] = with_interval
