"""A gateway for text messages over HTTPS that does what a test tells it, wrong things too."""
import contextlib
import http.server
import os
import ssl
import threading
import time

from harness import ENV, part

PORT = 8443
HOST = "veilig." + part("own")


class Request:
    """What came: .method, .path, .headers, .body (bytes)."""

    def __init__(self, handler, body):
        self.method, self.path = handler.command, handler.path
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.body = body


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _take(self):
        length = int(self.headers.get("Content-Length", 0))
        self.server.seen.append(Request(self, self.rfile.read(length)))
        self.close_connection = True
        answer = self.server.answer
        time.sleep(answer.get("wait_s", 0))
        if answer.get("closes"):
            self.connection.close()
            return
        body = answer.get("body", b"")
        with contextlib.suppress(OSError):  # the other side may have gone
            self.send_response(answer.get("status", 200))
            self.send_header("Content-Length", str(len(body) + answer.get("missing", 0)))
            for name, value in answer.get("headers", {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    do_GET = do_POST = _take

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 50

    def handle_error(self, request, client_address):
        pass  # a client that ends a handshake is what some tests want


class Gateway:
    """with Gateway(status=200, body=b"OK") as gateway: gateway.seen are the requests.

    Keys of an answer: status, headers, body, missing (bytes that are promised and do not
    come), wait_s, closes. .answer may be set to another one at any time.
    """

    def __init__(self, **answer):
        self.answer = answer

    def __enter__(self):
        self.server = _Server((ENV["LAB_WEB_ADDR"], PORT), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(ENV["LAB"], "pki", "web.pem"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        self.server.seen, self.server.answer = [], self.answer
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def become(self, **answer):
        self.server.answer = answer

    @property
    def seen(self):
        return self.server.seen

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
