"""The tables of an HTML page, and numbers in the format of the pages."""

from html.parser import HTMLParser

import pandas as pd


class Tables(HTMLParser):
    """The tables of a page, by caption: rows of cells, each a text with single spaces."""

    @classmethod
    def of(cls, page: str) -> dict[str, list[list[str]]]:
        parser = cls()
        parser.tables, parser.text = {}, None
        parser.feed(page)
        return parser.tables

    def handle_starttag(self, tag: str, attributes: list) -> None:
        if tag == "table":
            self.rows = []
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("caption", "td", "th"):
            self.text = ""

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "caption":
            self.tables[" ".join(self.text.split())] = self.rows
        elif tag in ("td", "th"):
            self.rows[-1].append(" ".join(self.text.split()))
        if tag in ("caption", "td", "th"):
            self.text = None


def decimals(value: float) -> str:
    return f"{value:.3f}"


def cell_text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{int(value):,}" if value == int(value) else f"{value:.6g}"


def cell_texts(table: pd.DataFrame) -> list[list[str]]:
    return [[cell_text(value) for value in row] for row in table.itertuples(index=False)]
