"""A browser without network."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Opened:
    """A page in a tab of the browser, with the errors and the requests that it caused."""

    def __init__(self, tab) -> None:
        self.tab, self.errors, self.requests = tab, [], []
        tab.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.on("request", lambda request: request.url.startswith("data:") or self.requests.append(request.url))

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        return self.tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def boxes(self, selector: str) -> list[dict]:
        """Return position and size of the elements that match `selector`, as displayed; size 0 for a hidden one."""
        elements = self.tab.query_selector_all(selector)
        return [element.bounding_box() or {"width": 0, "height": 0} for element in elements]

    def scroll_regions(self) -> list[dict]:
        """Return for each scroll region whether its content is too wide, whether a hint shows that, and its label."""
        self._open_details()
        self.tab.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return self.tab.evaluate(
            """() => [...document.querySelectorAll(".scroll")].map(region => ({
                wide: region.scrollWidth > region.clientWidth,
                hint: getComputedStyle(region, "::before").visibility == "visible",
                label: region.getAttribute("aria-label"),
                focusable: region.tabIndex == 0,
            }))"""
        )

    def violations(self) -> list[str]:
        """Return the serious and critical accessibility violations that axe-core finds, with all details open."""
        from axe_playwright_python.sync_playwright import Axe

        self._open_details()
        found = Axe().run(self.tab).response["violations"]
        barriers = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in barriers]

    def _open_details(self) -> None:
        self.tab.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")


class Browser:
    """A headless Chromium."""

    def __init__(self, chromium) -> None:
        self._chromium = chromium

    @classmethod
    @contextmanager
    def started(cls, *flags: str) -> Iterator["Browser"]:
        """Start the browser with command-line flags, or skip the test if it is not installed."""
        sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
        names = ("chromium", "chromium-browser", "google-chrome")
        executable = next((path for name in names if (path := shutil.which(name))), None)
        if not executable:
            pytest.skip(f"no browser: none of {', '.join(names)} is on the PATH")
        with sync_api.sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", *flags])
            yield cls(chromium)
            chromium.close()

    @contextmanager
    def opened(self, file: Path | str, scheme: str, width: int, script: str = "") -> Iterator[Opened]:
        """Open a file, or a URL with the network on, in a window `width` pixels wide, light or dark (`scheme`).

        `script` runs before those of the page.
        """
        window, offline = {"width": width, "height": 900}, isinstance(file, Path)
        context = self._chromium.new_context(offline=offline, color_scheme=scheme, viewport=window)
        context.add_init_script(script)
        page = Opened(context.new_page())
        page.tab.goto(file.as_uri() if isinstance(file, Path) else file)
        yield page
        context.close()
