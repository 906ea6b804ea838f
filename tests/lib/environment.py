#!/usr/bin/python3 -I
"""environment.py PID...: the environment of each process as it is now, and not as it was at its
start: "PID:" and then a line each. As root."""
import os
import struct
import subprocess
import sys


def symbol(path, name):
    """Where NAME is in the file, or None."""
    listed = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True)
    for line in listed.stdout.splitlines():
        value, _, found = line.split()
        if found.split("@")[0] == name:
            return int(value, 16)


def strings_at(memory, address):
    """An array of pointers to strings, as environ is one."""
    while True:
        memory.seek(address)
        (pointer,) = struct.unpack("@P", memory.read(8))
        if not pointer:
            return
        memory.seek(pointer)
        yield memory.read(4096).split(b"\0")[0]
        address += 8


def environment_of(pid, symbols):
    program = os.readlink(f"/proc/{pid}/exe")
    with open(f"/proc/{pid}/maps") as maps:
        mapped = [line.split() for line in maps if "/" in line]
    starts = {}
    for part in mapped:
        starts.setdefault(part[5], int(part[0].split("-")[0], 16))
    # The program may have a copy of its own; then that is the one.
    for path in sorted(starts, key=lambda path: path != program):
        if path not in symbols:
            symbols[path] = symbol(path, "environ")
        offset = symbols[path]
        if offset is None:
            continue
        with open(f"/proc/{pid}/mem", "rb", 0) as memory:
            memory.seek(starts[path] + offset)
            for text in strings_at(memory, struct.unpack("@P", memory.read(8))[0]):
                sys.stdout.buffer.write(text + b"\n")
        return
    sys.exit("there is no environ")


def main(pids):
    symbols = {}
    for pid in pids:
        print(f"{pid}:", flush=True)
        environment_of(pid, symbols)
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
