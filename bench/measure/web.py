"""The web server in front of a program under test, and the load on it."""

import contextlib
import http.client
import os
import pathlib
import socket
import time

from measure import processes
from measure.processes import Failure

HERE = pathlib.Path(__file__).parent
START = 5  # seconds until the first answer


def free_port():
    """A loopback port that nothing listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(port, path="/janedoe"):
    """The status and the body of one request; status 0 when there was no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def fetch(port, count, path="/janedoe"):
    """So many tokens, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START)
    for _ in range(count):
        connection.request("GET", path, headers={"Accept": "application/jwt"})
        response = connection.getresponse()
        token = response.read().decode()
        if response.status != 200:
            raise Failure(f"no token: {token.strip()}")
        yield token
    connection.close()


@contextlib.contextmanager
def send(port, path):
    """A request that waits for its answer as long as the context lasts."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        yield


def wait_for_answer(port, process, log, pause=0.001):
    """Asks until there is a 200; its body."""
    deadline = time.monotonic() + START
    status = 0
    while time.monotonic() < deadline and process.poll() is None:
        status, body = get(port)
        if status == 200:
            return body
        time.sleep(pause)
    raise Failure(f"no answer within {START} s (status {status}): {processes.last_line(log)}")


@contextlib.contextmanager
def nginx(directory, program_socket, keep_alive, batch):
    """nginx in front of the socket; its port."""
    directory.mkdir()
    port = free_port()
    text = (HERE / "nginx.conf").read_text(encoding="utf-8")
    for name, value in {
            "USER": "user root;" if os.geteuid() == 0 else "",
            "DIR": directory,
            "PORT": port,
            "SOCKET": program_socket,
            "KEEPALIVE": "keepalive 16;" if keep_alive else "",
            "KEEP_CONN": "on" if keep_alive else "off",
    }.items():
        text = text.replace(f"@{name}@", str(value))
    configuration = directory / "nginx.conf"
    configuration.write_text(text, encoding="utf-8")
    log = directory / "error.log"
    with processes.running("nginx", "-c", configuration, "-e", log, log=log,
                           batch=batch):
        yield port


def load(port, connections, seconds, path="/janedoe", method="GET", tokens=None):
    """Requests a second, and the median and 99th percentile in microseconds, by wrk. tokens is
    a file with a line each: the requests show them in turn."""
    output = processes.run("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s",
                           HERE / "wrk.lua", f"http://127.0.0.1:{port}{path}", "--", method,
                           *([tokens] if tokens else []))
    for line in output.splitlines():
        if line.startswith("RESULT "):
            requests, microseconds, failures, p50, p99 = map(int, line.split()[1:])
            if failures or not requests:
                raise Failure(f"{failures} of {requests} requests failed")
            return requests, requests * 1e6 / microseconds, p50, p99
    raise Failure("wrk printed no result")
