"""Tokens that come back: how many are verified, through the web server."""

import contextlib

from measure import processes, web
from measure.processes import run
from measure.tokens import CONSTANT_THREADS, OPENSSL_NAMES

CONNECTIONS = 16
# The key that a token is signed with, and the algorithm that openssl speed has for it.
ALGORITHMS = {"RS512": "RS512", "RS256": "RS512", "ES256": "ES256", "EdDSA": "EdDSA"}
ENDPOINTS = {"validate": "POST", "authorize": "GET"}
CONSTANT = "constant"
UNSEEN = 8192  # tokens, of which a worker remembers fewer
UNSEEN_KIND = ", each new"
ISSUER = "https://tokens.example.org"


def options(bench, algorithm):
    return ("--private-key", bench.keys[ALGORITHMS[algorithm]], "--issuer", ISSUER)


def command(bench, algorithm, place):
    """What serves at the socket; with one worker, as it does where nothing is configured."""
    if algorithm == CONSTANT:
        return bench.program("bench/constant_fcgi"), place / "socket", CONSTANT_THREADS
    return (bench.program("authserver.fcgi"), "--socket", place / "socket",
            *options(bench, algorithm), "--algorithm", algorithm,
            "--directory", place / "tokens", "--group", bench.group)


def start(bench, stack, algorithm):
    """A program and nginx in front; the port and the process, once they answer."""
    place = bench.place / f"verifies-{algorithm}"
    place.mkdir()
    (place / "tokens").mkdir(mode=0o750)
    log = place / "log"
    process = stack.enter_context(processes.running(*command(bench, algorithm, place), log=log))
    port = stack.enter_context(web.nginx(place / "nginx", place / "socket", True, True))
    web.wait_for_answer(port, process, log)
    return port, process


def mint(bench, algorithm, service):
    """Files of tokens: with one, which clients show again and again, and with more than are
    remembered, so that each is as new."""
    files = {}
    tokens = list(web.fetch(service[0], UNSEEN))
    for kind, some in {"": tokens[:1], UNSEEN_KIND: tokens}.items():
        files[kind] = bench.place / f"shown-{algorithm}{len(some)}"
        files[kind].write_text("".join(f"{token}\n" for token in some), encoding="utf-8")
    return files


def measure_load(bench, algorithm, service, kind, tokens):
    """The constant answer is given to the same requests, with a token."""
    port, process = service
    program, label = ((CONSTANT, "") if algorithm == CONSTANT
                      else ("authserver", f" {algorithm}{kind}"))
    with bench.attempt(f"verification, {algorithm}{kind}"):
        for endpoint, method in ENDPOINTS.items():
            before = processes.cpu_seconds(process.pid)
            count, rate, *_ = web.load(port, CONNECTIONS, bench.plan.verification_seconds,
                                       f"/api/{endpoint}", method, tokens)
            spent = processes.cpu_seconds(process.pid) - before
            bench.figures.add(f"{endpoint}{label}", program, rate)
            bench.figures.add(f"cpu of {endpoint}{label}", program, spent / count)


def measure_openssl(bench, algorithm):
    """Verifications a second of its processor time, by one process."""
    with bench.attempt(f"openssl speed {OPENSSL_NAMES[algorithm]}"):
        output = run("openssl", "speed", "-seconds", bench.plan.signature_seconds,
                     OPENSSL_NAMES[algorithm])
        bench.figures.add(f"verifications {algorithm}", "openssl speed",
                          float(output.split()[-1]))


def measure(bench):
    with contextlib.ExitStack() as stack:
        services = {a: start(bench, stack, a) for a in (*ALGORITHMS, CONSTANT)}
        tokens = {a: mint(bench, a, services[a]) for a in ALGORITHMS}
        tokens[CONSTANT] = {"": tokens["RS512"][""]}
        for turn in range(bench.plan.rounds):
            bench.say(f"verification, round {turn + 1} of {bench.plan.rounds}")
            for algorithm in OPENSSL_NAMES:
                measure_openssl(bench, algorithm)
            for algorithm, service in services.items():
                for kind, shown in tokens[algorithm].items():
                    measure_load(bench, algorithm, service, kind, shown)
