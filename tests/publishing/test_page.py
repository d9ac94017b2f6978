"""The page in a browser: the same faces and probabilities as in Python, and nothing leaves the machine."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.browser import Browser, Opened
from helpers.drawn_faces import drawn_face
from helpers.published import build, served
from stages.prediction.classifier import Classifier
from stages.publishing.site import ONE_FILE

# What the worker answers is kept for the tests; nothing else changes.
SPY = """
window.answers = [];
const Native = Worker;
window.Worker = class extends Native {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", ({ data: { image, ...answer } }) => {
      if ("faces" in answer || "error" in answer) answers.push(answer);
    });
  }
};
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    build(folder, channels=1)
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with served(folder / "data/page") as url:
        yield url


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with a camera that shows two people."""
    frames = io.BytesIO()
    for number in range(20):
        frame = np.full((480, 640, 3), 120, np.uint8)
        frame[60:316, 4 * number : 4 * number + 256] = drawn_face("jaffe", 0)
        frame[150:406, 360:616] = drawn_face("jaffe", 1)
        Image.fromarray(frame).save(frames, "JPEG", quality=95)
    film = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    film.write_bytes(frames.getvalue())
    flags = "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"
    with Browser.started(*flags, f"--use-file-for-fake-video-capture={film}") as browser:
        yield browser


def write_pictures(folder: Path) -> list[Path]:
    """Write pictures of none, one, two and six faces: cropped already, tilted, lying on its side by EXIF, small."""
    large = np.full((1500, 2300, 3), 110, np.uint8)
    for number in range(6):
        side, x, y = 100 + 60 * number, 40 + 750 * (number % 3), 60 + 700 * (number // 3)
        large[y : y + side, x : x + side] = Image.fromarray(drawn_face("jaffe", number)).resize((side, side))
    exif = Image.Exif()
    exif[0x0112] = 6
    face = Image.fromarray(drawn_face("jaffe", 2))
    face.rotate(20, Image.Resampling.BICUBIC, fillcolor=(128,) * 3).save(folder / "tilted.png")
    face.transpose(Image.Transpose.ROTATE_90).save(folder / "aside.png", exif=exif)
    for name, pixels in {
        "two": np.hstack([drawn_face("jaffe", 0), drawn_face("jaffe", 1)]),
        "cropped": drawn_face("rafdb", 0),
        "large": large,
        "grey": np.full((90, 90, 3), 99, np.uint8),
    }.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return sorted(folder.iterdir())


@contextmanager
def ready(browser: Browser, page: Path | str, scheme: str = "light", width: int = 1280) -> Iterator[Opened]:
    with browser.opened(page, scheme, width, SPY) as opened:
        wait_until_ready(opened)
        yield opened


def wait_until_ready(opened: Opened) -> None:
    opened.tab.wait_for_selector("#choose:enabled", state="attached", timeout=60_000)


def answers(opened: Opened, files: list[Path]) -> list[dict]:
    """Choose files on the page; return what its worker answers, once all is shown."""
    opened.tab.set_input_files("#choose", files)
    opened.tab.wait_for_selector("#progress:not([hidden])", state="attached")
    opened.tab.wait_for_selector("#progress[hidden]", state="attached", timeout=120_000)
    return opened.tab.evaluate("answers.splice(0)")


def assert_same(told: list[dict], files: list[Path], classifier: Classifier) -> None:
    assert len(told) == len(files)
    for answer, file in zip(told, files, strict=True):
        for shown, face in zip(answer["faces"], classifier(file), strict=True):
            edges = [shown["box"][name] for name in face.box._fields]
            assert edges == pytest.approx(list(face.box), abs=1e-3), file
            assert shown["probabilities"] == pytest.approx(list(face.probabilities.values()), abs=1e-3), file


def leaks(opened: Opened, own: str) -> list[str]:
    return [request for request in opened.requests if not request.startswith((own, "blob:"))]


def test_on_a_host_it_finds_what_python_finds_and_goes_on_offline(
    folder: Path, url: str, browser: Browser, pictures: list[Path]
):
    classifier = Classifier.load(folder / "data/model")
    with ready(browser, url) as opened:
        assert_same(answers(opened, pictures), pictures, classifier)
        counts = [opened.tab.locator(f"article:nth-child({n})").locator(".face").count() for n in range(1, 7)]
        assert counts == opened.tab.evaluate(
            "[...document.querySelectorAll('article')].map(view => view.querySelectorAll('.box').length)"
        )
        assert sum(counts) == 11 and "grey.png: no face found." in opened.tab.inner_text("#status")
        opened.tab.evaluate("navigator.serviceWorker.ready.then(() => 0)")
        opened.tab.context.set_offline(True)
        opened.tab.reload()
        wait_until_ready(opened)
        assert_same(answers(opened, pictures[-1:]), pictures[-1:], classifier)
        assert opened.errors == [] and leaks(opened, url) == []


def test_from_disk_it_finds_what_python_finds(folder: Path, browser: Browser, pictures: list[Path]):
    file = folder / "data/page" / ONE_FILE
    some = [picture for picture in pictures if picture.stem != "large"]
    with ready(browser, file) as opened:
        assert_same(answers(opened, some), some, Classifier.load(folder / "data/model"))
        assert opened.errors == [] and leaks(opened, file.as_uri()) == []


@pytest.mark.slow
def test_a_model_of_colours_finds_what_python_finds(tmp_path: Path, browser: Browser, pictures: list[Path]):
    build(tmp_path, channels=3)
    with ready(browser, tmp_path / "data/page" / ONE_FILE) as opened:
        assert_same(answers(opened, pictures), pictures, Classifier.load(tmp_path / "data/model"))


def test_neither_the_page_nor_its_worker_can_send_anything(folder: Path, url: str, browser: Browser):
    """Code that is added to both tries to reach another server of this machine."""
    with received() as (other, requests):
        spy = f"""
            {SPY}
            const Plain = Blob;
            window.Blob = class extends Plain {{
              constructor(parts, options) {{
                const tell = "postMessage({{ id: 0, error: error.message }})";
                const more = `; fetch('{other}worker').catch((error) => ${{tell}});`;
                super(String(parts[0]).includes("worker.js") ? [...parts, more] : parts, options);
              }}
            }};"""
        for page in (url, (folder / "data/page" / ONE_FILE).as_uri()):
            with browser.opened(page, "light", 1280, spy) as opened:
                wait_until_ready(opened)
                sent = f"fetch('{other}page').then(() => 'sent', (error) => error.message)"
                assert opened.tab.evaluate(sent) == "Failed to fetch"
                assert opened.tab.evaluate("answers") == [{"id": 0, "error": "Failed to fetch"}]
        assert requests == []


@contextmanager
def received() -> Iterator[tuple[str, list[str]]]:
    """A server: its URL, and the paths that it is asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", paths
    server.shutdown()
    server.server_close()


