#!/usr/bin/python3 -I
"""Looks into other processes, as somebody would who is after a private key.

holds PID KEY [PASSPHRASE]  as root: each private number of the key, and "PEM" for lines of the file,
                            that the memory of PID has a part of, a line each: NAME and "secure"
                            (neither swapped nor dumped), "locked" (not swapped) or "loose"
attempts PID                what this user may do to PID, a line each: mem, vm, attach, seize
stand                       waits to be looked into, by any process of this user
"""
import ctypes
import errno
import os
import re
import signal
import sys

PIECE, STEP = 16, 8
ATTACH, DETACH, SEIZE = 16, 17, 0x4206
PR_SET_PTRACER = 0x59616D61

libc = ctypes.CDLL(None, use_errno=True)


# --- what is in memory ------------------------------------------------------------


def secrets(path, passphrase):
    """Names, and bytes that belong to them."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    with open(path, "rb") as file:
        pem = file.read()
    numbers = load_pem_private_key(pem, passphrase).private_numbers()
    for name in ("d", "p", "q", "dmp1", "dmq1", "iqmp"):
        number = getattr(numbers, name)
        for order in ("big", "little"):
            yield name, number.to_bytes((number.bit_length() + 7) // 8, order)
    for line in pem.splitlines():
        if len(line) >= PIECE and not line.startswith(b"-") and b":" not in line:
            yield "PEM", line


def parts(pid):
    """Start, end and state of all memory that is more than what a file has."""
    span = written = None
    with open(f"/proc/{pid}/smaps") as lines:
        for line in lines:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ \S+ *(.*)", line)
            if head:
                start, end, access, name = head.groups()
                span = int(start, 16), int(end, 16)
                readable = access[0] == "r" and not name.startswith("[v")
                written = access[3] == "s"
            elif re.match(r"(Anonymous|Swap): +[1-9]", line):
                written = True
            elif line.startswith("VmFlags:") and readable and written:
                flags = line.split()
                yield *span, ("loose" if "lo" not in flags else
                              "secure" if "dd" in flags else "locked")


def holds(pid, path, passphrase=None):
    pieces = {(name, value[at:at + PIECE])
              for name, value in secrets(path, passphrase and passphrase.encode())
              for at in range(0, len(value) - PIECE + 1, STEP)}
    found = set()
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for start, end, state in parts(pid):
            content = bytearray()
            memory.seek(start)
            while len(content) < end - start:
                content += memory.read(end - start - len(content))
            found.update((name, state) for name, piece in pieces if piece in content)
    for name, state in sorted(found):
        print(name, state)


# --- what is allowed --------------------------------------------------------------


def can_open(pid):
    try:
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDONLY))
    except OSError:
        return False
    return True


class Span(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def can_read(pid):
    """What is asked for is at no address: who may ask is told so."""
    here = ctypes.create_string_buffer(1)
    local, remote = Span(ctypes.addressof(here), 1), Span(4096, 1)
    done = libc.process_vm_readv(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
    return done == 1 or ctypes.get_errno() == errno.EFAULT


def can_trace(request, pid):
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(request, pid, None, None) == -1:
        return False
    if request == ATTACH:
        os.waitpid(pid, 0x40000000)  # __WALL
        libc.ptrace(DETACH, pid, None, None)
    return True


def attempts(pid):
    pid = int(pid)
    # Who seizes lets go when it ends.
    for name, done in (("mem", can_open(pid)), ("vm", can_read(pid)),
                       ("attach", can_trace(ATTACH, pid)), ("seize", can_trace(SEIZE, pid))):
        if done:
            print(name)


def stand():
    # Where Yama lets nobody but parents trace.
    libc.prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    print("standing", flush=True)
    signal.pause()


if __name__ == "__main__":
    {"holds": holds, "attempts": attempts, "stand": stand}[sys.argv[1]](*sys.argv[2:])
