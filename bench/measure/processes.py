"""Processes: starting and ending them, and what they cost."""

import contextlib
import os
import signal
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
GRACE = 5  # seconds from SIGTERM to SIGKILL


class Failure(Exception):
    """Something could not be measured; the text says what."""


def run(*command, **options):
    """Runs a command to its end; its standard output."""
    command = [str(word) for word in command]
    try:
        done = subprocess.run(command, check=True, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    except (OSError, subprocess.SubprocessError) as error:
        detail = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise Failure(f"{' '.join(command[:2])}: {detail[-1] if detail else error}") from error
    return done.stdout


def stop(process):
    """Ends a process that we started and all that came from it, each by its own id."""
    pids = tree(process.pid)
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(GRACE)


@contextlib.contextmanager
def running(*command, log, batch=False):
    """A process for as long as the context lasts; it ends if we are killed, too."""
    prefix = ["setpriv", "--pdeathsig", "TERM"] + (["chrt", "-b", "0"] if batch else [])
    with open(log, "ab") as output:
        process = subprocess.Popen(prefix + [str(word) for word in command],
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        stop(process)


def last_line(log):
    """The end of a log, for a message."""
    with open(log, encoding="utf-8", errors="replace") as lines:
        return next((line.strip() for line in reversed(lines.readlines()) if line.strip()),
                    "it said nothing")


def stat_fields(pid):
    """The fields of /proc/PID/stat from the third one on."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        return stat.read().rpartition(")")[2].split()


def tree(root):
    """The ids of a process and of all that descend from it, parents first."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            children.setdefault(int(stat_fields(name)[1]), []).append(int(name))
    pids = [root]
    for pid in pids:
        pids.extend(children.get(pid, []))
    return pids


def cpu_seconds(root):
    """User and system time spent so far by a process and its descendants."""
    total = 0
    for pid in tree(root):
        with contextlib.suppress(OSError):
            fields = stat_fields(pid)
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


class Machine:
    """How busy the machine was with what is not ours, since this was made."""

    def __init__(self):
        self.before = self.read()

    @staticmethod
    def read():
        """All time of the processors, the part in use, and the part in use by us and
        by what we have waited for."""
        with open("/proc/stat", encoding="utf-8") as stat:
            times = [int(text) / TICKS for text in stat.readline().split()[1:9]]
        idle = times[3] + times[4]
        return sum(times), sum(times) - idle, sum(os.times()[:4])

    def others(self):
        """The share of the processors that others had, from 0 to 1."""
        total, used, ours = (b - a for a, b in zip(self.before, self.read()))
        return max(0.0, (used - ours) / total) if total else 0.0


def status(pid, field):
    """A number from /proc/PID/status."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise Failure(f"process {pid} has no {field}")


def command(pid):
    """The name of the program."""
    with open(f"/proc/{pid}/comm", encoding="utf-8") as name:
        return name.read().strip()


def elapsed(*command, log):
    """Seconds that a command takes from its start to its end."""
    with open(log, "ab") as output:
        start = time.perf_counter()
        done = subprocess.run([str(word) for word in command], check=False,
                              stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise Failure(f"{command[0]}: status {done.returncode}: {last_line(log)}")
    return seconds


def cpu_of_run(command, environment, log):
    """Runs a command once; its user and system time."""
    output = [(os.POSIX_SPAWN_OPEN, fd, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
              for fd in (1, 2)]
    pid = os.posix_spawn(command[0], command, environment, file_actions=output)
    _, ended, usage = os.wait4(pid, 0)
    if ended != 0:
        code = os.waitstatus_to_exitcode(ended)
        raise Failure(f"{command[0]}: status {code}: {last_line(log)}")
    return usage.ru_utime + usage.ru_stime
