"""What the parts of "make torture" share: a place with a configuration and its directories, the
programs run in it, by themselves or under strace, and what must hold after each round:

  every visible *.token verifies, by an implementation that is not ours, says what was asked for,
  and has its final mode and group; what failed was answered with a 5xx and has left no token;
  leftovers are gone after one pass of the reaper; the next request is served.
"""
import base64
import concurrent.futures
import grp
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

BUILD = os.environ["AUTHSERVER_BUILD"]
GROUP = "nogroup"  # not the group that files would have anyway
MODE = 0o640
ISSUER = "https://auth.example.org"
MEMBERS = ["sub", "iss", "iat", "exp", "jti"]
ALICE = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/alice",
    "QUERY_STRING": "",
    "REMOTE_USER": "alice",
    "AUTH_TYPE": "Basic",
    "HTTP_HOST": "localhost",
}
ERRORS = ["ENOSPC", "EIO", "EMFILE", "ENOMEM", "EINTR", "EROFS", "EDQUOT"]

# strace says "(INJECTED)" where it has made a call fail, and so whoever dies by it.
INJECTED, KILLED = "(INJECTED)", "+++ killed by SIGKILL +++"

class Fault(Exception):
    """What should have held, and did not."""


def hold(so, what):
    if not so:
        raise Fault(what)


def program(name):
    return os.path.join(BUILD, name)


def decoded(part):
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


class Answer:
    """Of a CGI program: its status is None when there was none."""

    def __init__(self, code, text, errors):
        self.code, self.errors = code, errors
        found = re.match(rb"Status: (\d+) ", text)
        self.status = int(found[1]) if found else None
        self.body = text.partition(b"\r\n\r\n")[2].decode()


