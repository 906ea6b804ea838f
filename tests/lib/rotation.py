#!/usr/bin/python3
"""Rotates the keys of two servers under load: rotation.py SPARE FOLDER FOLDER SOCKET SOCKET.

Each key file in SPARE arrives in the first FOLDER, and a little later in the second one, and
starts to sign LEAD seconds after it came. Meanwhile clients mint on both servers, and each token
is verified by PyJWT against the JWK Set that the other server gave at most FRESH seconds ago.
What happened is printed; what should not be ends in exit status 1.
"""
import collections
import json
import os
import shutil
import sys
import threading
import time

import jwt

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fastcgi import Closed, Connection, changed, request, say, status  # noqa: E402

LEAD = 19  # seconds; a server looks every ten, and has to load it
EVERY = 4  # seconds between keys
LATE = 1.5  # seconds until the second server has it too
FRESH = 2  # seconds
CLIENTS = 2  # for each server
ISSUER = "https://first.example"


def ask(address, *changes):
    connection = Connection(address)
    try:
        answer = connection.ask(request(changed(changes)))
    except (Closed, TimeoutError) as failure:
        return type(failure).__name__, b""
    finally:
        connection.close()
    return status(answer), answer.split(b"\r\n\r\n", 1)[1]


def arrive(path, folder, name):
    """As a whole, and as its owner: by a name that is none of a key, then by its own."""
    temporary = os.path.join(folder, ".new")
    shutil.copyfile(path, temporary)
    os.chmod(temporary, 0o600)
    os.rename(temporary, os.path.join(folder, name))


class Keys:
    """The JWK Set of one server, and when it was fetched."""

    def __init__(self, address):
        self.address = address
        self.held = (0, {})

    def fetch(self):
        began = time.monotonic()
        code, body = ask(self.address, "PATH_INFO=/.well-known/jwks.json")
        if code == "200":
            self.held = (began, {k["kid"]: jwt.PyJWK(k) for k in json.loads(body)["keys"]})
        return code

    def find(self, kid):
        fetched, keys = self.held
        if time.monotonic() - fetched > FRESH:
            self.fetch()
            fetched, keys = self.held
        return keys.get(kid)


class Run:
    def __init__(self, spare, folders, addresses):
        self.spare = [os.path.join(spare, name) for name in sorted(os.listdir(spare))]
        self.folders = folders
        self.addresses = addresses
        self.keys = [Keys(address) for address in addresses]
        self.wrong = collections.Counter()
        self.signed = []  # (server, kid, iat)
        self.lock = threading.Lock()
        self.over = threading.Event()

    def note(self, what):
        with self.lock:
            self.wrong[what] += 1

    def fetcher(self):
        while not self.over.wait(FRESH / 4):
            for server, keys in enumerate(self.keys):
                code = keys.fetch()
                if code != "200":
                    self.note(f"server {server}: keys: {code}")

    def verify(self, server, token):
        kid = jwt.get_unverified_header(token)["kid"]
        key = self.keys[1 - server].find(kid)
        if key is None:
            return self.note(f"server {server}: a key that the other one does not publish")
        try:
            claims = jwt.decode(token, key.key, ["RS512"], issuer=ISSUER)
        except jwt.PyJWTError as error:
            return self.note(f"server {server}: {error!r}")
        with self.lock:
            self.signed.append((server, kid, claims["iat"]))

    def client(self, server):
        while not self.over.wait(0.1):
            code, body = ask(self.addresses[server], "HTTP_ACCEPT=application/jwt")
            if code == "200":
                self.verify(server, body.decode())
            else:
                self.note(f"server {server}: {code}")

    def rotate(self):
        """When each key starts to sign, the ones that came first."""
        starts = []
        for path in self.spare:
            began = time.time()
            starts.append(int(began) + LEAD)
            name = time.strftime("%Y%m%dT%H%M%SZ.pem", time.gmtime(starts[-1]))
            arrive(path, self.folders[0], name)
            time.sleep(LATE)
            arrive(path, self.folders[1], name)
            time.sleep(began + EVERY - time.time())
        time.sleep(starts[-1] + 2 - time.time())
        return starts

    def judge(self, starts):
        """At each second all tokens of both are by one key, and it changes when it should."""
        kids = collections.defaultdict(set)
        for server, kid, iat in self.signed:
            kids[sum(start <= iat for start in starts)].add(kid)
        for index in range(len(starts) + 1):
            if len(kids[index]) != 1:
                self.note(f"period {index}: {len(kids[index])} keys signed")
        if len(set().union(*kids.values())) != len(starts) + 1:
            self.note("a key signed in two periods, or never")
        for server in (0, 1):
            seen = {kid for at, kid, _ in self.signed if at == server}
            if len(seen) != len(starts) + 1:
                self.note(f"server {server}: {len(seen)} keys signed")

    def run(self):
        for keys in self.keys:
            keys.fetch()
        threads = [threading.Thread(target=self.fetcher)]
        for server in (0, 1):
            for _ in range(CLIENTS):
                threads.append(threading.Thread(target=self.client, args=(server,)))
        for thread in threads:
            thread.start()
        try:
            starts = self.rotate()
        finally:
            self.over.set()
        for thread in threads:
            thread.join()
        self.judge(starts)
        say(f"{len(self.signed)} tokens, {len(starts)} rotations, {sum(self.wrong.values())} failures")
        for what, count in self.wrong.items():
            say(f"{count} times: {what}")
        return 1 if self.wrong else 0


if __name__ == "__main__":
    sys.exit(Run(sys.argv[1], sys.argv[2:4], sys.argv[4:6]).run())
