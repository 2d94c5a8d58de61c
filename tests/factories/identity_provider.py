"""An identity provider on the loopback: real keys, real codes, and faults that can be chosen."""

import base64
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

CLIENT_ID = "casework console"
CLIENT_SECRET = "s/ecret:with=signs"


def without_signature(claims: dict[str, Any]) -> str:
    """A token of the algorithm ``none``."""
    parts = ({"alg": "none"}, claims)
    coded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts]
    return ".".join([*coded, ""])


def with_public_key(claims: dict[str, Any], key: Key) -> str:
    """A token signed with a provider's public key as if that were a shared secret."""
    _, body, _ = without_signature(claims).split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
    signed = hmac.new(key.as_pem(private=False), f"{head}.{body}".encode(), sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(signed).rstrip(b'=').decode()}"


@lru_cache(maxsize=2)
def rsa_key(kid: str) -> RSAKey:
    """A key of its own; making one takes as long as everything else."""
    return RSAKey.generate_key(2048, {"kid": kid})


@dataclass
class Provider:
    """Who is signed in there, and how it misbehaves."""

    clock: Callable[[], datetime]
    url: str = ""
    user: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1"})
    key: Key = field(default_factory=lambda: rsa_key("first"))
    wrong: dict[str, Any] = field(default_factory=dict)  # claims that are put in instead
    sign: Callable[[dict[str, Any]], str] | None = None  # instead of its own way
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def rotate(self) -> None:
        """Sign with another key of another kind from now on."""
        self.key = ECKey.generate_key("P-256", {"kid": "second"})

    def id_token(self, nonce: str) -> str:
        """A token about who is signed in."""
        now = int(self.clock().timestamp())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce}
        claims |= {**self.user, **self.wrong}
        if self.sign:
            return self.sign(claims)
        header = {"alg": "ES256" if self.key.key_type == "EC" else "RS256", "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=[header["alg"]])


def app_of(provider: Provider) -> FastAPI:
    """The provider's web application."""
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def metadata() -> dict[str, str]:
        paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token"}
        paths |= {"jwks_uri": "/jwks", "end_session_endpoint": "/out"}
        return {"issuer": provider.url, **{n: provider.url + p for n, p in paths.items()}}

    @app.get("/jwks")
    def keys() -> dict[str, Any]:
        unknown = {"kty": "NEW", "kid": "x"}
        return {"keys": [unknown, {**provider.key.as_dict(private=False), "use": "sig"}]}

    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(provider.codes)}"
        provider.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": provider.url}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 302)

    @app.post("/token")
    async def token(request: Request) -> Response:
        body = parse_qs((await request.body()).decode())
        form = {name: values[0] for name, values in body.items()}
        provider.asked.append(request.headers.get("authorization", ""))
        begun = provider.codes.pop(form["code"], None)
        if begun is None or not _proved(begun, form) or not _known(request):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"id_token": provider.id_token(begun["nonce"]), "token_type": "Bearer"})

    return app


def _proved(begun: dict[str, str], form: dict[str, str]) -> bool:
    """Whether who asks for the token is who began (RFC 7636, 4.6)."""
    hashed = sha256(form["code_verifier"].encode()).digest()
    challenge = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
    same = begun["redirect_uri"] == form["redirect_uri"]
    return challenge == begun["code_challenge"] and same


def _known(request: Request) -> bool:
    """Whether the client's credentials are right, encoded as RFC 6749, 2.3.1, has it."""
    pair = urlencode({CLIENT_ID: CLIENT_SECRET}).replace("=", ":", 1)
    wanted = base64.b64encode(pair.encode()).decode()
    return request.headers.get("authorization") == f"Basic {wanted}"


@contextmanager
def running(provider: Provider) -> Iterator[Provider]:
    """Serve the provider on a free port of the loopback until the block ends."""
    config = uvicorn.Config(app_of(provider), port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    provider.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
