"""Parts of the core by themselves: signing by every algorithm, evaluating a policy."""

from measure.processes import run

# The name that openssl speed has for the same work; it has none for RSASSA-PSS, whose private
# operation is that of RSA.
ALGORITHMS = {
    "RS256": ("rsa2048", "rsa"), "RS384": ("rsa2048", "rsa"), "RS512": ("rsa2048", "rsa"),
    "PS256": ("rsa2048", "rsa"), "PS384": ("rsa2048", "rsa"), "PS512": ("rsa2048", "rsa"),
    "ES256": ("ecdsap256", "P-256"), "ES384": ("ecdsap384", "P-384"),
    "ES512": ("ecdsap521", "P-521"), "EdDSA": ("ed25519", "ed25519"),
}
KEYS = {
    "rsa": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "P-256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "P-384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "P-521": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
    "ed25519": ("-algorithm", "ED25519"),
}
RULES = (10, 100, 1000)


def measure_signing(bench):
    """Ours and openssl's one after the other, each by its own processor time."""
    keys = {name: bench.place / f"part-{name}.pem" for name in KEYS}
    for name, options in KEYS.items():
        run("openssl", "genpkey", *options, "-out", keys[name])
        keys[name].chmod(0o600)
    program = bench.program("bench/in_process")
    for _ in range(bench.plan.rounds):
        for algorithm, (speed, key) in ALGORITHMS.items():
            output = run("openssl", "speed", "-seconds", 1, speed)
            bench.figures.add(f"signing {algorithm}", "openssl speed",
                              float(output.split()[-2]))
            bench.figures.add(f"signing {algorithm}", "authserver",
                              float(run(program, "sign", keys[key], algorithm)))


def measure_policy(bench):
    program = bench.program("bench/in_process")
    for _ in range(bench.plan.rounds):
        for rules in RULES:
            bench.figures.add(f"policy {rules}", "authserver",
                              float(run(program, "policy", rules)))
