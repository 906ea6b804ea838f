"""Starting: the drop-in until its first token, and one process a CGI request."""

import os
import time

from measure import processes, web
from measure.processes import Failure


def measure_starts(bench):
    """From the start of the drop-in to its first token, with a key that exists."""
    log = bench.place / "start.log"
    for _ in range(bench.plan.starts):
        port = web.free_port()
        command = (bench.program("authserver"), "--port", port, "--private-key",
                   bench.keys["RS512"], "--directory", bench.place / "start-tokens",
                   "--group", bench.group)
        start = time.perf_counter()
        with processes.running(*command, log=log) as process:
            web.wait_for_answer(port, process, log)
            bench.figures.add("first token", "authserver", time.perf_counter() - start)


def measure_cgi(bench):
    """Processor time of a CGI request, and of a program that loads the key and signs."""
    tokens = bench.place / "cgi-tokens"
    tokens.mkdir(mode=0o750)
    environment = {
        "PATH": os.defpath, "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "bench", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/janedoe",
        "QUERY_STRING": "", "REMOTE_ADDR": "127.0.0.1", "REMOTE_USER": "janedoe",
        "AUTH_TYPE": "Basic", "HTTP_HOST": "localhost",
    }
    log = bench.place / "cgi.log"
    key = str(bench.keys["RS512"])
    cgi = [str(bench.program("authserver.cgi")), "--private-key", key,
           "--directory", str(tokens), "--group", bench.group]
    least = [str(bench.program("bench/load_and_sign")), key]
    for _ in range(bench.plan.cgi_runs):
        for name, command in (("authserver", cgi), ("load_and_sign", least)):
            bench.figures.add("cpu of a CGI request", name,
                              processes.cpu_of_run(command, environment, log))
    if len(os.listdir(tokens)) != bench.plan.cgi_runs:
        raise Failure("the CGI program did not make one token a request")
