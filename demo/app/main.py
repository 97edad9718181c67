"""A small site that counts its visits, to see a whole stack at work."""

import json
import os
import signal
import socket
import string
import sys
import threading
import time
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from visits import DatabaseUnavailable, Visits

HOST = os.environ.get("HOSTWRIGHT_HOST") or socket.gethostname()
PAGE = string.Template(Path(__file__).with_name("page.html").read_text("utf-8"))

# Seconds. Whoever holds a connection open, such as nginx, must close an idle one before IDLE ends.
IDLE = 75
DRAIN = 3
LAST_REQUESTS = 20

LARGEST_BODY = 64 * 1024


class Server(ThreadingHTTPServer):
    """Ends without refusing or cutting off a request."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, listener, visits):
        super().__init__(listener.getsockname()[:2], Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.visits = visits
        self.draining = False
        self._open = set()
        self._changed = threading.Condition()

    def process_request(self, request, client_address):
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def drain(self):
        """
        A connection that is closed while idle may already carry the next request, which would be lost. So
        each one ends with an answer that says so, or by the other side; meanwhile new ones are served as well.
        """
        with self._changed:
            self.draining = True
            before = set(self._open)
            self._changed.wait_for(lambda: not before & self._open, DRAIN)
        self.shutdown()
        with self._changed:
            self._changed.wait_for(lambda: not self._open, LAST_REQUESTS)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE
    wbufsize = -1
    disable_nagle_algorithm = True

    def version_string(self):
        return "visits"

    def log_request(self, code="-", size="-"):
        """The web server in front writes the log of requests."""

    def answer(self, status, body, kind="application/json"):
        if isinstance(body, dict):
            body = json.dumps({"host": HOST, **body}) + "\n"
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Served-By", HOST)
        if kind == "text/html":
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        if self.server.draining or self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_GET(self):
        path = self.path.partition("?")[0]
        routes = {"/": self.page, "/healthz": self.health, "/readyz": self.ready, "/api/visits": self.list}
        self.route(routes.get(path))

    do_HEAD = do_GET

    def do_POST(self):
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self.answer(413, {"error": f"expected at most {LARGEST_BODY} bytes, with their number"})
            return
        # What is left unread would be taken for the next request.
        self.rfile.read(int(length))
        path = self.path.partition("?")[0]
        self.route(self.add if path == "/api/visits" else None)

    def route(self, handle):
        if handle is None:
            self.answer(404, {"error": "there is nothing here"})
            return
        try:
            handle()
        except DatabaseUnavailable as error:
            self.answer(503, {"error": str(error)})

    def health(self):
        """The process is up; it can say what is wrong with the database."""
        self.answer(200, {"status": "up"})

    def ready(self):
        self.answer(200, {"status": "ready", "databases": self.server.visits.check()})

    def add(self):
        self.answer(201, {"write": self.server.visits.add(HOST)})

    def list(self):
        self.answer(200, self.server.visits.latest())

    def page(self):
        write = self.server.visits.add(HOST)
        found = self.server.visits.latest()
        rows = "".join(
            f"<tr><td>{visit['id']}</td><td>{escape(visit['host'])}</td><td>{escape(visit['at'])}</td></tr>"
            for visit in found["visits"]
        )
        text = PAGE.substitute(
            host=escape(HOST),
            number=write["id"],
            write=escape(write["database"]),
            read=escape(found["read"]["database"]),
            role=escape(found["read"]["role"]),
            rows=rows,
        )
        self.answer(200, text, "text/html")


def listener():
    """The socket that systemd hands over (sd_listen_fds(3)), or one of our own."""
    if os.environ.get("LISTEN_PID") == str(os.getpid()):
        return socket.socket(fileno=3)
    address = ("127.0.0.1", int(os.environ.get("PORT", "3000")))
    return socket.create_server(address, backlog=Server.request_queue_size)


def main():
    visits = Visits.from_environment(os.environ)
    if sys.argv[1:] == ["--check"]:
        return
    server = Server(listener(), visits)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(f"visits: serving on {server.socket.getsockname()}", flush=True)
    ended.wait()
    started = time.monotonic()
    server.drain()
    print(f"visits: drained in {time.monotonic() - started:.1f} s", flush=True)


if __name__ == "__main__":
    main()
