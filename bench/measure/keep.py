"""The keeper, with ten thousand files of half an hour."""

import time

from measure import processes
from measure.processes import Failure, run

FILES = 10_000
SETTLED = 0.05  # of a processor, in a second: it has looked at all files


def cpu_share(pid, seconds):
    """The part of one processor that a process uses meanwhile."""
    before, start = processes.cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (processes.cpu_seconds(pid) - before) / (time.monotonic() - start)


def measure(bench):
    """What it uses when all files are there and each is renewed in its turn."""
    root = bench.place / "kept"
    root.mkdir(mode=0o755)
    for number in range(FILES):
        (root / f"user{number}").mkdir(mode=0o755)
    config = bench.place / "keep.conf"
    config.write_text(f"""private-key = "{bench.keys['RS512']}"
keep "all" {{
    account = none
    directories = "{root}"
    file = "{root}/${{subject}}/token"
}}
""", encoding="utf-8")
    config.chmod(0o600)
    program = bench.program("authserver-keep")
    start = time.perf_counter()
    run(program, "--config", config, "--quiet")
    bench.figures.add("first pass of the keeper", "authserver", time.perf_counter() - start)
    with processes.running(program, "--config", config, "--watch", "--quiet",
                           log=bench.place / "keep.log") as process:
        for _ in range(60):
            if cpu_share(process.pid, 1) < SETTLED:
                break
        else:
            raise Failure("the keeper does not come to rest")
        bench.figures.add("keeper", "authserver",
                          cpu_share(process.pid, bench.plan.keeper_seconds))
