"""Rounds in which one call of a program goes wrong, one round a call: what strace makes fail, or
whom it kills there."""
from torture import INJECTED, KILLED, Fault, Trace, in_parallel

# Those that a program makes of files and descriptors; what maps memory is the allocator's.
FILE_CALLS = """access close dup2 faccessat faccessat2 fchmod fchmodat fchown fchownat fcntl fstat fsync ftruncate
    futimens utimensat flock getdents64 ioctl linkat lseek mkdirat newfstatat open openat pread64 pwrite64 read readlink
    readlinkat renameat renameat2 unlink unlinkat write writev poll statx getxattr fgetxattr
    fsetxattr""".split()
KILL = "signal=KILL"
TRIES = 3  # who waits for another process may come to have one call more


def trace_of(place):
    """A log of the place's own."""
    trace = Trace(place.folder)
    trace.file += place.path("").replace("/", ".")
    return trace


def listed(place, run, marker):
    """The calls of run(place, prefix), from the marker on."""
    trace = trace_of(place)
    run(place, trace.prefix())
    return trace.calls(marker)


def inject_each(places, rounds, prepare, run, check):
    """Each round is (name, which of its name, line, fault). What prepare(place) and
    run(place, prefix) return, check(place, round, prepared, answer) gets."""

    def inject(place, one):
        name, number, _, fault = one
        said = KILLED if fault == KILL else INJECTED
        for _ in range(TRIES):
            prepared = prepare(place)
            trace = trace_of(place)
            answer = run(place, trace.prefix(f"{name}:{fault}:when={number}"))
            if said in trace.text():
                return check(place, one, prepared, answer)
        raise Fault("nobody was killed" if fault == KILL else "nothing was injected")

    return in_parallel(rounds, inject, *places)


def kill_each(prepare, run, check, marker, places):
    """Runs run(place, prefix) once for each of its calls, to be killed there."""
    prepare(places[0])
    calls = listed(places[0], run, marker(places[0]))
    return inject_each(places, [(*call, KILL) for call in calls], prepare, run,
                       lambda place, one, prepared, answer: check(place, prepared))
