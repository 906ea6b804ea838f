"""Tokens through the web server: how many, how soon, at what cost."""

import contextlib
import json
import os
import pathlib

from measure import processes, web
from measure.processes import Failure, run

PLAIN_THREADS = 16      # more of them gain it nothing
CONSTANT_THREADS = 128  # with keep-alive: as many as nginx may hold connections
# The job asks for a line in the log as well; without it the reference does less than ours.
PLAIN = {"plain": (), "plain, no log": ("silent",)}
# The same with a claim of groups, which are looked up once and then kept.
GROUPS = "authserver, groups"
HANGING = 8  # requests, as many as the resolver asks sources at once
GROUPS_ALGORITHM = "EdDSA"  # the fastest, of which a look-up is the largest part
OPENSSL_NAMES = {"RS512": "rsa2048", "ES256": "ecdsap256", "EdDSA": "ed25519"}


class Service:
    """A program under test with its token directory and its web servers."""

    def __init__(self, name, algorithm, place):
        self.name = name
        self.algorithm = algorithm
        self.place = place
        self.tokens = place / "tokens"
        self.log = place / "log"
        self.socket = place / "socket"
        self.process = None
        self.ports = {}  # by how nginx is scheduled

    def command(self, bench):
        key = bench.keys.get(self.algorithm)
        if self.name in ("authserver", GROUPS):
            return (bench.program("authserver.fcgi"), "--socket", self.socket,
                    "--private-key", key, "--algorithm", self.algorithm,
                    "--directory", self.tokens, "--group", bench.group,
                    *(("--config", self.configure_groups()) if self.name == GROUPS else ()))
        if self.name in PLAIN:
            return (bench.program("bench/plain_fcgi"), self.socket, PLAIN_THREADS,
                    self.algorithm, key, self.tokens, *PLAIN[self.name])
        return bench.program("bench/constant_fcgi"), self.socket, CONSTANT_THREADS

    def configure_groups(self):
        """A configuration in which the user of the load is in five groups, and whoever asks
        about another meets a source that hangs."""
        users = self.place / "groups.json"
        users.write_text(json.dumps({"janedoe": [f"department-{i}" for i in range(5)]}),
                         encoding="ascii")
        script = self.place / "hang"
        script.write_text("#!/bin/sh\nexec sleep 60\n", encoding="ascii")
        policy = self.place / "policy"
        policy.write_text("permit janedoe as *\n", encoding="ascii")
        configuration = self.place / "authserver.conf"
        configuration.write_text(f"""policy = "{policy}"
            groups {{
                resolvers = {{ "static", "script" }}
                claim = true
                cache = 1h
                static {{ file = "{users}" }}
                script {{ directory = "{self.place}" files = {{ "hang" }} timeout = 60s }}
            }}""", encoding="ascii")
        for file, mode in (users, 0o600), (script, 0o700), (policy, 0o600), (configuration, 0o600):
            file.chmod(mode)
        return configuration

    def start(self, bench, stack):
        """Starts it, and nginx in front; the first answer must be as it should be."""
        self.place.mkdir()
        self.tokens.mkdir(mode=0o750)
        self.process = stack.enter_context(
            processes.running(*self.command(bench), log=self.log))
        for mode in ("batch", "normal") if self.algorithm == "RS512" else ("batch",):
            # Keep-alive starves a program that gives each connection one of few threads.
            port = stack.enter_context(web.nginx(
                self.place / mode, self.socket, self.name not in PLAIN, mode == "batch"))
            body = web.wait_for_answer(port, self.process, self.log)
            if self.name != "constant":
                self.check(body)
            self.ports[mode] = port
        web.load(self.ports["batch"], 16, 1)
        self.empty()

    def check(self, path):
        token = pathlib.Path(path)
        if token.parent != self.tokens or token.read_text(encoding="ascii").count(".") != 2:
            raise Failure(f"the answer is no token file: {path[:80]}")

    def empty(self):
        """Takes the token files away, outside of what is measured."""
        with os.scandir(self.tokens) as entries:
            for entry in entries:
                os.unlink(entry.path)


def start_services(bench, stack):
    services = []
    for name, algorithms in (("authserver", bench.keys), (GROUPS, (GROUPS_ALGORITHM,)),
                             ("plain", bench.keys),
                             ("plain, no log", bench.keys), ("constant", (None,))):
        for algorithm in algorithms:
            label = f"{name}-{algorithm}".replace(", ", "-").replace(" ", "-") if algorithm else name
            with bench.attempt(label):
                service = Service(name, algorithm, bench.place / label)
                service.start(bench, stack)
                services.append(service)
    return services


