#!/usr/bin/python3 -IS
"""What a web server does to a FastCGI program, and what none would do (FastCGI 1.0).

ADDRESS is the path of a Unix socket, or HOST:PORT. A request is alice's for /alice; a PARAM
changes it: NAME=VALUE sets one, +NAME=VALUE comes beside those that are there, NAME alone takes
one away; body=COUNT adds a body of that many bytes; role=authorizer makes it a request for an
authorizer, which has none, not even its end unless there is body=0. Results go to stdout; what should not be
ends in exit status 1. One plain request is what ask, beside this, is for.

The commands are the functions that COMMANDS names, below, with their parameters.
"""
import collections
import os
import select
import signal
import socket
import struct
import sys
import threading
import time

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES = range(1, 10)
RESPONDER, AUTHORIZER = 1, 2
RECORD_MAX = 0xFFFF

ALICE = [
    ("REQUEST_METHOD", "GET"),
    ("PATH_INFO", "/alice"),
    ("QUERY_STRING", ""),
    ("CONTENT_LENGTH", ""),
    ("REMOTE_USER", "alice"),
    ("AUTH_TYPE", "Basic"),
    ("HTTP_HOST", "localhost"),
]


class Closed(Exception):
    """The other side hung up before its answer was complete."""


# --- bytes ------------------------------------------------------------------------


def record(kind, content=b"", number=1, length=None, padding=0, version=1):
    length = len(content) if length is None else length
    head = struct.pack(">BBHHBx", version, kind, number, length, padding)
    return head + content + bytes(padding)


def begin(keep=False, role=RESPONDER, number=1):
    return record(BEGIN, struct.pack(">HB5x", role, keep), number)


def size(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 1 << 31)


def pair(name, value):
    name, value = os.fsencode(name), os.fsencode(value)
    return size(len(name)) + size(len(value)) + name + value


def chunks(kind, content):
    """A stream: its records and the empty one that ends it."""
    cut = range(0, len(content), RECORD_MAX)
    return b"".join(record(kind, content[i : i + RECORD_MAX]) for i in cut) + record(kind)


def request(params=None, body=b"", keep=False, role=RESPONDER):
    content = b"".join(pair(*p) for p in (ALICE if params is None else params))
    head = begin(keep, role) + chunks(PARAMS, content)
    return head if body is None else head + chunks(STDIN, body)


def changed(changes):
    params = list(ALICE)
    for change in changes:
        name, equals, value = change.partition("=")
        if not name.startswith("+"):
            params = [p for p in params if p[0] != name]
        if equals:
            params.append((name.lstrip("+"), value))
    return params


# --- a connection -----------------------------------------------------------------


