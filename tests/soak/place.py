"""Where soak and overload take place: a web server with the configuration that is shipped, the
program behind it, clients, and what is said of it all."""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "bench"))

from measure import processes, web  # noqa: E402,F401
from measure.processes import Failure  # noqa: E402,F401


class Report:
    """PASS and FAIL lines, and how many there were."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good, text):
        self.passed += bool(good)
        self.failed += not good
        print(f"{'PASS' if good else 'FAIL'}  {text}", flush=True)

    @staticmethod
    def say(text):
        print(f"      {text}", flush=True)

    def end(self):
        print(f"\n{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


class Place:
    """A folder with users and keys, in memory; instances are made by the tests' fixture."""

    def __init__(self, build, gateway="nginx-fcgi"):
        memory = "/dev/shm" if os.path.ismount("/dev/shm") else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="authserver-soak-", dir=memory))
        self.folder.chmod(0o711)
        self.password = secrets.token_hex(16)
        self.build = pathlib.Path(build).resolve()
        self.environment = os.environ | {
            "BUILD": str(self.build), "GATEWAY": gateway, "GATEWAY_TMPDIR": str(self.folder),
            "BATS_FILE_TMPDIR": str(self.folder), "PASSWORD": self.password}
        self.environment.pop("WORK", None)
        self.call("gateway_init")
        self.work = pathlib.Path(self.environment["WORK"])
        self.account = self.environment["AUTH_USER"]
        for program in "authserverctl", "authserver-reap":
            shutil.copy(self.build / program, self.work / "bin")
            (self.work / "bin" / program).chmod(0o755)

    def call(self, *words):
        done = subprocess.run([str(HERE / "gateway"), *map(str, words)], env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise Failure(f"{words[0]} {' '.join(map(str, words[1:2]))}: status {done.returncode}")
        self.environment |= dict(pair.split("=", 1) for pair in
                                 done.stdout.decode().split("\0") if "=" in pair)

    def end(self):
        with contextlib.suppress(Failure):
            if "WORK" in self.environment:
                self.call("gateway_end")
        shutil.rmtree(self.folder, ignore_errors=True)

    def as_account(self, *words):
        """A command as the user that the program runs as."""
        if os.geteuid() != 0:
            return [str(word) for word in words]
        return ["setpriv", "--reuid", self.account, "--regid", self.account, "--clear-groups",
                *map(str, words)]

    def give(self, path):
        if os.geteuid() == 0:
            shutil.chown(path, self.account)


class Instance:
    """One web server and one program."""

    def __init__(self, place, name, *lines, edit="", users=()):
        self.place, self.name, self.edit = place, name, edit
        place.call("gateway_create", name, *lines)
        self.at = place.work / name
        self.tokens = self.at / "tokens"
        self.log = self.at / "log" / "program.out"
        if users:
            write_users(self.at / "etc/htpasswd", users, place.password)

    def start(self):
        self.place.call("gateway_start", self.name, self.edit)
        self.port = int((self.at / "port").read_text())
        self.monitor = int((self.at / "pid/program").read_text())

    def stop(self):
        self.place.call("gateway_stop", self.name)

    def kinds(self):
        """The processes of the program, by what they are: of the current generation, the last
        one that was started."""
        found = {"monitor": [self.monitor]}
        for pid in processes.tree(self.monitor)[1:]:
            with contextlib.suppress(OSError, Failure):
                if int(processes.stat_fields(pid)[1]) != self.monitor:
                    continue
                kind = ("resolver" if processes.command(pid) == "authserver-reso" else
                        "signer" if processes.status(pid, "Threads") > 1 else "worker")
                found.setdefault(kind, []).append(pid)
        return found

    def spent(self):
        """Seconds of processor time, of the program and of the web server."""
        return sum(processes.cpu_seconds(int((self.at / "pid" / what).read_text()))
                   for what in ("program", "web"))

    def reload(self):
        os.kill(self.monitor, signal.SIGHUP)

    def logged(self, pattern):
        return len(re.findall(pattern, self.log.read_text(errors="replace"), re.MULTILINE))


def write_users(path, users, password):
    """Passwords that cost the web server next to nothing: it is not what is looked at."""
    path.write_text("".join(
        f"{user}:{{SHA}}{base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()}\n"
        for user in users))


def basic(user, password):
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def request(kind, expected, path, *fields, method="GET", begins=""):
    """A line of a plan, see load.c."""
    return f"{kind}\t{expected}\t{method} {path}\t{'|'.join(fields)}\t{begins}\n"


class Load:
    """The client, while it runs and afterwards."""

    def __init__(self, place, port, plan, *, seconds=3600, count=0, rate=0, connections=16,
                 each=0, name="load"):
        path = place.folder / f"plan.{name}"
        path.write_text("".join(plan))
        self.lines_path = place.folder / f"lines.{name}.{secrets.token_hex(4)}"
        with open(self.lines_path, "wb") as lines:
            self.process = subprocess.Popen(
                [place.build / "tests/soak/load", "-t", str(seconds), "-n", str(count), "-r",
                 str(rate), "-c", str(connections), "-e", str(each), str(port), path],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=lines, text=True)
        self.rows = None

    def over(self):
        return self.process.poll() is not None

    def end(self, wait=False):
        """Its rows, each a dictionary."""
        if self.rows is None:
            if not wait:
                self.process.terminate()
            output, _ = self.process.communicate()
            if self.process.returncode != 0:
                raise Failure(f"load: {self.lines_path.read_text(errors='replace')[-300:]}")
            self.rows = json.loads(output)
        return self.rows

    def lines(self):
        """What it has written so far: (time, kind, end, microseconds, body)."""
        with open(self.lines_path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                parts = line.rstrip("\n").split(" ", 4)
                # "no answer" and others have a blank.
                numbered = re.fullmatch(r"([0-9.]+) (\S+) (.+?) ([0-9-]+) (\S*)",
                                        line.rstrip("\n"))
                if numbered and len(parts) == 5:
                    yield (float(numbered[1]), numbered[2], numbered[3], int(numbered[4]),
                           numbered[5])


def until(seconds, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
