#!/usr/bin/python3 -I
"""A service of groups on a free port of the loopback address, that answers well or badly.

groups_stub.py DIRECTORY: writes DIRECTORY/port when it serves, and a JSON line a request to
DIRECTORY/log: {"method": ..., "target": ..., "headers": [[NAME, VALUE], ...]}. The first
segment of the path chooses the answer; see ANSWERS.
"""
import gzip
import json
import os
import socketserver
import sys
import threading
import time

GOOD = b'{"groups": ["from-rest"]}'
LOCK = threading.Lock()


def answer(status, body=b"", kind="application/json", fields=(), length=None):
    lines = [
        f"HTTP/1.1 {status} Whatever",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
        *fields,
    ]
    if kind is not None:
        lines.append(f"Content-Type: {kind}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def pieces(write, first, piece, pause):
    """Writes for ever, or until the client has gone."""
    write(first)
    while True:
        write(piece)
        time.sleep(pause)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def text(body):
    return lambda write, rest: write(answer(200, body.encode()))


def sized(write, rest):
    write(answer(200, GOOD.ljust(int(rest[0]))))


def chunked(write, rest):
    for piece in (CHUNKED, b"a\r\n", GOOD[:10], b"\r\n%x\r\n" % len(GOOD[10:]), GOOD[10:], b"\r\n0\r\n\r\n"):
        write(piece)


def typed(write, rest):
    kind = {
        "none": None,
        "html": "text/html",
        "text": "text/plain",
        "almost": "application/jsonp",
        "suffix": "application/vnd.example.v1+json",
        "plus": "application/+json",
        "other": "text/x+json",
        "parameter": "application/json; charset=utf-8",
        "capitals": "Application/JSON;charset=UTF-8",
    }[rest[0]]
    write(answer(200, GOOD, kind))


ANSWERS = {
    "ok": text('{"groups": ["from-rest", "staff"], "email": "a@example.org", "namespace": "ns"}'),
    "empty-list": text('{"groups": []}'),
    "status": lambda write, rest: write(answer(int(rest[0]), GOOD)),
    "redirect": lambda write, rest: write(
        answer(int(rest[0]), GOOD, fields=["Location: /ok/alice"])
    ),
    "type": typed,
    "size": sized,
    "chunked": chunked,
    "junk": text('{"groups": [\x1b[31m'),
    "trailing": text('{"groups": ["a"]} {"groups": ["b"]}'),
    "duplicate": text('{"groups": ["a"], "groups": ["b"]}'),
    "no-list": text('{"groups": "a"}'),
    "numbers": text('{"groups": [1, 2]}'),
    "null": text('{"groups": null}'),
    "array": text('["a"]'),
    "nothing": text(""),
    "gzip": lambda write, rest: write(
        answer(200, gzip.compress(GOOD), fields=["Content-Encoding: gzip"])
    ),
    "bomb": lambda write, rest: write(
        answer(
            200,
            gzip.compress(GOOD.ljust(100 << 20)),
            fields=["Content-Encoding: gzip"],
        )
    ),
    "big": lambda write, rest: write(answer(200, GOOD.ljust(10 << 20))),
    "endless": lambda write, rest: pieces(write, HEAD + b"\r\n", b" " * 65536, 0),
    "endless-chunks": lambda write, rest: pieces(
        write, CHUNKED, b"400\r\n" + b" " * 1024 + b"\r\n", 0
    ),
    "endless-headers": lambda write, rest: pieces(write, HEAD, b"X-Padding: x\r\n", 0),
    "drip": lambda write, rest: pieces(write, HEAD + b"\r\n", b" ", 0.2),
    "drip-headers": lambda write, rest: pieces(write, b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.2),
    "continue": lambda write, rest: pieces(write, b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
    "hang": lambda write, rest: time.sleep(30),
    "closed": lambda write, rest: None,
    "too-short": lambda write, rest: write(answer(200, GOOD, length=len(GOOD) + 10)),
    "too-long": lambda write, rest: write(answer(200, GOOD, length=len(GOOD) - 1)),
    "claims-much": lambda write, rest: write(answer(200, GOOD, length=1 << 40)),
    "old": lambda write, rest: write(GOOD),
}


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline(65536).decode("latin-1").rstrip("\r\n")
        method, _, rest = line.partition(" ")
        target = rest.rpartition(" ")[0]
        headers = []
        while True:
            field = self.rfile.readline(65536).decode("latin-1").rstrip("\r\n")
            if not field:
                break
            name, _, value = field.partition(":")
            headers.append([name, value.strip()])
        entry = {"method": method, "target": target, "headers": headers}
        with LOCK, open(os.path.join(sys.argv[1], "log"), "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        first, *more = target.split("?")[0].split("/")[1:] or [""]
        chosen = ANSWERS.get(first, ANSWERS["ok"])
        try:
            chosen(self.wfile.write, more)
        except OSError:
            pass  # the client has gone, as it should


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


with Server(("127.0.0.1", 0), Handler) as server:
    port = os.path.join(sys.argv[1], "port")
    with open(port + ".new", "w", encoding="utf-8") as file:
        file.write(f"{server.server_address[1]}\n")
    os.rename(port + ".new", port)
    server.serve_forever()
