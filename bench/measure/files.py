"""The reaper, beside two other ways to delete files by their age."""

import os
import shutil

from measure import processes
from measure.processes import Failure, run

TOKEN_BYTES = 700  # about what a token of RS512 takes
PAGE = 4096        # and what that takes on a tmpfs


def deleters(bench, directory, age):
    """The commands that delete the token files of more than age minutes, and do not list
    them."""
    rule = bench.place / "tmpfiles.conf"
    rule.write_text(f"e {directory} - - - m:{age}min\n", encoding="utf-8")
    return {
        "authserver": (bench.program("authserver-reap"), "--quiet", "--directory",
                       directory, "--max-age", f"{age}m"),
        "find": ("find", directory, "-name", "*.token", "-mmin", f"+{age}", "-delete"),
        "systemd-tmpfiles": ("systemd-tmpfiles", "--clean", rule),
    }


def elapsed(bench, command):
    return processes.elapsed(*command, log=bench.place / "deleters.log")


def fill(bench, directory, count, age):
    """Makes the files, with contents where there is room for them."""
    room = shutil.disk_usage(directory).free > 2 * count * PAGE
    run(bench.program("bench/make_tokens"), directory, count, age, TOKEN_BYTES if room else 0)


def measure_deletions(bench, directory, count):
    for name, command in deleters(bench, directory, 1).items():
        with bench.attempt(f"{name}, {count:,} files"):
            fill(bench, directory, count, 3600)
            seconds = elapsed(bench, command)
            left = len(os.listdir(directory))
            if left:
                shutil.rmtree(directory)
                directory.mkdir(mode=0o750)
                raise Failure(f"left {left:,} files")
            bench.figures.add(f"deletions {count}", name, count / seconds)


def measure_pass(bench, directory, count):
    for name, command in deleters(bench, directory, 60).items():
        with bench.attempt(f"{name}, pass over {count:,} files"):
            bench.figures.add(f"pass {count}", name, elapsed(bench, command))
    if len(os.listdir(directory)) != count:
        raise Failure("files went that were not due")


def measure(bench, count):
    """Deletes count files that are due, then passes over count that are not."""
    directory = bench.place / f"reaped-{count}"
    directory.mkdir(mode=0o750)
    try:
        for turn in range(bench.plan.file_rounds if count <= 100_000 else 1):
            bench.say(f"{count:,} files that are due, round {turn + 1}")
            measure_deletions(bench, directory, count)
        fill(bench, directory, count, 0)
        for turn in range(bench.plan.file_rounds):
            bench.say(f"{count:,} files that are not due, round {turn + 1}")
            measure_pass(bench, directory, count)
    finally:
        shutil.rmtree(directory)
