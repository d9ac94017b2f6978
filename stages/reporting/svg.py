"""Matplotlib figures as SVG elements that use the colours and the font of their page."""

import re
from html import escape
from io import StringIO
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

WIDTH = 360  # pixels; fits the screen of a phone without reducing the text
INK, LINE = "#010101", "#020202"  # placeholders that are replaced by the colours of the page
SERIES = ["#030301", "#030302", "#030303", "#030304", "#030305"]
_COLOURS = {INK: "currentColor", LINE: "var(--line)"} | {c: f"var(--series-{n})" for n, c in enumerate(SERIES, 1)}

STYLE: dict[RcKeyType, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": LINE,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.titlecolor": INK,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "legend.borderpad": 0,
    "legend.columnspacing": 1.2,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,  # a $ in a name is a $
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.pad": 6,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}
_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def new_figure(height: int) -> Figure:
    """Return an empty figure of WIDTH×`height` pixels; its only colours are INK, LINE and SERIES."""
    return Figure(figsize=(WIDTH / 72, height / 72), layout="constrained")


def svg_element(figure: Figure, name: str, description: str) -> str:
    """Return a figure as an SVG element. The same figure and name give the same text.

    Args:
        figure: drawn on `new_figure` with STYLE.
        name: makes the ids in the element unique on a page.
        description: the text for screen readers.
    """
    text = StringIO()
    with rc_context({"svg.hashsalt": name}):
        figure.savefig(text, format="svg", transparent=True, metadata=_METADATA)
    svg = text.getvalue()
    svg = re.sub(r"\s*<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r" font-family: [^;]*;", "", svg)
    svg = re.sub("#0[0-9a-f]{5}", lambda colour: _COLOURS[colour[0]], svg)
    box = f"0 0 {WIDTH} {figure.get_figheight() * 72:.0f}"
    opening = f'<svg viewBox="{box}" role="img" aria-label="{escape(description)}">'
    return opening + svg[svg.index(">", svg.index("<svg")) + 1 :].strip()
