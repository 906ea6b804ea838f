"""authserver.fcgi in a place, and strace that is attached to one of its workers."""
import os
import re
import signal
import subprocess
import time

from torture import Answer, Fault, Trace, hold, program

SECONDS = 20  # of patience


def until(what, look):
    """What look() finds, as soon as it finds something."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise Fault(what)


class Server:
    def __init__(self, place, **environment):
        self.place = place
        self.socket, self.log = place.path("socket"), place.path("log")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                ["spawn-fcgi", "-n", "-s", self.socket, "--", program("authserver.fcgi"),
                 "--config", place.path("conf")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, 
                env={"PATH": os.environ["PATH"], **environment})
        until("the server does not start", lambda: " Ready\n" in self.said() or self.process.poll())
        hold(self.process.poll() is None, self.said())

    def said(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def ask(self, *params):
        done = subprocess.run([program("tests/lib/ask"), self.socket, *params],
                              capture_output=True, timeout=SECONDS)
        return Answer(done.returncode, done.stdout, done.stderr.decode())

    def stop(self):
        self.process.terminate()
        self.process.wait(SECONDS)

    # --- its worker, of which there is one ---

    def worker(self):
        """The child that waits for connections, once the filter of system calls keeps it."""
        monitor = self.process.pid
        with open(f"/proc/{monitor}/task/{monitor}/children") as file:
            children = file.read().split()
        for pid in children:
            try:
                fds = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
                with open(f"/proc/{pid}/status") as file:
                    kept = "\nSeccomp:\t2\n" in file.read()
            except OSError:
                continue
            if kept and "anon_inode:[eventpoll]" in fds:
                return int(pid)
        return None

    def attach(self, prefix):
        """strace, once it is attached to the worker; None where that ends just then."""
        pid = until("there is no worker", self.worker)
        strace = subprocess.Popen([*prefix, "-p", str(pid)], stderr=subprocess.PIPE)
        said = strace.stderr.readline()
        if b" attached" in said:
            return strace
        strace.communicate(timeout=SECONDS)
        hold(self.worker() != pid, f"strace is not attached: {said.decode()}")
        return None

    def traced(self, *inject):
        """One request, while strace is attached to the worker; its answer, and strace's log."""
        trace = Trace(self.place.folder)
        trace.file += self.place.path("").replace("/", ".")
        strace = until("strace finds no worker", lambda: self.attach(trace.prefix(*inject)))
        try:
            answer = self.ask()
        finally:
            # It ends by itself with the worker.
            strace.send_signal(signal.SIGINT)
            strace.communicate(timeout=SECONDS)
        return answer, trace


def request_calls(server):
    """The calls of a worker for a request, each as (name, which of its name, line)."""
    server.traced()
    traces = [server.traced()[1].calls("accept4(") for _ in range(4)]
    # Of what is made each time: on a busy machine some are made twice.
    each_time = set.intersection(*({call[:2] for call in calls} for calls in traces))
    return [call for call in traces[0]
            if tuple(call[:2]) in each_time and not re.match("epoll_(p?)wait", call[0])]
