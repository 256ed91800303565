"""Logging in at an OpenID Connect provider, and what is tried on the way."""

import base64
import hashlib
import hmac
import json
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy.exc import IntegrityError

from api import AuthenticationError, ProviderError, Role, SettingsError
from api.identity import logins
from api.identity.oidc import Provider, ProviderAnswer, _derived
from api.identity.settings import IdentitySettings, OidcSettings
from tests.api.conftest import ON_SQLITE
from tests.api.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, rsa_key
from tests.api.people import Browser, everything, make_account
from tests.api.test_routes import assert_problem

PUBLIC = "https://vedette.test"
ROLES = MappingProxyType({"chiefs": Role.SUPERVISOR, "analysts": Role.ANALYST})


@pytest.fixture
def provider(clock):
    provider = OidcProvider(clock)
    yield provider
    provider.close()


@pytest.fixture
def oidc(provider):
    return OidcSettings(provider.url, CLIENT_ID, CLIENT_SECRET, ROLES)


@pytest.fixture
def identity(identity, oidc):
    return IdentitySettings(public_url=PUBLIC, argon2=identity.argon2, oidc=oidc)


@pytest.fixture
def browser(service):
    return Browser.at(service, PUBLIC)


def begin(browser):
    """Where the browser is sent."""
    answer = browser.ask("GET", "/oidc/login")
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def come_back(browser, brought):
    return browser.ask("GET", "/oidc/callback", params=brought)


def log_in(browser, provider):
    answer = come_back(browser, provider.authorize(begin(browser)))
    if answer.status_code == 303:
        browser.csrf = browser.ask("GET", "/me").json()["csrf"]
    return answer


def test_a_person_of_the_provider_logs_in(service, browser, provider):
    url = begin(browser)
    assert url.startswith(f"{provider.url}/authorize?")
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert query["redirect_uri"] == f"{PUBLIC}/oidc/callback"
    assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
    assert query["scope"].split() == ["openid", "profile"]
    answer = come_back(browser, provider.authorize(url))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    lines = answer.headers.get_list("set-cookie")
    assert [line.partition("=")[0] for line in lines] == [
        "__Host-vedette",
        "__Host-vedette-device",
        "__Host-vedette-login",
    ]
    assert "SameSite=strict" in lines[0]
    assert "Max-Age=0" in lines[2]
    me = browser.ask("GET", "/me").json()
    assert me["has_password"] is False
    assert (me["name"], me["role"]) == ("Anna", "analyst")
    assert browser.ask("GET", "/crossings").status_code == 200
    assert_problem(browser.ask("GET", "/audit"), 403)
    browser.csrf = me["csrf"]
    assert browser.ask("POST", "/logout").status_code == 204
    # The second time it is the same account.
    log_in(browser, provider)
    assert browser.ask("GET", "/me").json()["account_id"] == me["account_id"]
    accounts = service.ask("administrator", "GET", "/accounts").json()
    assert [account["issuer"] for account in accounts] == [None, provider.url]
    assert_problem(browser.ask("PUT", "/password", json={"password": "x", "new_password": "y"}), 422)
    assert_problem(service.ask("administrator", "POST", f"/accounts/{me['account_id']}/secret"), 409)


def test_who_is_like_a_local_account_does_not_open_it(service, browser, provider):
    account_id, _ = make_account(service, "anna", "administrator")
    provider.person |= {"preferred_username": "anna", "email": "anna", "email_verified": True}
    log_in(browser, provider)
    me = browser.ask("GET", "/me").json()
    assert me["account_id"] != account_id
    assert me["role"] == "analyst"
    login = {row["id"]: row["login"] for row in service.ask("administrator", "GET", "/accounts").json()}[
        me["account_id"]
    ]
    assert_problem(Browser.at(service, PUBLIC).login(login, "anything at all"), 401)


def test_a_role_is_what_the_provider_says_now(service, browser, provider):
    other = Browser.at(service, PUBLIC)
    log_in(browser, provider)
    provider.person["groups"] = ["analysts", "chiefs", "cooks"]
    log_in(other, provider)
    assert other.ask("GET", "/me").json()["role"] == "supervisor"  # the first of the settings that is held
    assert_problem(browser.ask("GET", "/me"), 401)  # was opened for another role
    provider.person["groups"] = ["cooks"]
    assert_problem(log_in(browser, provider), 403)
    assert_problem(other.ask("GET", "/me"), 401)  # who has no role any more is out everywhere


