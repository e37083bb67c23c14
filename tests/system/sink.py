"""A mail server without TLS that takes whatever comes and writes down every byte."""
import socketserver
import threading

ANSWERS = {b"DATA": b"354 go on", b"QUIT": b"221 bye", b"STARTTLS": b"454 4.7.0 not now"}


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Sink:
    """with Sink(ADDRESS) as sink: listens there on port 25. OFFER: it says that it has STARTTLS,
    and then that it has not."""

    def __init__(self, address, offer=False):
        self.ehlo = b"250-sink" + (b"\r\n250-STARTTLS" if offer else b"") + b"\r\n250 8BITMIME"
        self.got = []
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            """One session."""
            def handle(self):
                sink.talk(self.rfile, self.wfile)
        self.server = _Server((address, 25), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def has(self, word):
        """Whether WORD was among the bytes that came, of all sessions."""
        return word.encode() in b"".join(self.got)

    def talk(self, lines, out):
        """One session; LINES are read, OUT is written."""
        out.write(b"220 sink ESMTP\r\n")
        for line in lines:
            self.got.append(line)
            verb = line.split(None, 1)[0].upper() if line.strip() else b""
            out.write((self.ehlo if verb == b"EHLO" else ANSWERS.get(verb, b"250 ok")) + b"\r\n")
            if verb == b"DATA":
                for text in lines:
                    self.got.append(text)
                    if text == b".\r\n":
                        break
                out.write(b"250 ok\r\n")
            if verb == b"QUIT":
                return