def test_axe_finds_nothing(url: str, browser: Browser, pictures: list[Path]):
    from axe_playwright_python.sync_playwright import Axe

    for scheme in ("light", "dark"):
        with ready(browser, url, scheme) as opened:
            answers(opened, [pictures[-1], Path(__file__)])
            opened.tab.click("summary")
            for width in (1280, 390):
                opened.tab.set_viewport_size({"width": width, "height": 900})
                found = Axe().run(opened.tab).response["violations"]
                assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []
                assert opened.overflow() == 0


def test_the_camera_is_used_and_stopped_by_keyboard(url: str, browser: Browser, pictures: list[Path]):
    with ready(browser, url, width=390) as opened:
        tab = opened.tab
        tab.keyboard.press("Tab")
        with tab.expect_file_chooser() as chooser:
            tab.keyboard.press("Space")
        assert chooser.value.is_multiple()
        tab.keyboard.press("Tab")
        tab.keyboard.press("Space")
        tab.wait_for_selector("#live .face:nth-child(2)", timeout=60_000)
        tab.wait_for_selector("#live .note:text-matches('^2 faces, [0-9]+ frames/s$')", timeout=60_000)
        assert tab.inner_text("#status") == "The camera is on."
        numbers = tab.evaluate("[...document.querySelectorAll('#live .number')].map(number => number.textContent)")
        assert numbers[:2] == numbers[2:] and int(numbers[0]) < int(numbers[1])  # on the picture, and in the list
        tab.keyboard.press("Space")
        tab.wait_for_selector("#live article", state="detached")
        assert tab.inner_text("#status") == "The camera is off." and tab.inner_text("#errors") == ""
        assert opened.errors == [] and leaks(opened, url) == []