@ON_SQLITE
def test_without_a_role_there_is_no_account(service, browser, provider):
    for groups in (None, [], "cooks", ["analysts "], {"analysts": True}, 7, [["analysts"]]):
        provider.person["groups"] = groups
        assert_problem(log_in(browser, provider), 403)
    assert len(service.ask("administrator", "GET", "/accounts").json()) == 1
    provider.person["groups"] = "analysts"
    assert log_in(browser, provider).status_code == 303


@ON_SQLITE
def test_a_disabled_account_stays_out(service, browser, provider):
    log_in(browser, provider)
    account_id = browser.ask("GET", "/me").json()["account_id"]
    service.ask("administrator", "PATCH", f"/accounts/{account_id}", json={"disabled": True})
    assert_problem(log_in(browser, provider), 403)


@ON_SQLITE
def test_a_name_is_plain_text(browser, provider):
    provider.person["name"] = "An\r\nna\x1b[31m\u2028" + "x" * 500
    log_in(browser, provider)
    name = browser.ask("GET", "/me").json()["name"]
    assert name == "An??na?[31m?" + "x" * 188


# -- what is tried on the way ------------------------------------------------------------------------------------------


def test_an_answer_counts_once(browser, provider):
    brought = provider.authorize(begin(browser))
    cookie = browser.http.cookies.get("__Host-vedette-login")
    codes = dict(provider.codes)
    assert come_back(browser, brought).status_code == 303
    provider.codes = codes  # even if the provider took the code again
    browser.http.cookies.set("__Host-vedette-login", cookie, domain="vedette.test", path="/")
    assert_problem(come_back(browser, brought), 401)
    assert provider.asked["/token"] == 1


def test_an_answer_counts_in_the_browser_that_asked(service, browser, provider):
    brought = provider.authorize(begin(browser))
    victim = Browser.at(service, PUBLIC)
    assert_problem(come_back(victim, brought), 401)  # has no cookie
    own = provider.authorize(begin(victim))
    assert_problem(come_back(victim, brought), 401)  # has another
    # The attacker's code with the victim's state: bound to the attacker's verifier, and to the attacker's nonce.
    assert_problem(come_back(victim, own | {"code": brought["code"]}), 401)
    provider.checks_pkce = False
    brought, own = provider.authorize(begin(browser)), provider.authorize(begin(victim))
    assert_problem(come_back(victim, own | {"code": brought["code"]}), 401)
    assert victim.cookie is None


@ON_SQLITE
def test_an_answer_that_is_none_is_refused(browser, provider):
    for change in (
        {"state": ""},
        {"state": "é"},
        {"state": "0" * 64},
        {"code": ""},
        {"code": "guessed"},
        {"iss": "https://evil.test"},
        {"code": "", "error": "access_denied", "error_description": "<script>alert(1)</script>"},
    ):
        answer = come_back(browser, provider.authorize(begin(browser)) | change)
        assert_problem(answer, 401)
        assert "script" not in answer.text
    assert_problem(come_back(browser, provider.authorize(begin(browser)) | {"code": "x" * 2001}), 422)
    assert browser.cookie is None


def test_a_login_that_takes_too_long_is_over(browser, provider, clock):
    brought = provider.authorize(begin(browser))
    clock.now_us += 600_000_000
    assert_problem(come_back(browser, brought), 401)


@pytest.fixture
def straight(provider, oidc, clock):
    """The provider's side alone, without a service: hands a token to who checks it."""
    secret = "S" * 43
    checker = Provider(oidc, f"{PUBLIC}/oidc/callback", clock=clock)

    def identify(**changes):
        provider.changes = changes
        brought = provider.authorize(checker.authorization_url(secret))
        return checker.identify(secret, ProviderAnswer(brought["state"], brought["code"], brought["iss"]))

    return identify


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.test"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": None},
        {"aud": []},
        {"aud": [CLIENT_ID, "another client"]},  # and no party
        {"aud": [CLIENT_ID, "another client"], "azp": "another client"},
        {"azp": "another client"},
        {"nonce": None},
        {"nonce": "0" * 64},
        {"nonce": ["{nonce}"]},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": [9999999999]},
        {"iat": None},
    ],
)
def test_a_token_for_another_purpose_is_none(straight, changes):
    with pytest.raises(AuthenticationError, match="does not hold"):
        straight(**changes)