class Connection:
    def __init__(self, address, timeout=30):
        host, colon, port = address.rpartition(":")
        tcp = colon and "/" not in address
        self.socket = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect((host, int(port)) if tcp else address)
        self.heard = 0

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # what came back, if anything, is still there to be read

    def take(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Closed(f"closed after {self.heard + len(data)} bytes")
            data += more
        self.heard += count
        return data

    def answer(self):
        """What the request's STDOUT stream holds."""
        out = b""
        while True:
            _, kind, _, length, padding = struct.unpack(">BBHHBx", self.take(8))
            content = self.take(length + padding)[:length]
            if kind == END:
                return out
            if kind == STDOUT:
                out += content

    def ask(self, data):
        self.send(data)
        return self.answer()

    def close(self):
        self.socket.close()


def status(answer):
    head = answer.split(b"\r\n", 1)[0].decode()
    return head.removeprefix("Status: ").split(" ")[0]


def outcome(connection):
    try:
        return status(connection.answer())
    except Closed:
        return "closed"
    except TimeoutError:
        return "silent"


def once(address, data=None):
    connection = Connection(address)
    try:
        return status(connection.ask(request() if data is None else data))
    except Closed:
        return "closed"
    finally:
        connection.close()


def say(*words):
    print(*words, flush=True)


def until_told():
    """Until SIGTERM."""
    signal.sigwait({signal.SIGTERM})


# --- plain requests ---------------------------------------------------------------


def raw(address):
    """Sends stdin as it is; what it comes to."""
    connection = Connection(address, timeout=3)
    connection.send(sys.stdin.buffer.read())
    say(outcome(connection))


def stream(address, count):
    """COUNT requests on one connection, a status each."""
    connection = Connection(address)
    for _ in range(count):
        say(status(connection.ask(request(keep=True))))


def flight(address, count, *params):
    """A request on each of COUNT connections, all sent ("sent") before one is answered."""
    connections = [Connection(address) for _ in range(count)]
    for connection in connections:
        connection.send(request(changed(params)))
    say("sent")
    for connection in connections:
        say(outcome(connection))


def users(address, count):
    """GET /api/groups/userN on the N-th of COUNT connections, all sent before one is answered;
    a status each."""
    connections = [Connection(address) for _ in range(count)]
    for number, connection in enumerate(connections):
        connection.send(request(changed([f"PATH_INFO=/api/groups/user{number}"])))
    for connection in connections:
        say(outcome(connection))


def kept(address, count):
    """COUNT connections with a request each, then idle ("kept"); at SIGTERM one more each."""
    connections = [Connection(address) for _ in range(count)]
    for connection in connections:
        connection.ask(request(keep=True))
    say("kept")
    until_told()
    for connection in connections:
        connection.send(request(keep=True))
        say(outcome(connection))


def fresh(address, count):
    """COUNT connections ("connected"); only at SIGTERM comes the request of each."""
    connections = [Connection(address) for _ in range(count)]
    say("connected")
    until_told()
    for connection in connections:
        connection.send(request())
        say(outcome(connection))


def pieces(address, count, *params):
    """One request in pieces of COUNT bytes, each sent by itself; what it comes to."""
    sizes = [int(p[5:]) for p in params if p.startswith("body=")]
    role = AUTHORIZER if "role=authorizer" in params else RESPONDER
    body = bytes(sum(sizes)) if sizes or role == RESPONDER else None
    params = changed(p for p in params if not p.startswith(("body=", "role=")))
    data = request(params, body, role=role)
    connection = Connection(address, timeout=5)
    for start in range(0, len(data), count):
        connection.send(data[start:start + count])
    say(outcome(connection))


def unread(connection):
    """How many bytes of answers wait to be read."""
    import array  # few need what is loaded so
    import fcntl
    import termios

    count = array.array("i", [0])
    fcntl.ioctl(connection.socket, termios.FIONREAD, count)
    return count[0]


def deaf(address):
    """Requests on a kept connection, each once the answer before it is there, which stays
    unread; until it is hung up on, or no answer comes for a second ("over")."""
    connection = Connection(address)
    hung_up = select.poll()
    hung_up.register(connection.socket, select.POLLRDHUP)
    before, now = -1, 0
    while now > before:
        before = now
        connection.send(request(keep=True))
        end = time.monotonic() + 1
        while now == before and not hung_up.poll(1) and time.monotonic() < end:
            now = unread(connection)
    say("over")
    until_told()


def load(address, count):
    """COUNT clients, each with request after request, until SIGTERM: how often what came."""
    outcomes = collections.Counter()
    stop = threading.Event()

    def attempt():
        connection = Connection(address)
        try:
            answer = connection.ask(request())
        except Closed:
            return "closed"
        except TimeoutError:
            return "silent"
        finally:
            connection.close()
        path = answer.split(b"\r\n\r\n")[1]
        if status(answer) == "200" and not os.path.exists(path):
            return "200 without a file"
        return status(answer)

    def client():
        while not stop.is_set():
            outcomes[attempt()] += 1

    clients = [threading.Thread(target=client) for _ in range(count)]
    for thread in clients:
        thread.start()
    until_told()
    stop.set()
    for thread in clients:
        thread.join()
    for result in sorted(outcomes):
        say(outcomes[result], result)


# --- requests that are none -------------------------------------------------------


def malformed_requests():
    params = b"".join(pair(*p) for p in ALICE)
    head = begin() + record(PARAMS, params)
    whole = request()
    big = b"".join(pair(f"X_{i}", "x" * 6000) for i in range(11))
    name_too_long = struct.pack(">I", 0xFFFFFFFF) + b"\x01PATH_INFO"
    return {
        "garbage": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 4,
        "zeros": bytes(4096),
        "ones": b"\xff" * 4096,
        "lengths that add up to nothing": begin()
        + chunks(PARAMS, b"\xc0\0\0\0\xc0\0\0\0" + bytes(20))
        + chunks(STDIN, b""),
        "a pair longer than its params": begin()
        + chunks(PARAMS, params + b"\x09\x7fPATH_INFO")
        + chunks(STDIN, b""),
        "version 0": record(BEGIN, struct.pack(">HB5x", 1, 0), version=0) + whole,
        "a management record": record(GET_VALUES, pair("FCGI_MAX_CONNS", ""), 0) + whole,
        "a management record within": head + record(GET_VALUES, b"", 0) + whole[len(head) :],
        "a long management record": record(GET_VALUES, b"\x7f\x7f" * 3000, 0),
        "an unknown type": record(11, b"x" * 8, 0) + whole,
        "an unknown type within": head + record(200, b"x" * 8) + whole[len(head) :],
        "an abort": head + record(ABORT),
        "data": head + record(PARAMS) + record(DATA, b"x"),
        "an answer": record(STDOUT, b"x"),
        "begin twice": begin() + whole,
        "begin twice, later": head + whole,
        "a begin of 7 bytes": record(BEGIN, b"\0\1\0\0\0\0\0") + whole[16:],
        "an authorizer": begin(role=AUTHORIZER) + whole[16:],
        "request 0": begin(number=0) + whole[16:],
        "another request": head + record(PARAMS, params, number=2) + whole[len(head) :],
        "params without begin": whole[16:],
        "stdin before the params end": head + record(STDIN) + record(PARAMS),
        "params that go on": head + record(PARAMS) + record(PARAMS, params),
        "params over 64 KiB": begin() + chunks(PARAMS, big),
        "a name longer than all": begin() + chunks(PARAMS, name_too_long) + record(STDIN),
        "a value longer than all": begin()
        + chunks(PARAMS, params + b"\x01" + struct.pack(">I", 0x80001000) + b"Xx")
        + record(STDIN),
        "half a length": begin() + chunks(PARAMS, params + b"\x01\x80") + record(STDIN),
        "a request and more": whole + b"x" * 100,
    }


def malformed(address):
    """Each malformed request is hung up on without a word, and the next one is served."""
    wrong = 0
    for name, data in malformed_requests().items():
        connection = Connection(address, timeout=3)
        connection.send(data)
        result = outcome(connection)
        if result != "closed" or connection.heard:
            say(f"{name}: {result} after {connection.heard} bytes")
            wrong += 1
        connection.close()
        result = once(address)
        if result != "200":
            say(f"after {name}: {result}")
            wrong += 1
    sys.exit(wrong > 0)


class Held(Connection):
    """A request that does not come whole; when it was hung up on, and what came before."""

    def __init__(self, address, data, drip=b""):
        super().__init__(address)
        self.began = self.closed = time.monotonic()
        self.drip = drip
        self.send(data)

    def wait(self, until):
        try:
            while time.monotonic() < until:
                self.socket.settimeout(1 if self.drip else until - time.monotonic())
                try:
                    more = self.socket.recv(4096)
                except TimeoutError:
                    more = None
                if more == b"":
                    break
                self.heard += len(more or b"")
                self.socket.send(self.drip[:1])
                self.drip = self.drip[1:]
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.closed = time.monotonic()


def held(address, seconds):
    """100 cut requests, silent and slow ones; 50 normal ones; each ends by its deadline."""
    whole = request(body=b"x" * 40)
    last = len(whole) - 1
    # 4, 16, 20: within and behind the first record. The last one is 8 bytes, and empty.
    cuts = {4, 8, 16, 20, 24, last - 7, last - 4, last}
    cuts |= {1 + i * last // 100 for i in range(100)}
    cuts = sorted(cuts)[:: max(1, len(cuts) // 100)][:98] + [last - 7, last]
    holding = [Held(address, whole[:cut]) for cut in cuts]
    holding.append(Held(address, b""))
    holding += [Held(address, whole[:cut], whole[cut:]) for cut in (1, 17, len(whole) - 60)]
    for cut in cuts[::5]:
        Held(address, whole[:cut]).close()

    times = []
    wrong = []
    for _ in range(50):
        start = time.monotonic()
        if once(address) != "200":
            wrong.append("a normal request was not served")
        times.append(time.monotonic() - start)
    say(f"normal requests: median {sorted(times)[25]:.3f} s, longest {max(times):.3f} s")
    if sorted(times)[25] > 0.1 or max(times) > 1:
        wrong.append("normal requests were slow")

    end = time.monotonic() + seconds + 4
    waiting = [threading.Thread(target=h.wait, args=(end,)) for h in holding]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()
    for connection in holding:
        lasted = connection.closed - connection.began
        if connection.heard or not seconds - 2 < lasted < seconds + 3:
            wrong.append(f"held for {lasted:.1f} s, and told {connection.heard} bytes")
    for text in wrong:
        say(text)
    sys.exit(bool(wrong))


# --- around the program -----------------------------------------------------------


def occupy(address, count):
    """Connections that say nothing, until told to end."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    connections = [Connection(address) for _ in range(count)]
    until_told()
    for connection in connections:
        connection.close()


def listen(address, *command):
    """[--descriptor N] -- COMMAND: runs it with a listening socket, as systemd (3) or
    spawn-fcgi (0) do."""
    descriptor = 3
    if command[0] == "--descriptor":
        descriptor, command = int(command[1]), command[2:]
    command = command[1:]
    host, colon, port = address.rpartition(":")
    tcp = colon and "/" not in address
    listener = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
    listener.bind((host, int(port)) if tcp else address)
    listener.listen(128)
    if tcp:
        say("{}:{}".format(*listener.getsockname()))
    if descriptor != listener.fileno():
        os.dup2(listener.fileno(), descriptor)
    os.set_inheritable(descriptor, True)
    if descriptor == 3:
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
    os.execvp(command[0], command)


def unpadded(text):
    import base64

    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def whole_token(path):
    """Mode and size of a token file, or what is wrong with it."""
    with open(path, "rb") as file:
        found = os.fstat(file.fileno())
        parts = file.read().split(b".")
    if len(parts) != 3 or not all(parts) or len(unpadded(parts[2])) != 256:
        return f"{found.st_size} bytes"
    return found.st_mode & 0o7777, found.st_size


def watch(directory):
    """Looks until SIGTERM whether a visible token file is ever not what it ends as: at once when
    its name appears."""
    import ctypes  # few need what is loaded so

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    libc = ctypes.CDLL(None)
    events = libc.inotify_init()
    appears = 0x100 | 0x80  # IN_CREATE, IN_MOVED_TO
    if events < 0 or libc.inotify_add_watch(events, os.fsencode(directory), appears) < 0:
        sys.exit("inotify does not work")
    seen = {}
    wrong = 0

    def look(entry):
        nonlocal wrong
        if not entry.endswith(".token") or entry in seen:
            return
        seen[entry] = whole_token(os.path.join(directory, entry))
        if seen[entry][0] != 0o640:
            say(f"{entry}: {seen[entry]}")
            wrong += 1

    while not seen or signal.SIGTERM not in signal.sigpending():
        while select.select([events], [], [], 0.1)[0]:
            data = os.read(events, 65536)
            while data:
                length = struct.unpack_from("@I", data, 12)[0]
                look(os.fsdecode(data[16:16 + length].rstrip(b"\0")))
                data = data[16 + length:]
    for entry in os.listdir(directory):
        look(entry)
    for entry, before in seen.items():
        if whole_token(os.path.join(directory, entry)) != before:
            say(f"{entry} has changed")
            wrong += 1
    say(len(seen), "files")
    sys.exit(wrong > 0)


COMMANDS = {
    command.__name__: command
    for command in (raw, stream, flight, users, kept, fresh, pieces, deaf, load, malformed, held,
                    occupy, listen, watch)
}


# argparse takes longer to load than most of them to run.
def main(name="", *arguments):
    if name not in COMMANDS:
        sys.exit(__doc__)
    command = COMMANDS[name]
    if command in (fresh, kept, load):  # before there is a thread
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    code = command.__code__
    numbers = {"count", "seconds"}.intersection(code.co_varnames[:code.co_argcount])
    places = {code.co_varnames.index(number) for number in numbers}
    command(*(int(a) if i in places else a for i, a in enumerate(arguments)))


if __name__ == "__main__":
    main(*sys.argv[1:])
