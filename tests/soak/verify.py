"""Whether tokens are good, by PyJWT and the keys that are published at that time, and requests of
which one needs what another one gave."""

import collections
import http.client
import json
import threading
import time
import urllib.parse

import jwt

PAUSE = 0.05  # seconds between two rounds of flows
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}


class Keys:
    """The JWK Set as it was fetched last."""

    def __init__(self, port):
        self.port = port
        self.known = {}
        self.fetched = 0.0

    def fetch(self):
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request("GET", "/.well-known/jwks.json")
            answer = connection.getresponse()
            if answer.status == 200:
                self.known = {key["kid"]: jwt.PyJWK(key) for key in
                              json.loads(answer.read())["keys"]}
                self.fetched = began
        finally:
            connection.close()

    def find(self, kid, since):
        """The key, which must be among those published after that time."""
        if kid not in self.known and self.fetched < since:
            self.fetch()
        return self.known.get(kid)


class Verifier:
    """Counts tokens that are good, and notes those that are not."""

    def __init__(self, port, issuer, algorithm):
        self.keys = Keys(port)
        self.issuer, self.algorithm = issuer, algorithm
        self.good = 0
        self.kids = set()
        self.bad = collections.Counter()
        self.lock = threading.Lock()

    def verify(self, token, came):
        """Its claims, None when it is not good."""
        with self.lock:
            try:
                kid = jwt.get_unverified_header(token)["kid"]
                key = self.keys.find(kid, came)
                if key is None:
                    self.bad["a key that is not published"] += 1
                    return None
                claims = jwt.decode(token, key.key, [self.algorithm], issuer=self.issuer,
                                    options={"verify_aud": False})
            except (jwt.PyJWTError, OSError, http.client.HTTPException, ValueError) as error:
                self.bad[type(error).__name__ + ": " + str(error)] += 1
                return None
            self.good += 1
            self.kids.add(kid)
            return claims


class Follower(threading.Thread):
    """Verifies the tokens that a load writes down, as they come."""

    def __init__(self, load, verifier):
        super().__init__(daemon=True)
        self.load, self.verifier = load, verifier
        self.over = threading.Event()
        self.start()

    def run(self):
        with open(self.load.lines_path, encoding="utf-8", errors="replace") as lines:
            part = ""
            while True:
                ended = self.over.is_set()
                line = lines.readline()
                if line.endswith("\n"):
                    self.take(part + line)
                    part = ""
                    continue
                part += line
                if ended:
                    return
                time.sleep(0.1)

    def take(self, line):
        words = line.split()
        if len(words) == 5 and words[2] == "200" and words[4].startswith("eyJ"):
            self.verifier.verify(words[4], float(words[0]))

    def end(self):
        self.over.set()
        self.join()


class Flows(threading.Thread):
    """A token is made, shown for validation, and exchanged; what is not answered as it should
    be is a failure, with its time."""

    def __init__(self, ports, identity, verifier):
        super().__init__(daemon=True)
        self.port, self.validation_port = ports
        self.identity, self.verifier = identity, verifier
        self.counts = collections.Counter()
        self.failures = []
        self.over = threading.Event()
        self.start()

    def ask(self, kind, port, method, path, body=None, **fields):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        status, text = "closed", ""
        try:
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            status, text = str(answer.status), answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            status = type(error).__name__
        finally:
            connection.close()
        self.counts[kind, status] += 1
        if status != "200":
            self.failures.append((time.monotonic(), kind, status))
            return None
        return text

    def round(self):
        token = self.ask("token", self.port, "GET", "/alice", Accept="application/jwt",
                         **self.identity)
        if token is None:
            return
        self.verifier.verify(token, time.monotonic())
        answer = self.ask("validate", self.validation_port, "POST", "/api/validate",
                          Authorization=f"Bearer {token}")
        if answer is not None and json.loads(answer).get("sub") != "alice":
            self.failures.append((time.monotonic(), "validate", answer))
        answer = self.ask("exchange", self.port, "POST", "/oauth2/token",
                          urllib.parse.urlencode(EXCHANGE | {"subject_token": token}),
                          **{"Content-Type": "application/x-www-form-urlencoded"})
        if answer is not None:
            self.verifier.verify(json.loads(answer)["access_token"], time.monotonic())

    def run(self):
        while not self.over.wait(PAUSE):
            self.round()

    def end(self):
        self.over.set()
        self.join()
