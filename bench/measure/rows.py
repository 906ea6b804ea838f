"""The rows of the table: which figure is compared with what, and the goals."""

import itertools

from measure import parts, verification
from measure.tokens import GROUPS

OURS = "authserver"
SIGNATURES = "openssl speed -multi"


def rate(value):
    return f"{value:,.0f}/s"


def seconds(value):
    return f"{value * 1e3:.2f} ms" if value < 1 else f"{value:.2f} s"


def microseconds(value):
    return seconds(value / 1e6)


def mebibytes(value):
    return f"{value:.1f} MiB"


def add_rates(table):
    table.section("Tokens a second, 16 connections through nginx")
    for mode, name, goal in (("normal", "RS512, nginx scheduled as usual", 0.60),
                             ("batch", "RS512, nginx under SCHED_BATCH", 0.70)):
        figure = f"rate RS512 {mode} 16"
        table.row(name, figure, rate, ("signatures RS512", SIGNATURES), (">=", goal))
        table.row(name, figure, rate, (figure, "plain"), (">=", 1.00))
        table.row(name, figure, rate, (figure, "plain, no log"), (">=", 1.00))
    goals = {("ES256", "plain"): (">=", 1.30), ("ES256", "plain, no log"): (">=", 1.30),
             ("ES256", "constant"): (">=", 0.45), ("EdDSA", "constant"): (">=", 0.45)}
    for algorithm in ("ES256", "EdDSA"):
        figure = f"rate {algorithm} batch 16"
        for reference in (("rate batch 16", "constant"), (figure, "plain"),
                          (figure, "plain, no log"), (f"signatures {algorithm}", SIGNATURES)):
            table.row(f"{algorithm}, nginx under SCHED_BATCH", figure, rate, reference,
                      goals.get((algorithm, reference[1])))


def add_latencies(table, bench):
    table.section("The same at other numbers of connections, and how long a request takes;"
                  " nginx under SCHED_BATCH")
    for algorithm in bench.keys:
        for connections in bench.plan.seconds:
            name = f"{algorithm}, {connections} connection{'s' if connections > 1 else ''}"
            for figure, form in (("rate", rate), ("p50", microseconds), ("p99", microseconds)):
                full = f"{figure} {algorithm} batch {connections}"
                table.row(f"{name}: {figure}", full, form, (full, "plain"))
    for connections in bench.plan.seconds:
        table.row(f"constant answer, {connections}: rate", f"rate batch {connections}", rate,
                  program="constant")


def add_costs(table, bench):
    table.row("EdDSA, 16, beside requests whose source of groups hangs: p99",
              "p99 beside requests that hang", microseconds, ("p99 calm", GROUPS),
              ("<=", 1.10), program=GROUPS)
    table.section("Processor time for 1,000 tokens, 16 connections")
    for algorithm in bench.keys:
        for program in (OURS, "plain"):
            table.row(f"{algorithm}, {program}", f"cpu {algorithm} batch 16",
                      lambda value: f"{value * 1e3:.3f} s",
                      (f"cpu of a signature {algorithm}", "openssl speed"),
                      ("<=", 1.30) if (algorithm, program) == ("RS512", OURS) else None,
                      program=program)
    table.section("Resident memory after the load")
    for kind in ("monitor", "worker", "signer"):
        table.row(kind, f"resident, largest {kind}", mebibytes,
                  goal=("<=", 8) if kind != "monitor" else None)
    table.row("resolver", "resident, largest resolver", mebibytes, program=GROUPS)
    table.row("plain", "resident, largest plain", mebibytes, program="plain")
    table.section("Starting")
    table.row("first token after the start of authserver", "first token", seconds,
              goal=("<=", 0.150))
    table.row("processor time of a CGI request", "cpu of a CGI request", seconds,
              ("cpu of a CGI request", "load_and_sign"), ("<=", 1.50))


def add_verification(table):
    table.section("Tokens verified a second by one worker, 16 connections through nginx, under"
                  " SCHED_BATCH")
    kinds = ("", verification.UNSEEN_KIND)
    for algorithm, kind in itertools.product(verification.ALGORITHMS, kinds):
        key = verification.ALGORITHMS[algorithm]
        # One of these takes a processor longer than all of a constant answer.
        costly = kind and algorithm in ("ES256", "EdDSA")
        for endpoint in verification.ENDPOINTS:
            name = f"{algorithm}{kind}, /api/{endpoint}"
            figure = f"{endpoint} {algorithm}{kind}"
            table.row(name, figure, rate, (endpoint, verification.CONSTANT),
                      None if costly else (">=", 0.80))
            if kind:
                table.row(name, figure, rate, (f"verifications {key}", "openssl speed"))
            table.row(f"{name}: processor time of ours", f"cpu of {figure}",
                      lambda value: f"{value * 1e6:.0f} us",
                      (f"cpu of {endpoint}", verification.CONSTANT))


def add_parts(table):
    table.section("Parts of the core, by one thread, in its processor time")
    for algorithm in parts.ALGORITHMS:
        figure = f"signing {algorithm}"
        table.row(f"{algorithm} signatures", figure, rate, (figure, "openssl speed"),
                  (">=", 0.90))
    table.row("five groups, kept from an earlier look-up, add to a token", "cpu of groups",
              lambda value: f"{value * 1e6:.2f} us", goal=("<=", 20e-6))
    for rules in parts.RULES:
        table.row(f"policy of {rules:,} rules, all looked at", f"policy {rules}",
                  lambda value: f"{value * 1e6:.2f} us",
                  goal=("<=", 50e-6) if rules == 1000 else None)


def add_reaper(table, bench):
    table.section("The reaper, on a directory of token files")
    for count in bench.plan.file_counts:
        figure = f"deletions {count}"
        table.row(f"{count:,} due: deletions", figure, rate, goal=(">=", 120_000))
        for other in ("find", "systemd-tmpfiles"):
            table.row(f"{count:,} due: deletions", figure, rate, (figure, other))
        # The pace of the others over ours: how many times faster our pass is.
        figure = f"pass {count}"
        for other in ("find", "systemd-tmpfiles"):
            table.row(f"{count:,} not due: pass of {other}", figure, seconds, (figure, OURS),
                      (">=", 5.00), program=other)


def add_keeper(table):
    table.section("The keeper, 10,000 files with tokens of half an hour, ten minutes left at least")
    table.row("all are missing: a pass", "first pass of the keeper", seconds)
    table.row("all are there, --watch: part of one processor", "keeper",
              lambda value: f"{value:.2%}", goal=("<=", 0.01))


def add_all(table, bench):
    add_rates(table)
    add_latencies(table, bench)
    add_costs(table, bench)
    add_verification(table)
    add_parts(table)
    add_reaper(table, bench)
    add_keeper(table)
