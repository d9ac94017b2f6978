"""Build the page that runs the exported model in a browser → data/page.

    python -m stages.publishing.page

The folder can be put on any static host. In it, facial-expressions.html is the page as one file, which opens from disk.
"""

from pathlib import Path

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.publishing.exported import read_facts
from stages.publishing.site import ONE_FILE, hosted, one_file, resources

MODEL, RUNTIME, PAGE = Path("data/export/model.onnx"), Path("data/runtime"), Path("data/page")


def main() -> None:
    """Write the folder, and in it the page as one file."""
    facts = read_facts(MODEL)
    loaded = resources(MODEL, RUNTIME, facts)
    with atomic_output(PAGE) as folder:
        folder.mkdir()
        for name, content in hosted(loaded, facts).items():
            (folder / name).write_bytes(content)
        (folder / ONE_FILE).write_bytes(one_file(loaded, facts))
    print(f"{PAGE}: open {ONE_FILE} in a browser, or put the folder on a static host")


if __name__ == "__main__":
    guard(main)
