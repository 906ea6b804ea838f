#!/usr/bin/python3
"""A service that acts for its callers with tokens of authserver.

It takes a request with Basic authentication, asks the authserver beside it for a token of that
user, and calls the service behind it, UPSTREAM, with the token in place of the password. authserver
checks the password (--users), so this program knows none; and it keeps no token, since the next one
costs about a millisecond.

    LISTEN              address and port of this service: 127.0.0.1:8080
    TOKEN_SERVICE_HOST  where authserver is: 127.0.0.1
    TOKEN_SERVICE_PORT  5001
    UPSTREAM            the service that wants a token: http://127.0.0.1:8081/
"""

import base64
import binascii
import os
import signal
import sys
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKENS = "http://%s:%s/" % (
    os.environ.get("TOKEN_SERVICE_HOST", "127.0.0.1"),
    os.environ.get("TOKEN_SERVICE_PORT", "5001"),
)
UPSTREAM = os.environ.get("UPSTREAM", "http://127.0.0.1:8081/").rstrip("/")
SECONDS = 5

# What is asked here is on loopback or in the cluster: no proxy, whatever the environment says.
WEB = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """What the caller is told: a status and one line."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def user_of(authorization):
    """The user name of an Authorization header."""
    scheme, _, encoded = (authorization or "").partition(" ")
    try:
        user, colon, _ = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, colon = "", ""
    if scheme.lower() != "basic" or not user or not colon:
        raise Refused(401, "Send a user name and a password.")
    return user


def token_for(authorization):
    """A token for the user of that header: authserver answers with the path of its file."""
    url = TOKENS + urllib.parse.quote(user_of(authorization), safe="")
    request = urllib.request.Request(url, headers={"Authorization": authorization})
    try:
        with WEB.open(request, timeout=SECONDS) as answer:
            path = answer.read(4096).decode()
        # Opened at once: the file is deleted after ten seconds.
        with open(path, encoding="ascii") as file:
            return file.read()
    except urllib.error.HTTPError as error:
        raise Refused(error.code, error.read(512).decode("utf-8", "replace").strip()) from None
    except OSError as error:
        print("no token: %s" % error, file=sys.stderr)
        raise Refused(503, "There are no tokens now: try again.") from None


def ask_upstream(path, token):
    """Status and body of what the service behind this one says."""
    request = urllib.request.Request(
        UPSTREAM + path, headers={"Authorization": "Bearer " + token}
    )
    try:
        with WEB.open(request, timeout=SECONDS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        # That it refuses a token is a fault of the set-up, and not of the caller.
        return 502 if error.code == 401 else error.code, error.read(512)
    except OSError as error:
        print("upstream: %s" % error, file=sys.stderr)
        raise Refused(502, "The service behind this one does not answer.") from None


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self):
        try:
            if self.path == "/healthy":
                self.answer(200, b"healthy\n")
                return
            token = token_for(self.headers.get("Authorization"))
            self.answer(*ask_upstream(self.path, token))
        except Refused as refused:
            self.answer(refused.status, ("%s\n" % refused).encode())

    def answer(self, status, body):
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="example"')
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    host, _, port = os.environ.get("LISTEN", "127.0.0.1:8080").rpartition(":")
    # As the first process of a container it has no handler that it does not ask for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer.daemon_threads = True
    with ThreadingHTTPServer((host, int(port)), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
