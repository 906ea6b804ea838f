#!/usr/bin/python3
"""The service behind the example: it lets in who shows a token, and says who that is.

The keys are those that authserver publishes, which PyJWT (python3-jwt) fetches when it meets a new
one. In a cluster this is a service of its own, which knows no more than the issuer's URL.

    LISTEN  address and port: 127.0.0.1:8081
    ISSUER  what "iss" has to be: http://127.0.0.1:5001
    JWKS    where the keys are: ISSUER/.well-known/jwks.json
"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:5001")
KEYS = jwt.PyJWKClient(os.environ.get("JWKS", ISSUER + "/.well-known/jwks.json"))


def subject_of(authorization):
    """The subject of the token in an Authorization header; jwt.PyJWTError when there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise jwt.InvalidTokenError("no Bearer token")
    key = KEYS.get_signing_key_from_jwt(token).key
    claims = jwt.decode(
        token, key, algorithms=["RS512"], issuer=ISSUER, options={"require": ["sub", "iss", "exp"]}
    )
    return claims["sub"]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self):
        try:
            status = 200
            body = "Hello %s, this is %s.\n" % (
                subject_of(self.headers.get("Authorization")),
                self.path,
            )
        except jwt.PyJWTError as error:
            status, body = 401, "Not without a valid token: %s.\n" % error
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())


def main():
    host, _, port = os.environ.get("LISTEN", "127.0.0.1:8081").rpartition(":")
    with ThreadingHTTPServer((host, int(port)), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