def measure_load(bench, service, mode, connections):
    """One run of wrk, and what it cost the processes of the program."""
    # The constant answer is compared with every algorithm: its figures name none.
    name = " ".join(filter(None, (service.algorithm, mode, str(connections))))
    with bench.attempt(f"{service.name} {name}"):
        before = processes.cpu_seconds(service.process.pid)
        count, rate, p50, p99 = web.load(service.ports[mode], connections,
                                         bench.plan.seconds[connections])
        spent = processes.cpu_seconds(service.process.pid) - before
        for figure, value in (("rate", rate), ("p50", p50), ("p99", p99),
                              ("cpu", spent / count)):
            bench.figures.add(f"{figure} {name}", service.name, value)
    service.empty()


def measure_hanging(bench, service):
    """The same load without and with requests that wait for a source which hangs."""
    port = service.ports["batch"]
    with bench.attempt("a source that hangs"), contextlib.ExitStack() as stack:
        for figure in "p99 calm", "p99 beside requests that hang":
            *_, p99 = web.load(port, 16, bench.plan.seconds[16])
            bench.figures.add(figure, GROUPS, p99)
            for user in range(HANGING):
                stack.enter_context(web.send(port, f"/hanging-{user}"))
    service.empty()


def openssl_speed(algorithm, seconds, *options):
    """Signatures a second by openssl speed: by the clock with -multi, otherwise by the
    processor time that it took."""
    output = run("openssl", "speed", "-seconds", seconds, *options, OPENSSL_NAMES[algorithm])
    return float(output.split()[-2])


def measure_signatures(bench, algorithm):
    """On all processors at once; and one alone, for what it takes."""
    with bench.attempt(f"openssl speed {OPENSSL_NAMES[algorithm]}"):
        seconds = bench.plan.signature_seconds
        bench.figures.add(f"signatures {algorithm}", "openssl speed -multi",
                          openssl_speed(algorithm, seconds, "-multi", bench.processors))
        bench.figures.add(f"cpu of a signature {algorithm}", "openssl speed",
                          1 / openssl_speed(algorithm, seconds))


def kind_of(service, pid):
    """What a process is. Of ours, the first one is the monitor, the resolver is another
    program, and of the rest only the signer has threads."""
    if service.name not in ("authserver", GROUPS):
        return service.name
    if pid == service.process.pid:
        return "monitor"
    if processes.command(pid) == "authserver-reso":  # all that the kernel keeps of it
        return "resolver"
    return "signer" if processes.status(pid, "Threads") > 1 else "worker"


def measure_memory(bench, services):
    """After the load, in MiB: each process, and the largest of a kind."""
    largest = {}
    for service in services:
        for pid in processes.tree(service.process.pid):
            kind = kind_of(service, pid)
            name = " ".join(filter(None, (kind, service.algorithm)))
            size = processes.status(pid, "VmRSS") / 1024
            bench.figures.add(f"resident {name}", service.name, size)
            bench.figures.add(f"resident, anonymous {name}", service.name,
                              processes.status(pid, "RssAnon") / 1024)
            largest[service.name, kind] = max(size, largest.get((service.name, kind), 0))
    for (program, kind), size in largest.items():
        bench.figures.add(f"resident, largest {kind}", program, size)


def steps_of_round(bench, services):
    """What is compared stands side by side, so that it meets the same weather."""
    steps = []
    for connections in (16, 1, 64):
        for algorithm in bench.keys:
            if connections == 16:
                steps.append((measure_signatures, (bench, algorithm)))
            steps += [(measure_load, (bench, service, mode, connections))
                      for service in services if service.algorithm == algorithm
                      for mode in service.ports
                      if connections == 16 or (mode == "batch" and service.name not in
                                               ("plain, no log", GROUPS))]
        steps += [(measure_load, (bench, service, "batch", connections))
                  for service in services if service.algorithm is None]
    steps += [(measure_hanging, (bench, service)) for service in services
              if service.name == GROUPS]
    return steps


def add_look_ups(bench):
    """What a token costs more with groups that are kept: look-up, message, claim."""
    figure = f"cpu {GROUPS_ALGORITHM} batch 16"
    for with_groups, without in zip(bench.figures.series.get((figure, GROUPS), ()),
                                    bench.figures.series.get((figure, "authserver"), ())):
        bench.figures.add("cpu of groups", "authserver", with_groups - without)


def measure(bench):
    """All programs at once, idle but for the one whose turn it is."""
    with contextlib.ExitStack() as stack:
        services = start_services(bench, stack)
        steps = steps_of_round(bench, services)
        for turn in range(bench.plan.rounds):
            bench.say(f"tokens, round {turn + 1} of {bench.plan.rounds}")
            # Each round begins elsewhere, so that no step has a place of its own.
            first = turn * len(steps) // bench.plan.rounds
            for step, arguments in steps[first:] + steps[:first]:
                step(*arguments)
        measure_memory(bench, services)
        add_look_ups(bench)
