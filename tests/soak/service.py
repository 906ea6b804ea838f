"""The service under soak: what it is configured to do, its processes, and what they hold."""

import contextlib
import os
import re
import signal
import subprocess
import time

from place import Instance, basic, processes, request, until, web
from place import Failure

USERS = [f"user-{i}" for i in range(200)]
NAMES = (*USERS, "alice", "reader")
LEAD = 15  # seconds from a key's arrival to its first signature; a server looks every ten
ISSUER = "https://first.example"

# Known, unknown, and one whose look-up takes longer than it may.
SCRIPT = """#!/bin/sh
case $1 in hanging-*) exec sleep 60 ;; esac
echo '{"groups":null}'
"""
POLICY = "permit authenticated as self\npermit reader groups-of *\n"
LOG_MAX = 64 * 1024 * 1024


class Service:
    def __init__(self, place, algorithm):
        self.place, self.algorithm = place, algorithm
        self.validation_port = web.free_port()
        self.instance = Instance(place, "main", *self.configuration(place.work / "main"),
                                 edit=self.edit(place), users=NAMES)
        at = self.at = self.instance.at
        self.configured = at / "etc/authserver.conf"
        text = self.configured.read_text()
        self.configured.write_text(re.sub("^private-key.*$", f'private-key = "{at}/etc/keys"',
                                          text, flags=re.MULTILINE))
        self.write(at / "etc/groups.json", "{%s}" % ",".join(
            f'"{user}":["all","group-{i % 7}"]' for i, user in enumerate(NAMES)), 0o600)
        self.write(at / "etc/policy", POLICY, 0o600)
        self.write(at / "etc/script", SCRIPT, 0o700)
        for folder in "keys", "state":
            (at / "etc" / folder).mkdir(mode=0o700)
            place.give(at / "etc" / folder)
        self.control("rotate")
        self.reaper = None
        self.ended = 0  # lines of the log that tell of processes that ended
        self.reloads = self.refused_reloads = 0
        self.log_at = 0

    def configuration(self, at):
        return [f'algorithm = "{self.algorithm}"', 'lifetime = "60s"', "workers = 2",
                f'policy = "{at}/etc/policy"', f'state = "{at}/etc/state"',
                'grants = {"token-exchange"}', "exchange-own = true", "groups {",
                'resolvers = {"static", "script"}', "claim = true", "cache = 2s", "retry = 1s",
                f'static {{ file = "{at}/etc/groups.json" }}',
                f'script {{ directory = "{at}/etc" files = {{"script"}} timeout = 1s }}', "}"]

    def edit(self, place):
        """The shipped server with two more shipped parts: where tokens are shown, and where they
        are exchanged."""
        at, nginx = place.work / "main", place.environment["SOURCE"] + "/nginx"
        more = place.folder / "more.conf"
        with open(f"{nginx}/auth_request.conf", encoding="utf-8") as shown, \
                open(f"{nginx}/grants.conf", encoding="utf-8") as exchanged:
            more.write_text(shown.read().replace("127.0.0.1:5002",
                                                 f"127.0.0.1:{self.validation_port}")
                            .replace("/etc/authserver/", f"{at}/etc/") + exchanged.read())
        return f"s|include authserver_public;|&\\n    include authserver_grants;|;$r {more}"

    def write(self, path, text, mode):
        path.write_text(text)
        path.chmod(mode)
        self.place.give(path)

    def control(self, command, *flags):
        done = subprocess.run(
            self.place.as_account(self.place.work / "bin/authserverctl", command, "--config",
                                  self.configured, *flags),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"authserverctl {command}: {done.stderr.strip()}")

    def rotate(self):
        self.control("rotate", f"--in={LEAD}s", "--force")
        self.control("prune")

    def change(self, turn):
        """Another configuration, which does the same."""
        text = self.configured.read_text()
        new = self.configured.with_suffix(".new")
        new.write_text(re.sub("^cache = .*$", f"cache = {2 + turn % 3}s", text,
                              flags=re.MULTILINE))
        os.rename(new, self.configured)

    def reload(self):
        """Until a new generation serves."""
        def reloaded():
            self.read_logs()
            return self.reloads > before
        self.read_logs()
        before = self.reloads
        self.instance.reload()
        if not until(30, reloaded):
            raise Failure("it does not reload")

    def start(self):
        self.instance.start()
        with open(self.at / "log/reaper.out", "ab") as output:
            self.reaper = subprocess.Popen(
                self.place.as_account(self.place.work / "bin/authserver-reap", "--quiet",
                                      "--watch", "--config", self.configured),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def stop(self):
        if self.reaper is not None:
            self.reaper.terminate()
            self.reaper.wait(10)
        self.instance.stop()

    def identity(self, user="alice"):
        return basic(user, self.place.password)

    # --- processes ---

    def pids(self):
        """{kind and number: pid} of the generation that serves, when no other one is left."""
        def settled():
            kinds = self.instance.kinds()
            return len(kinds.get("worker", ())) == 2 and all(
                len(kinds.get(kind, ())) == 1 for kind in ("signer", "resolver"))
        if not until(30, settled):
            raise Failure(f"the processes are not what they should be: {self.instance.kinds()}")
        named = {f"{kind} {i}" if kind == "worker" else kind: pid
                 for kind, pids in self.instance.kinds().items() for i, pid in enumerate(pids)}
        return named | {"reaper": self.reaper.pid}

    @staticmethod
    def kill(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    @staticmethod
    def held(pids):
        """{name: (resident KiB, of these its own, descriptors)}."""
        return {name: (processes.status(pid, "VmRSS"), processes.status(pid, "RssAnon"),
                       len(os.listdir(f"/proc/{pid}/fd"))) for name, pid in pids.items()}

    # --- files ---

    def oldest(self):
        """The age in seconds of the oldest token file, by its name, and how many there are."""
        names = os.listdir(self.instance.tokens)
        born = [int(name.rsplit(".", 2)[1]) for name in names if name.endswith(".token")]
        return (time.time_ns() - min(born)) / 1e9 if born else 0.0, len(names)

    def read_logs(self):
        """Counts what matters in the program's log, and keeps all logs short."""
        log = self.instance.log
        with open(log, encoding="utf-8", errors="replace") as lines:
            lines.seek(self.log_at)
            for line in lines:
                self.ended += "starting another" in line
                self.reloads += "Reloaded" in line
                self.refused_reloads += "Not reloaded" in line
            self.log_at = lines.tell()
        if self.log_at > LOG_MAX:
            os.truncate(log, 0)
            self.log_at = 0
        for other in (self.at / "log").glob("web.*"):
            if other.stat().st_size > LOG_MAX:
                os.truncate(other, 0)

    # --- requests ---

    def mints(self):
        return [request("mint", "200", f"/{user}", self.identity(user), "Accept: application/jwt",
                        begins="eyJ") for user in USERS]

    def refusals(self):
        return [request("refusal", "403", "/bob", self.identity(user)) for user in USERS]

    def look_ups(self):
        """Mostly of users who are known; of the others some hang, and for a while after that
        whoever needs the source which hung is told to come again."""
        who = self.identity("reader")
        known = [request("groups", "200", f"/api/groups/{user}", who, begins='{"groups":["')
                 for user in USERS[:20]]
        unknown = [request("unknown", "404,503", f"/api/groups/unknown-{i}", who)
                   for i in range(20)]
        hanging = [request("hanging", "503", f"/api/groups/hanging-{i}", who) for i in range(4)]
        keys = [request("keys", "200", "/.well-known/jwks.json", begins='{"keys":')]
        plan = []
        for i in range(100):
            plan += [known[i % 20], unknown[i % 20] if i % 5 else keys[0]]
            if i % 25 == 0:
                plan.append(hanging[i // 25])
        return plan