class Place:
    """A folder in memory, with a key, a configuration and a token directory."""

    def __init__(self, *lines, folder=None, group=GROUP):
        self.folder = folder or tempfile.mkdtemp(prefix="torture.", dir="/dev/shm")
        os.chmod(self.folder, 0o711)
        self.tokens = self.path("tokens")
        self.named = group  # None: the process's
        self.group = grp.getgrnam(group).gr_gid if group else os.getgid()
        os.makedirs(self.tokens, exist_ok=True)
        os.makedirs(self.path("logs"), 0o755, exist_ok=True)
        os.chmod(self.tokens, 0o750)
        self.key = Ed25519PrivateKey.generate()
        with open(os.open(self.path("key.pem"), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(
                self.key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        self.configure(*lines)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def configure(self, *lines):
        with open(self.path("conf"), "w") as file:
            for name, value in (
                ("directory", self.tokens),
                ("private-key", self.path("key.pem")),
                ("issuer", ISSUER),
                ("group", self.named),
                ("audit", self.path("logs", "audit")),
            ):
                if value:
                    file.write(f'{name} = "{value}"\n')
            file.write("algorithm = EdDSA\n" + "".join(line + "\n" for line in lines))

    def keep_one(self):
        """One token file for authserver-keep: kept/token."""
        os.mkdir(self.path("kept"), 0o755)
        self.configure('keep "alice" {', f'file = "{self.path("kept", "token")}"',
                       f'account = none\nmode = "0640"\nowner = root\ngroup = {GROUP}', "}")

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def files(self):
        return sorted(os.listdir(self.tokens))

    def visible(self):
        return [name for name in self.files() if name.endswith(".token")]

    def clear(self):
        for name in self.files():
            os.unlink(os.path.join(self.tokens, name))

    # --- programs ---

    def cgi(self, prefix=(), begin=None, body=b"", **environment):
        """One request of alice's, by authserver.cgi; begin is called in its process."""
        done = subprocess.run(
            [*prefix, program("authserver.cgi")],
            env={"AUTHSERVER_CONFIG": self.path("conf"), **ALICE, **environment},
            input=body,
            capture_output=True,
            timeout=300,
            preexec_fn=begin,
        )
        return Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    def run(self, name, *arguments, prefix=()):
        return subprocess.run(
            [*prefix, program(name), *arguments],
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )

    def reap(self, *arguments, prefix=()):
        return self.run(
            "authserver-reap", "--directory", self.tokens, *arguments, prefix=prefix
        )

    # --- what must hold ---

    def check_token(self, path, mode=MODE):
        """It is whole, alice's and of now, and has its final mode and group."""
        st = os.stat(path, follow_symlinks=False)
        with open(path, "rb") as file:
            token = file.read()
        hold(st.st_mode & 0o7777 == mode, f"{path}: mode {st.st_mode & 0o7777:o}")
        hold(st.st_gid == self.group, f"{path}: group {st.st_gid}")
        hold(token.count(b".") == 2, f"{path}: {len(token)} bytes, no token")
        signed, _, signature = token.rpartition(b".")
        try:
            self.key.public_key().verify(decoded(signature), signed)
        except InvalidSignature:
            raise Fault(f"{path}: does not verify") from None
        claims = json.loads(decoded(signed.partition(b".")[2]))
        hold(list(claims) == MEMBERS, f"{path}: claims {list(claims)}")
        hold(claims["iss"] == ISSUER, f"{path}: issuer {claims['iss']}")
        return claims

    def check_visible(self):
        names = self.visible()
        for name in names:
            claims = self.check_token(os.path.join(self.tokens, name))
            hold(name.startswith(claims["sub"] + "."), f"{name}: for {claims['sub']}")
        return names

    def check_answer(self, answer):
        """The answer and the token directory, which was empty before, agree."""
        names = self.check_visible()
        hold(
            answer.status in (None, 200) or answer.status // 100 == 5,
            f"status {answer.status}: {answer.body}",
        )
        if answer.status == 200:
            hold([os.path.basename(answer.body)] == names, f"{answer.body}: there is {names}")
        else:
            hold(not names, f"status {answer.status}, and there is {names}: {answer.errors}")

    def check_leftovers(self):
        """They are gone after one pass, once they are old."""
        left = [name for name in self.files() if not name.endswith(".token")]
        for name in left:
            os.utime(os.path.join(self.tokens, name), (time.time() - 60,) * 2)
        done = self.reap("--all", "--quiet")
        hold(done.returncode == 0, f"the reaper: {done.stderr}")
        hold(not self.files(), f"after a pass there is {self.files()}")
        return len(left)

    def check_service(self):
        answer = self.cgi()
        hold(answer.status == 200, f"the next request: {answer.status}: {answer.errors}")
        self.check_answer(answer)
        self.clear()

    def check_audit(self):
        """No line is torn or mixed with another."""
        with open(self.path("logs", "audit"), "rb") as file:
            for line in file.read().splitlines():
                hold("verdict" in json.loads(line), f"audit: {line}")


class WithoutProc:
    """Without /proc a file that has no name yet cannot be given one: it gets a temporary name.
    One mount namespace for all rounds, since to end one takes the kernel a third of a second."""

    def __enter__(self):
        script = "mount -t tmpfs none /proc && echo && exec cat"
        self.holder = subprocess.Popen(["unshare", "-m", "sh", "-c", script],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        hold(self.holder.stdout.readline() == b"\n", "no mount namespace of our own")
        return ["nsenter", "--mount", "-t", str(self.holder.pid)]

    def __exit__(self, *_):
        self.holder.communicate(timeout=60)


# --- under strace ---------------------------------------------------------------------


class Trace:
    """The log of strace, in a folder."""

    def __init__(self, folder):
        self.file = os.path.join(folder, f"strace.{os.getpid()}")

    def prefix(self, *inject):
        flags = [flag for one in inject for flag in ("-e", f"inject={one}")]
        return ["/usr/bin/strace", "-o", self.file, *flags]

    def text(self):
        with open(self.file, errors="replace") as file:
            return file.read()

    def calls(self, marker):
        """The calls from the line on that has the marker: what each is called, and as which of
        its name it comes, for "when="."""
        counts, calls, begun = {}, [], False
        for line in self.text().splitlines():
            found = re.match(r"(?:\d+ +)?(\w+)\(", line)
            if not found:
                continue
            name = found[1]
            counts[name] = counts.get(name, 0) + 1
            begun = begun or marker in line
            if begun and name not in ("exit_group", "execve"):
                calls.append((name, counts[name], line))
        hold(calls, f"strace shows no {marker}")
        return calls


# --- rounds and results ---------------------------------------------------------------


class Part:
    """A part's tests, as TAP; those that arguments name, or all."""

    def __init__(self, *names):
        wanted = sys.argv[1:]
        names = [test for test in names if not wanted or test.__name__ in wanted]
        self.number = self.failures = 0
        print(f"1..{len(names)}", flush=True)
        for test in names:
            self.run(test)
        sys.exit(self.failures > 0)

    def run(self, test):
        self.number += 1
        start = time.monotonic()
        verdict, notes = "ok", []
        try:
            said = test() or ""
        except (Fault, OSError, ValueError, subprocess.SubprocessError) as fault:
            verdict, said, notes = "not ok", "", str(fault).splitlines()
            self.failures += 1
        seconds = time.monotonic() - start
        print(f"{verdict} {self.number} - {test.__doc__.strip()} ({said}{seconds:.0f} s)")
        for note in notes[:40]:
            print(f"#   {note}")
        sys.stdout.flush()


def in_parallel(rounds, work, *places):
    """Does work(place, round) for each, two at a time, each time in a place of its own; says how
    many there were. What is wrong is told of all that went wrong."""
    faults = []

    def do(place, mine):
        for one in mine:
            try:
                work(place, one)
            except (Fault, OSError, ValueError, subprocess.SubprocessError) as fault:
                faults.append(f"{one}: {fault}")
                place.clear()

    with concurrent.futures.ThreadPoolExecutor(len(places)) as pool:
        list(pool.map(do, places, [rounds[i :: len(places)] for i in range(len(places))]))
    hold(not faults, f"{len(faults)} of {len(rounds)} rounds:\n" + "\n".join(map(str, faults)))
    return f"{len(rounds)} rounds, "
