"""The page that runs a model in a browser: as a folder for a static host, and as one file."""

import base64
import gzip
import hashlib
import json
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

import onnxruntime
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from stages.publishing.exported import Facts

SOURCES = Path(__file__).parent / "web"
REPORT = Path(__file__).parents[1] / "reporting" / "templates"  # whose colours the page has too
DETECTOR = Path(__file__).parents[1] / "detection" / "blazeface"
LICENCE = Path(__file__).parents[2] / "LICENSE"
# Of the code in ONNX Runtime; its package for browsers, of about the same version, comes without them.
THIRD_PARTIES = Path(onnxruntime.__file__).parent / "ThirdPartyNotices.txt"
ONE_FILE = "facial-expressions.html"
TYPES = {".js": "text/javascript", ".mjs": "text/javascript"}  # of the others, none is needed
REFERENCE = re.compile(r'"\./([\w.-]+)"')  # how a module names another one or a file
TEMPLATES = Environment(
    loader=FileSystemLoader([SOURCES, REPORT]),
    autoescape=lambda name: name is not None and ".html" in name,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


class Resources(NamedTuple):
    """What the page loads, by name, each file after those that it names.

    Attributes:
        page: the modules of the page.
        worker: the modules of its worker, the networks, and ONNX Runtime Web.
    """

    page: dict[str, bytes]
    worker: dict[str, bytes]


def resources(model: Path, runtime: Path, facts: Facts) -> Resources:
    """Return what the page loads.

    Args:
        model: the exported model.
        runtime: folder with the files of ONNX Runtime Web.
        facts: the model's metadata.
    """
    config = {"labels": facts.labels, "size": facts.face_size, "channels": facts.channels}
    modules = {path.name: path.read_bytes() for path in sorted((SOURCES / "modules").iterdir())}
    others = {path.name: path.read_bytes() for path in [*sorted(runtime.iterdir()), DETECTOR / "blazeface.onnx"]}
    others |= {"model.onnx": model.read_bytes(), "model.json": json.dumps(config).encode()}
    worker = _loaded_by("worker.js", modules | others)
    return Resources(_loaded_by("main.js", {name: modules[name] for name in modules.keys() - worker.keys()}), worker)


def _loaded_by(first: str, files: dict[str, bytes]) -> dict[str, bytes]:
    """Return a module and all files that it loads, each after those that it names."""
    names: dict[str, list[str]] = {}
    waiting = [first]
    while waiting:
        name = waiting.pop()
        text = files[name].decode() if Path(name).suffix in (".js", ".mjs") else ""
        names[name] = [other for other in REFERENCE.findall(text) if other in files]
        waiting += [other for other in names[name] if other not in names]
    return {name: files[name] for name in TopologicalSorter(names).static_order()}


def hosted(loaded: Resources, facts: Facts) -> dict[str, bytes]:
    """Return the files of the page for a static host, by name; a service worker keeps them for use offline."""
    script = TEMPLATES.get_template("hosted.js").render(one_file=ONE_FILE)
    policy = {"script-src": "'self'", "worker-src": "'self' blob:", "connect-src": "'self'"}
    files = {"index.html": _html(facts, policy, script, one_file=ONE_FILE), **loaded.page, **loaded.worker}
    version = hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in files.values())).hexdigest()
    offline = TEMPLATES.get_template("offline.js.jinja").render(version=version[:16], files=["./", *files])
    return {**files, "offline.js": offline.encode()}


def one_file(loaded: Resources, facts: Facts) -> bytes:
    """Return the page as one HTML document with all files in it, compressed."""
    script = TEMPLATES.get_template("embedded.js").render()
    policy = {"script-src": "blob:", "worker-src": "blob:", "connect-src": "blob:"}
    embedded = [
        {
            "part": part,
            "name": name,
            "type": TYPES.get(Path(name).suffix, "application/octet-stream"),
            "content": base64.b64encode(gzip.compress(content, 9, mtime=0)).decode(),
        }
        for part, files in loaded._asdict().items()
        for name, content in files.items()
    ]
    return _html(facts, policy, script, embedded=embedded)


def _html(facts: Facts, policy: dict[str, str], script: str, **content: Any) -> bytes:
    """Return the HTML document.

    Its Content-Security-Policy allows the embedded style and script, and beside them only what `policy` says; a worker
    that is started from a blob is under it too.
    """
    style = "".join(TEMPLATES.get_template(name).render() for name in ("colours.css", "style.css"))
    rules = {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "img-src": "data:",
        "style-src": _hash(style),
        **policy,
        "script-src": f"{policy['script-src']} 'wasm-unsafe-eval' {_hash(script)}",
    }
    texts = {"mit": LICENCE, "apache": DETECTOR / "LICENSE", "notice": DETECTOR / "NOTICE.md", "others": THIRD_PARTIES}
    variables = {
        "policy": "; ".join(f"{name} {sources}" for name, sources in rules.items()),
        "style": Markup(style),
        "script": Markup(script),
        "facts": facts,
        "licences": {name: path.read_text("utf-8").strip() for name, path in texts.items()},
        "one_file": None,
        "embedded": [],
        **content,
    }
    return TEMPLATES.get_template("index.html.jinja").render(variables).encode()


def _hash(text: str) -> str:
    """Return the source expression that allows an embedded style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
