"""A stage for browser tests: serves the example pages and the built files on loopback, with the program's content policy."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from citybrain.kernel.text import Lang
from citybrain.web import assets, render
from tests.web import examples, preview

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


class Stage(BaseHTTPRequestHandler):
    """Serves ``/<example>?lang=&theme=&size=``, ``/static/…`` and an event stream that sends one fragment and waits."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/api/v1/see/live":
            self._live("en" if asked.get("lang") == "en" else "zh")
        elif address.path == "/static/examples/areas.geojson":
            self._send(preview.geojson(examples.SHAPES), "application/geo+json")
        elif address.path == "/static/examples/points.geojson":
            self._send(preview.points(), "application/geo+json")
        elif address.path.startswith("/static/"):
            file = assets.STATIC / address.path.removeprefix("/static/")
            self._send(file.read_bytes(), _TYPES.get(file.suffix, "application/octet-stream"))
        else:
            self._page(address.path.strip("/"), asked)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the parent's
        """Say nothing."""

    def _page(self, name: str, asked: dict[str, str]) -> None:
        path, view = examples.PAGES.get(name, examples.PAGES["error"])
        frame = examples.page(
            "en" if asked.get("lang") == "en" else "zh",
            path,
            "dark" if asked.get("theme") == "dark" else "light",
            "large" if asked.get("size") == "large" else "normal",
        )
        html = render.render(view, frame).replace('src="/api/v1/see/live"', f'src="/api/v1/see/live?lang={frame.lang}"')
        self._send(html.encode(), "text/html; charset=utf-8")

    def _live(self, lang: Lang) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"event: fragment\ndata: " + preview.live_fragment(lang) + b"\n\n")
        self.wfile.flush()
        STOP.wait(20)

    def _send(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(content)


STOP = threading.Event()


@contextmanager
def stage() -> Iterator[str]:
    """The address of a running stage."""
    STOP.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stage)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        STOP.set()
        server.shutdown()
        server.server_close()
        thread.join()


CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
WITH_GPU = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
WITHOUT_GPU = ("--disable-gpu", "--disable-3d-apis")