def test_a_token_holds_by_our_clock_and_a_little_more(straight, clock):
    now_s = clock.now_us // 1_000_000
    for changes in (
        {"exp": now_s - 55},
        {"iat": now_s + 55, "nbf": now_s + 55},
        {"iat": now_s - 600},
        {"iat": now_s - 0.5, "exp": now_s + 0.5},
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID},
    ):
        assert straight(**changes).subject == "u-1"
    for changes in (
        {"exp": now_s - 61},
        {"iat": now_s + 65},
        {"nbf": now_s + 65},
        {"nbf": "yesterday"},
        {"iat": now_s - 665},
        {"exp": -1e300},
    ):
        with pytest.raises(AuthenticationError):
            straight(**changes)


def _part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unsigned(claims, alg="none"):
    return f"{_part({'alg': alg, 'kid': 'one'})}.{_part(claims)}."


def _signed_with_the_public_key(claims):
    """HS256 under what everybody can read: passes where the algorithm is taken from the token."""
    head = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(claims)}"
    public = rsa_key("one").raw_value.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    mac = hmac.new(pem, head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _with_own_key(claims):
    """Brings the key along in its head."""
    public = rsa_key("forger").as_dict(private=False)
    return jwt.encode({"alg": "RS256", "kid": "one", "jwk": public}, claims, rsa_key("forger"))


def _tampered(claims):
    head, _, signature = jwt.encode({"alg": "RS256", "kid": "one"}, claims, rsa_key("one")).split(".")
    return f"{head}.{_part(claims | {'groups': ['chiefs']})}.{signature}"


@pytest.mark.parametrize(
    "sign",
    [
        _unsigned,
        lambda claims: _unsigned(claims, "None"),
        lambda claims: _unsigned(claims, "RS256"),
        _signed_with_the_public_key,
        _with_own_key,
        _tampered,
        lambda claims: jwt.encode({"alg": "RS256", "kid": "forger"}, claims, rsa_key("forger")),
        lambda claims: jwt.encode({"alg": "RS384", "kid": "one"}, claims, rsa_key("one"), ["RS384"]),
        lambda _claims: "",
        lambda _claims: "a.b.c",
        lambda _claims: ".." * 3,
        lambda _claims: "é",
        _part,
    ],
)
def test_a_token_that_nobody_signed_is_none(straight, provider, sign):
    provider.sign = sign
    with pytest.raises(AuthenticationError):
        straight()


def test_a_symmetric_key_that_is_published_signs_nothing(straight, provider):
    value = base64.urlsafe_b64encode(b"k" * 32).rstrip(b"=").decode()
    provider.more_keys = [{"kty": "oct", "kid": "shared", "k": value}, {"kty": "new"}, "no key", {}]
    assert straight().subject == "u-1"  # and what is no key of ours does no harm
    provider.sign = lambda claims: jwt.encode({"alg": "HS256", "kid": "shared"}, claims, OctKey.import_key(value))
    with pytest.raises(AuthenticationError):
        straight()


def test_two_first_logins_at_once_make_one_account(service, browser, provider, monkeypatch):
    """Another process makes the account between our look and our write."""
    real, faster = logins._account_of, Browser.at(service, PUBLIC)
    raced = []

    def slow(who, role, now):
        if not raced:
            raced.append(1)
            raise IntegrityError("INSERT INTO account", {}, Exception("UNIQUE constraint failed"))
        return real(who, role, now)

    monkeypatch.setattr(logins, "_account_of", slow)
    assert log_in(browser, provider).status_code == 303
    assert log_in(faster, provider).status_code == 303
    assert browser.ask("GET", "/me").json()["account_id"] == faster.ask("GET", "/me").json()["account_id"]


def test_keys_change(provider, oidc, clock):
    seconds = [0.0]
    checker = Provider(oidc, f"{PUBLIC}/oidc/callback", clock=clock, monotonic=lambda: seconds[0])

    def identify():
        brought = provider.authorize(checker.authorization_url("S" * 43))
        return checker.identify("S" * 43, ProviderAnswer(brought["state"], brought["code"], None))

    identify()
    identify()
    assert provider.asked["/keys"] == provider.asked["/.well-known/openid-configuration"] == 1
    seconds[0] += 31
    provider.kid, provider.published = "two", ("two", "one")
    identify()
    assert provider.asked["/keys"] == 2
    provider.kid = "forger"
    for _ in range(5):  # unknown keys do not make us ask again and again
        with pytest.raises(AuthenticationError):
            identify()
    assert provider.asked["/keys"] == 2
    provider.kid, provider.published = "one", ("two",)  # what was withdrawn is good until the keys are read again
    identify()
    seconds[0] += 3600
    with pytest.raises(AuthenticationError):
        identify()
    assert provider.asked["/.well-known/openid-configuration"] == 2


# -- a provider that is away, or none ----------------------------------------------------------------------------------


def test_a_provider_that_answers_otherwise_is_none(provider, oidc, clock):
    known = "/.well-known/openid-configuration"

    def url():
        return Provider(oidc, f"{PUBLIC}/oidc/callback", clock=clock).authorization_url("S" * 43)

    for change in (
        {"issuer": "https://evil.test"},
        {"issuer": provider.url + "/"},
        {"token_endpoint": None},
        {"token_endpoint": "http://evil.test/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://169.254.169.254/latest"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://a.test/\r\nX: y"},
    ):
        provider.discovery = change
        with pytest.raises(ProviderError):
            url()
    provider.discovery = {}
    for status, body in (
        (500, b"{}"),
        (200, b"not JSON"),
        (200, b"[]"),
        (200, b"[" * 100_000),
        (200, b'"' + b"x" * (1 << 20) + b'"'),
        (302, b""),
    ):
        provider.answers = {known: (status, body)}
        with pytest.raises(ProviderError):
            url()
    assert provider.asked["/elsewhere"] == 0
    provider.answers = {}
    assert url().startswith(provider.url)


@ON_SQLITE
def test_a_provider_that_is_away_is_said_without_detail(service, browser, provider):
    provider.answers = {"/.well-known/openid-configuration": (500, b"{}")}
    body = assert_problem(browser.ask("GET", "/oidc/login"), 502)
    assert "detail" not in body
    provider.answers = {}
    brought = provider.authorize(begin(browser))
    provider.answers = {"/token": (200, b"not JSON")}
    assert_problem(come_back(browser, brought), 502)
    brought = provider.authorize(begin(browser))
    provider.answers = {"/keys": (200, b'{"keys": [{"kty": "RSA"}]}')}
    assert_problem(come_back(browser, brought), 502)
    assert service.ask("pilot", "GET", "/me").status_code == 200


def test_secrets_of_the_login_stay_out_of_log_and_store(browser, provider, store, caplog):
    caplog.set_level("DEBUG")
    brought = provider.authorize(begin(browser))
    cookie = browser.http.cookies.get("__Host-vedette-login")
    come_back(browser, brought)
    kept = everything(store)
    assert "provider:" in kept
    own = "\n".join(record.getMessage() + str(record.__dict__) for record in caplog.records if "vedette" in record.name)
    for secret in (cookie, _derived(cookie, "verifier"), CLIENT_SECRET, brought["code"], brought["state"]):
        assert secret not in kept
        assert secret not in own
    assert CLIENT_SECRET not in repr(OidcSettings(provider.url, CLIENT_ID, CLIENT_SECRET, ROLES))


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://login.example"},
        {"issuer": "login.example"},
        {"issuer": "https://login.example?a=b"},
        {"client_id": ""},
        {"roles": {}},
        {"roles": {"a": Role.PARTNER}},
        {"algorithms": ("none",)},
        {"algorithms": ("HS256",)},
        {"algorithms": ()},
        {"scopes": ("profile",)},
        {"leeway_s": 301},
        {"timeout_s": 0},
    ],
)
def test_provider_settings_that_cannot_work_are_refused(wrong):
    usual = {"issuer": "https://login.example", "client_id": "c", "roles": ROLES}
    OidcSettings(**usual)
    with pytest.raises(SettingsError):
        OidcSettings(**usual | wrong)


def test_a_provider_needs_the_public_address():
    with pytest.raises(SettingsError, match="public_url"):
        IdentitySettings(oidc=OidcSettings("https://login.example", "c", None, ROLES))
