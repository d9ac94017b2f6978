"""A real browser, with the network off."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Opened:
    """A page that is open in a tab of the browser, what it asked for and what it complained of."""

    def __init__(self, tab) -> None:
        self.tab, self.errors, self.requests = tab, [], []
        tab.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.on("request", lambda asked: asked.url.startswith("data:") or self.requests.append(asked.url))

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return self.tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def boxes(self, selector: str) -> list[dict]:
        """The width and height of what matches `selector`, as drawn."""
        elements = self.tab.query_selector_all(selector)
        return [element.bounding_box() or {"width": 0, "height": 0} for element in elements]

    def violations(self) -> list[str]:
        """What axe-core finds to be a serious or critical barrier, everything folded out."""
        from axe_playwright_python.sync_playwright import Axe

        self.tab.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        found = Axe().run(self.tab).response["violations"]
        barriers = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in barriers]


class Browser:
    def __init__(self, chromium) -> None:
        self._chromium = chromium

    @classmethod
    @contextmanager
    def started(cls) -> Iterator["Browser"]:
        """A headless Chromium; the test is skipped where there is none."""
        sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
        names = ("chromium", "chromium-browser", "google-chrome")
        executable = next((path for name in names if (path := shutil.which(name))), None)
        if not executable:
            pytest.skip(f"no browser: none of {', '.join(names)} is on the PATH")
        with sync_api.sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            yield cls(chromium)
            chromium.close()

    @contextmanager
    def opened(self, file: Path, scheme: str, width: int) -> Iterator[Opened]:
        """A file as a person opens it, in a window of so many pixels, in a `light` or `dark` scheme."""
        window = {"width": width, "height": 900}
        context = self._chromium.new_context(offline=True, color_scheme=scheme, viewport=window)
        page = Opened(context.new_page())
        page.tab.goto(file.as_uri())
        yield page
        context.close()