def test_pictures_are_dropped_and_pasted(url: str, browser: Browser):
    give = """async (kind) => {
        const canvas = new OffscreenCanvas(40, 30);
        canvas.getContext("2d").fillRect(0, 0, 40, 30);
        const data = new DataTransfer();
        data.items.add(new File([await canvas.convertToBlob()], `${kind}.png`));
        const events = { drop: new DragEvent("drop", { dataTransfer: data, cancelable: true }),
                         paste: new ClipboardEvent("paste", { clipboardData: data }) };
        document.dispatchEvent(events[kind]);
    }"""
    with ready(browser, url) as opened:
        for kind in ("drop", "paste"):
            opened.tab.evaluate(give, kind)
            opened.tab.wait_for_selector(f"#status:has-text('{kind}.png: no face found.')")


def test_each_mistake_is_one_line_and_the_other_files_are_done(
    url: str, browser: Browser, pictures: list[Path], tmp_path: Path
):
    Image.new("L", (9000, 9000)).save(tmp_path / "huge.png")
    Image.new("RGBA", (90, 90)).save(tmp_path / "clear.png")
    (tmp_path / "text.png").write_text("hello")
    with ready(browser, url) as opened:
        answers(opened, [tmp_path / "huge.png", tmp_path / "clear.png", tmp_path / "text.png", pictures[-1]])
        assert opened.tab.locator("#errors p").all_inner_texts() == [
            "huge.png: a picture of 9000×9000 pixels is too large.",
            "clear.png: a picture that is wholly transparent.",
            "text.png: not a picture that this browser can read.",
        ]
        assert opened.tab.locator("article h2").all_inner_texts() == ["two.png"]
        assert opened.errors == []


def test_what_is_wrong_with_a_camera_is_one_line(url: str, browser: Browser):
    reasons = {
        "NotAllowedError": "The browser may not use the camera. Permit it in the settings of the browser or of the "
        "system.",
        "NotFoundError": "There is no camera.",
        "NotReadableError": "The camera cannot be read; does another program use it?",
        "": "The camera needs a page from https:// or from this computer.",
    }
    refuse = """(name) => {
        const getUserMedia = async () => { throw new DOMException("", name); };
        Object.defineProperty(navigator, "mediaDevices", { value: name && { getUserMedia }, configurable: true });
    }"""
    with ready(browser, url) as opened:
        for name, line in reasons.items():
            opened.tab.evaluate(refuse, name)
            opened.tab.click("#camera")
            opened.tab.wait_for_selector(f"#errors p:text-is('{line}')")
            assert opened.tab.locator("#errors p").count() == 1
            assert opened.tab.inner_text("#camera") == "Use the camera"
        assert opened.errors == []


def test_a_browser_without_webassembly_is_told(url: str, browser: Browser):
    with browser.opened(url, "light", 1280, "delete window.WebAssembly") as opened:
        told = opened.tab.inner_text("#errors p")
        assert told == "The model cannot run in this browser: it lacks WebAssembly, or it is turned off."


def test_the_folder_opened_from_disk_names_the_file_that_works(folder: Path, browser: Browser):
    with browser.opened(folder / "data/page/index.html", "light", 1280) as opened:
        opened.tab.wait_for_selector(f"#status:has-text('use {ONE_FILE}')")
