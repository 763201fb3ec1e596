"""A09 and the file of identities: what is no valid credential gets 401, always in the same words."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from typer.testing import CliRunner

from bestex import cli
from bestex.api.identity import registry
from bestex.api.identity.authentication import Authentication
from bestex.api.identity.identities import Role
from bestex.app import identity_file, settings
from bestex.app.identity_file import IdentityFile, create_key, load, revoke_key
from bestex.domain.errors import InvalidInput, NotFound, Unauthenticated
from tests.security.conftest import Guarded

SECRET = bytes(range(7, 71))
NOW = 1_800_000_000
FILE = f"""
[tokens]
issuer = "https://id.example"
audience = "bestex"
type = "at+jwt"
[[tokens.keys]]
kid = "k1"
algorithm = "HS256"
secret = "{base64.b64encode(SECRET).decode()}"
[[revocations]]
token = "gone"
"""
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example", "aud": "bestex", "sub": "jane", "jti": "t1", "tenant": "acme", "roles": ["trader"],
    "iat": NOW - 10, "nbf": NOW - 10, "exp": NOW + 60,
}  # fmt: skip


class At:
    def __init__(self, seconds: float = NOW) -> None:
        self.seconds = seconds

    def now_ns(self) -> int:
        return int(self.seconds * 1e9)


def token(
    headers: dict[str, Any] | None = None, *, key: bytes = SECRET, algorithm: str = "HS256", **claims: Any
) -> str:
    chosen = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return jwt.encode(chosen, key, algorithm=algorithm, headers={"kid": "k1", "typ": "at+jwt"} | (headers or {}))


def bare(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part(header)}.{part(claims)}.{signature}"


@pytest.fixture(scope="module")
def known() -> Authentication:
    found = registry.read(FILE, name="file")
    return Authentication(lambda: found, At())


def test_a_good_token_names_its_subject_tenant_and_roles(known: Authentication) -> None:
    identity = known.identify(token())
    assert (identity.subject, identity.tenant, identity.roles) == ("jane", "acme", {Role.TRADER})
    assert identity.actor == "acme~jane"
    assert identity.expires_ns == (NOW + 60) * 10**9


BAD = {
    "none": bare({"alg": "none", "typ": "at+jwt", "kid": "k1"}, CLAIMS),
    "None in capitals": bare({"alg": "NONE", "typ": "at+jwt", "kid": "k1"}, CLAIMS),
    "no signature": token().rpartition(".")[0] + ".",
    "another key": token(key=SECRET[::-1]),
    "algorithm of the key is another": token(algorithm="HS512"),
    "RS256 claimed": bare({"alg": "RS256", "typ": "at+jwt", "kid": "k1"}, CLAIMS, token().rpartition(".")[2]),
    "expired": token(exp=NOW - 1),
    "expires now": token(exp=NOW),
    "not yet": token(nbf=NOW + 5),
    "made in the future": token(iat=NOW + 5),
    "no expiry": token(exp=None),
    "no start": token(nbf=None),
    "no id": token(jti=None),
    "audience": token(aud="other"),
    "issuer": token(iss="https://evil.example"),
    "type": token({"typ": "JWT"}),
    "no type": token({"typ": None}),
    "unknown kid": token({"kid": "k2"}),
    "kid is a path": token({"kid": "../../dev/null"}),
    "kid is SQL": token({"kid": "k1' OR '1'='1"}),
    "jku": token({"jku": "https://evil.example/keys"}),
    "jwk": token({"jwk": {"kty": "oct", "k": "AAAA"}}),
    "x5u": token({"x5u": "https://evil.example/cert"}),
    "crit": token({"crit": ["exp"]}),
    "unknown role": token(roles=["root"]),
    "roles as text": token(roles="trader"),
    "no tenant": token(tenant=None),
    "tenant with the mark": token(tenant="acme~zenith"),
    "subject with a line break": token(sub="jane\nroot"),
    "revoked": token(jti="gone"),
    "empty": "",
    "rubbish": "a.b.c",
    "long": token(note="x" * 9_000),
    "unknown key": "bx_00000000_" + "x" * 43,
}


@pytest.mark.parametrize("case", BAD)
def test_a09_what_is_no_valid_token_is_refused_in_the_same_words(
    known: Authentication, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetched(*_: Any, **__: Any) -> None:
        raise AssertionError("a token made the desk go out")

    monkeypatch.setattr("socket.socket.connect", fetched)
    with pytest.raises(Unauthenticated) as refusal:
        known.identify(BAD[case])
    assert refusal.value.message == "no valid API key or token was given"


def test_a09_the_check_of_the_header_is_what_catches_a_token_that_brings_its_rules(
    known: Authentication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bestex.api.identity.tokens._HEADER", frozenset({"alg", "typ", "kid", "jku"}))
    assert known.identify(BAD["jku"]).subject == "jane"


async def test_a09_401_without_a_reason_at_the_edge(guarded: Guarded) -> None:
    answers = set()
    for credential in (None, "rubbish", token(), "bx_00000000_x", guarded.keys["acme", "trader"][1][:-1]):
        reply = await guarded.holding(credential).get("/api/v1/orders")
        assert reply.status_code == 401
        assert reply.headers["www-authenticate"] == "Bearer"
        answers.add(reply.text)
    assert len(answers) == 1
    both = guarded.holding(guarded.keys["acme", "trader"][1], **{"x-api-key": guarded.keys["zenith", "trader"][1]})
    assert (await both.get("/api/v1/orders")).status_code == 401


def test_a_key_is_kept_as_a_digest_shown_once_and_revoked_for_good(tmp_path: Path) -> None:
    path = tmp_path / "ids.toml"
    key_id, text = create_key(path, subject="jane", tenant="acme", roles=["trader"], account=None, expires_ns=None)
    assert text.split("_")[2] not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    identities = Authentication(lambda: load(path), At())
    identity = identities.identify(text)
    assert identities.still_stands(identity)
    revoke_key(path, key_id)
    with pytest.raises(Unauthenticated):
        identities.identify(text)
    assert not identities.still_stands(identity)
    with pytest.raises(NotFound):
        revoke_key(path, "unknown")


def test_a_key_runs_out_and_one_whose_roles_changed_no_longer_stands(tmp_path: Path) -> None:
    path = tmp_path / "ids.toml"
    _, text = create_key(
        path, subject="jane", tenant="acme", roles=["trader"], account=None, expires_ns=(NOW + 5) * 10**9
    )
    clock = At()
    identities = Authentication(lambda: load(path), clock)
    identity = identities.identify(text)
    path.write_text(path.read_text().replace("trader", "read_only"))
    assert not identities.still_stands(identity)
    clock.seconds = NOW + 5
    with pytest.raises(Unauthenticated):
        identities.identify(text)


def test_a_running_desk_hears_of_a_revocation_and_keeps_what_it_had_when_the_file_breaks(
    tmp_path: Path, refreshed: Callable[[], None]
) -> None:
    refreshed()
    path = tmp_path / "ids.toml"
    key_id, text = create_key(path, subject="jane", tenant="acme", roles=["trader"], account=None, expires_ns=None)
    identities = Authentication(IdentityFile(path).registry, At())
    assert identities.identify(text)
    good = path.read_text()
    path.write_text("keys = 7 7")
    assert identities.identify(text)
    path.write_text(good)
    revoke_key(path, key_id)
    with pytest.raises(Unauthenticated):
        identities.identify(text)


@pytest.mark.parametrize(
    ("secret", "algorithm"),
    [(b"short", "HS256"), (b"a" * 64, "HS256"), (b"bestex-" + SECRET, "HS256"), (b"CHANGEME" + SECRET, "HS256")],
)
def test_a_default_or_short_secret_refuses_to_start_and_is_not_shown(secret: bytes, algorithm: str) -> None:
    shown = base64.b64encode(secret).decode()
    with pytest.raises(InvalidInput, match="too short or a default") as refusal:
        registry.read(FILE.replace(base64.b64encode(SECRET).decode(), shown), name="file")
    assert shown not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('algorithm = "HS256"', 'algorithm = "none"'), "none"),
        (("issuer =", "isuer ="), "isuer"),
        (("[tokens]", '[[keys]]\nid = "a"\n[tokens]'), "sha256 is missing"),
        (("[tokens]", "[tokens"), "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_its_place(change: tuple[str, str], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        registry.read(FILE.replace(*change), name="file")


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ids.toml"
    path.write_text(FILE)
    path.chmod(0o644)
    with pytest.raises(InvalidInput, match="by others"):
        load(path)


def test_a_desk_without_identities_stays_on_loopback() -> None:
    with pytest.raises(InvalidInput, match="a loopback address"):
        settings.load(host="0.0.0.0")
    with pytest.raises(InvalidInput, match="identities_file"):
        settings.load(identities="required")
    assert settings.load(host="0.0.0.0", identities="required", identities_file=Path("ids.toml")).host == "0.0.0.0"
    assert identity_file.authentication(settings.load()) is None


def test_keys_are_made_listed_and_revoked_at_the_command_line(tmp_path: Path) -> None:
    run, path = CliRunner(), str(tmp_path / "ids.toml")
    made = run.invoke(
        cli.app, ["keys", "create", "jane", "--role", "trader", "--tenant", "acme", "--days", "9", "--file", path]
    )
    assert made.exit_code == 0, made.output
    text = made.stdout.split()[0]
    listed = run.invoke(cli.app, ["keys", "list", "--file", path]).stdout
    assert "jane" in listed
    assert text not in listed
    run.invoke(cli.app, ["keys", "revoke", text.split("_")[1], "--file", path])
    assert "revoked" in run.invoke(cli.app, ["keys", "list", "--file", path]).stdout
    assert isinstance(
        run.invoke(cli.app, ["keys", "create", "x", "--role", "root", "--file", path]).exception, InvalidInput
    )
