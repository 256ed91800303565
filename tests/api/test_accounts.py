"""People: accounts, passwords, sessions, and what is tried against them."""

import json
import re
from dataclasses import replace
from http.cookies import SimpleCookie

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from starlette.datastructures import Headers

from api import AuthenticationError, Settings, SettingsError, UnprocessableError, create_app
from api.identity.accounts import find_account
from api.identity.cookies import Cookies
from api.identity.passwords import LONGEST, SHORTEST, Passwords, check_password
from api.identity.roles import GRANTS, Permission, Principal, Role
from api.identity.sessions import csrf_token
from api.identity.settings import Argon2, IdentitySettings, Policy
from api.identity.tables import SessionRow
from tests.api.conftest import ON_SQLITE, InProcess
from tests.api.people import ORIGIN, PASSWORD, Browser, everything, make_account, settled
from tests.api.test_routes import assert_problem

HOUR_US = 3_600_000_000
OTHER = "a lantern under wet slate"


# -- passwords ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    [
        "elevenchars",
        "x" * 129,
        "password1234",
        "P@ssw0rd!2026",
        "passwordpassword",
        "qwertyuiop123",
        "1234567890123",
        "abcdefghijklmnop",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "vedettevedette1",
        "Vedette-Password-1",
        "anna.rossi2026!",
        "AnnaRossi--1234",
        "NogalesNogales1",
        "password        ",
        "".join(chr(ord(letter) + 0xFEE0) for letter in "password1234"),
    ],
)
def test_what_is_easily_guessed_is_no_password(password):
    with pytest.raises(UnprocessableError) as refused:
        check_password(password, context=("anna.rossi", "Anna Rossi", "Nogales"))
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        OTHER,
        "пять цапель на реке",
        "k3!Qz_v9-Lw2",
        "correct horse battery staple",
        "   spaced  words   out  ",
    ],
)
def test_what_is_not_is_one_whatever_it_is_made_of(password):
    check_password(password, context=("anna.rossi", "Anna Rossi"))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=SHORTEST, max_size=LONGEST))
def test_the_rules_answer_any_text(text):
    try:
        check_password(text, context=("anna",))
    except UnprocessableError:
        return
    assert len(set(text)) >= 3  # two signs alone are always repeats


def test_a_password_is_kept_to_the_letter(costly):
    passwords = Passwords(IdentitySettings(argon2=Argon2(2, 19 << 10, 1)))
    kept = passwords.hash("Pâss " + "x" * 120 + "a")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(kept, "Pâss " + "x" * 120 + "a")
    for other in (
        "pâss " + "x" * 120 + "a",
        "Pâss " + "x" * 120 + "b",
        "Pâss " + "x" * 120,
        "Pa\u0302ss " + "x" * 120 + "a",
    ):
        assert not passwords.matches(kept, other)
    assert not passwords.matches(None, "nobody's")
    assert not passwords.matches("not a hash", "not a hash")
    assert not passwords.is_outdated(kept)
    assert Passwords(IdentitySettings()).is_outdated(kept)


@pytest.mark.parametrize("cost", [(1, 64 << 10, 1), (2, 8 << 10, 1), (2, 19 << 10, 0)])
def test_a_cheap_hash_is_refused(cost):
    with pytest.raises(SettingsError, match="too cheap"):
        Argon2(*cost)


# -- the one-time secret -----------------------------------------------------------------------------------------------


def test_the_first_secret_opens_once_and_then_nothing(service):
    secret = service.keys["administrator"]
    browser = Browser.at(service)
    assert_problem(browser.login("administrator", secret), 403)
    assert service.ask("administrator", "GET", "/me").status_code == 200
    assert_problem(browser.login("administrator", secret, "vedette123456"), 422)
    assert browser.login("Administrator", secret, PASSWORD).status_code == 200
    assert browser.ask("GET", "/me").json()["role"] == "administrator"
    assert_problem(service.ask("administrator", "GET", "/me"), 401)  # what stood in the terminal is worth nothing
    assert_problem(Browser.at(service).login("administrator", secret, OTHER), 401)
    assert Browser.at(service).login("administrator").status_code == 200


def test_a_first_key_that_was_revoked_is_no_secret_either(service):
    secret = service.keys["administrator"]
    service.key("second", "administrator")
    (first,) = [key for key in service.ask("second", "GET", "/keys").json() if key["name"] == "first administrator"]
    assert service.ask("second", "DELETE", f"/keys/{first['id']}").status_code == 204
    assert_problem(Browser.at(service).login("administrator", secret, PASSWORD), 401)


@ON_SQLITE
def test_a_new_account_sets_its_password_at_the_first_login(service, identity):
    account_id, secret = make_account(service, "anna")
    browser = Browser.at(service)
    body = assert_problem(browser.login("anna", secret), 403)
    assert body["type"].endswith("password-change")
    assert browser.cookie is None
    assert_problem(browser.login("anna", secret, secret), 422)
    assert browser.login("anna", secret, PASSWORD).status_code == 200
    me = browser.ask("GET", "/me").json()
    assert (me["account_id"], me["key_id"], me["role"], me["name"]) == (account_id, account_id, "analyst", "Anna")
    assert (me["idle_s"], me["has_password"]) == (identity.idle_s, True)
    assert_problem(Browser.at(service).login("anna", secret, OTHER), 401)
    assert_problem(Browser.at(service).login("anna", PASSWORD, OTHER), 422)  # there is nothing to replace


@ON_SQLITE
def test_a_one_time_secret_ends_by_itself(service, clock, identity):
    _, secret = make_account(service, "anna")
    clock.now_us += identity.once_s * 1_000_000
    assert_problem(Browser.at(service).login("anna", secret, PASSWORD), 401)


@ON_SQLITE
def test_a_forgotten_password_is_replaced_by_a_new_secret(service):
    browser = settled(service, "anna")
    account_id = browser.ask("GET", "/me").json()["account_id"]
    renewed = service.ask("administrator", "POST", f"/accounts/{account_id}/secret").json()
    assert_problem(browser.ask("GET", "/me"), 401)
    assert_problem(Browser.at(service).login("anna"), 401)
    assert Browser.at(service).login("anna", renewed["secret"], OTHER).status_code == 200
    assert_problem(service.ask("administrator", "POST", f"/accounts/{'0' * 32}/secret"), 404)


# -- accounts ----------------------------------------------------------------------------------------------------------


@ON_SQLITE
def test_an_account_is_made_by_an_administrator_alone(service):
    for role in ("pilot", "analyst", "supervisor", "auditor", "sensor"):
        body = {"login": "eve", "name": "Eve", "role": "administrator"}
        assert_problem(service.ask(role, "POST", "/accounts", json=body), 403)
    assert [account["login"] for account in service.ask("administrator", "GET", "/accounts").json()] == [
        "administrator"
    ]


@ON_SQLITE
def test_a_wrong_account_is_refused(service):
    make_account(service, "bert")
    for change, status in (
        ({"login": "a"}, 422),
        ({"login": "two words"}, 422),
        ({"login": "<script>"}, 422),
        ({"login": "a:b"}, 422),
        ({"login": "x" * 101}, 422),
        ({"login": "a\r\nSet-Cookie: b"}, 422),
        ({"login": "BERT"}, 409),
        ({"login": "\uff42ert"}, 409),  # a wide b
        ({"role": "partner"}, 422),
        ({"role": "owner"}, 422),
        ({"partner_id": "0" * 32}, 422),
        ({"role": "partner", "partner_id": "0" * 32}, 404),
        ({"password": "x"}, 422),
    ):
        body = {"login": "anna", "name": "Anna", "role": "analyst"} | change
        assert_problem(service.ask("administrator", "POST", "/accounts", json=body), status)
    assert len(service.ask("administrator", "GET", "/accounts").json()) == 2


def test_a_disabled_account_is_out_at_once_and_can_come_back(service):
    browser = settled(service, "anna")
    account_id = browser.ask("GET", "/me").json()["account_id"]
    service.key("annas", "analyst", account_id=account_id)
    assert service.ask("annas", "GET", "/me").json()["account_id"] == account_id
    path = f"/accounts/{account_id}"
    assert service.ask("administrator", "PATCH", path, json={"disabled": True}).json()["disabled"] is not None
    assert_problem(browser.ask("GET", "/me"), 401)
    assert_problem(service.ask("annas", "GET", "/me"), 401)
    refused = Browser.at(service).login("anna")
    assert refused.json() == Browser.at(service).login("nobody").json()  # and it is not said why
    service.ask("administrator", "PATCH", path, json={"disabled": False})
    assert_problem(browser.ask("GET", "/me"), 401)  # the old session does not come back
    assert Browser.at(service).login("anna").status_code == 200
    assert service.ask("annas", "GET", "/me").status_code == 200


def test_a_session_that_was_opened_while_its_account_was_disabled_opens_nothing(service):
    browser = settled(service, "anna")
    with service.store.write() as session:  # as a login does that began just before
        find_account(session, "anna").disabled_us = 1
    assert_problem(browser.ask("GET", "/me"), 401)


def test_when_a_partner_ends_its_people_are_out(service):
    bravo = service.partner("bravo")
    browser = settled(service, "bruno", "partner", partner_id=bravo)
    assert service.ask("administrator", "DELETE", f"/partners/{bravo}").status_code == 204
    assert_problem(browser.ask("GET", "/me"), 401)
    assert_problem(browser.login("bruno"), 401)


def test_another_role_ends_the_sessions_and_the_keys_of_the_old_one(service):
    browser = settled(service, "anna")
    account_id = browser.ask("GET", "/me").json()["account_id"]
    service.key("annas", "analyst", account_id=account_id)
    changed = service.ask("administrator", "PATCH", f"/accounts/{account_id}", json={"role": "supervisor"}).json()
    assert changed["role"] == "supervisor"
    assert_problem(browser.ask("GET", "/me"), 401)
    assert_problem(service.ask("annas", "GET", "/me"), 401)
    browser.login("anna")
    assert browser.ask("GET", "/me").json()["role"] == "supervisor"
    assert_problem(service.ask("administrator", "PATCH", f"/accounts/{account_id}", json={"role": "partner"}), 422)


def test_the_last_administrator_stays(service):
    keys = service.ask("administrator", "GET", "/keys").json()
    (first,) = [key["id"] for key in keys if key["role"] == "administrator"]
    assert_problem(service.ask("administrator", "DELETE", f"/keys/{first}"), 409)
    browser = Browser.at(service)
    browser.login("administrator", service.keys["administrator"], PASSWORD)  # ends the key: the account is the last
    me = f"/accounts/{browser.ask('GET', '/me').json()['account_id']}"
    assert_problem(browser.ask("PATCH", me, json={"disabled": True}), 409)
    assert_problem(browser.ask("PATCH", me, json={"role": "pilot"}), 409)
    assert_problem(browser.ask("POST", f"{me}/secret"), 409)
    narrow = {"name": "n", "role": "administrator", "scopes": ["policy.read"]}
    assert browser.ask("POST", "/keys", json=narrow).status_code == 201
    assert_problem(browser.ask("PATCH", me, json={"disabled": True}), 409)  # such a key lets nobody in
    assert browser.ask("POST", "/keys", json={"name": "n", "role": "administrator"}).status_code == 201
    assert browser.ask("PATCH", me, json={"disabled": True}).status_code == 200


def test_a_partners_people_see_what_the_partner_sees(service, crossing):
    bravo = service.partner("bravo")
    service.agree(bravo)
    hidden, shared = service.deliver(crossing("a")), service.deliver(crossing("b"))
    service.judge(shared)
    service.release(shared, bravo)
    browser = settled(service, "bruno", "partner", partner_id=bravo)
    assert [feature["id"] for feature in browser.ask("GET", "/crossings").json()["features"]] == [shared]
    assert_problem(browser.ask("GET", f"/crossings/{hidden}"), 404)


# -- sessions ----------------------------------------------------------------------------------------------------------


@ON_SQLITE
def test_a_session_ends_when_it_idles_and_when_it_is_old(service, clock, identity):
    browser = settled(service, "anna")
    for _ in range(30):  # used all the time
        clock.now_us += identity.idle_s * 999_000
        last = browser.ask("GET", "/me")
        if last.status_code == 401:
            break
    assert_problem(last, 401)
    assert (
        identity.absolute_s - identity.idle_s
        <= (clock.now_us - _opened_us(service)) / 1e6
        <= identity.absolute_s + 1800
    )
    browser.login("anna")
    clock.now_us += identity.idle_s * 1_000_000
    assert_problem(browser.ask("GET", "/me"), 401)


def _opened_us(service):
    with service.store.read() as session:
        return session.scalar(select(SessionRow.created_us).order_by(SessionRow.created_us))


@ON_SQLITE
def test_logging_out_ends_the_session_and_not_only_the_cookie(service):
    browser = settled(service, "anna")
    cookie = browser.cookie
    answer = browser.ask("POST", "/logout")
    assert answer.status_code == 204
    assert browser.cookie is None
    assert '"storage"' in answer.headers["Clear-Site-Data"]
    assert_problem(service.http.get("/me", headers={"Cookie": f"vedette={cookie}"}), 401)


@ON_SQLITE
def test_a_person_lists_and_ends_their_own_sessions_alone(service):
    anna, elsewhere, eve = settled(service, "anna"), Browser.at(service), settled(service, "eve")
    elsewhere.login("anna")
    found = anna.ask("GET", "/sessions").json()
    assert [entry["current"] for entry in found] == [False, True]
    other, own = (entry["id"] for entry in found)
    assert_problem(eve.ask("DELETE", f"/sessions/{other}"), 404)
    assert elsewhere.ask("GET", "/me").status_code == 200
    assert anna.ask("DELETE", f"/sessions/{other}").status_code == 204
    assert_problem(elsewhere.ask("GET", "/me"), 401)
    assert_problem(anna.ask("DELETE", f"/sessions/{other}"), 404)
    elsewhere.login("anna")
    assert anna.ask("DELETE", "/sessions").status_code == 204
    assert [entry["id"] for entry in anna.ask("GET", "/sessions").json()] == [own]
    assert_problem(elsewhere.ask("GET", "/me"), 401)
    account_id = anna.ask("GET", "/me").json()["account_id"]
    assert service.ask("administrator", "DELETE", f"/accounts/{account_id}/sessions").status_code == 204
    assert_problem(anna.ask("GET", "/me"), 401)
    assert eve.ask("GET", "/me").status_code == 200


@ON_SQLITE
def test_a_new_password_ends_every_other_session_and_the_old_cookie(service):
    anna, elsewhere = settled(service, "anna"), Browser.at(service)
    elsewhere.login("anna")
    before = anna.cookie
    assert_problem(anna.ask("PUT", "/password", json={"password": "wrong one", "new_password": OTHER}), 403)
    assert_problem(anna.ask("PUT", "/password", json={"password": PASSWORD, "new_password": PASSWORD}), 422)
    assert_problem(anna.ask("PUT", "/password", json={"password": PASSWORD, "new_password": "anna12345678"}), 422)
    answer = anna.ask("PUT", "/password", json={"password": PASSWORD, "new_password": OTHER})
    assert answer.status_code == 200
    anna.csrf = answer.json()["csrf"]
    assert anna.cookie != before
    assert anna.ask("GET", "/me").status_code == 200
    assert_problem(elsewhere.ask("GET", "/me"), 401)
    assert_problem(service.http.get("/me", headers={"Cookie": f"vedette={before}"}), 401)
    assert_problem(Browser.at(service).login("anna"), 401)
    assert Browser.at(service).login("anna", OTHER).status_code == 200


@ON_SQLITE
def test_a_session_is_never_one_that_was_brought_along(service):
    """Fixation: a cookie that somebody put there is not the one that the login opens, and opens nothing itself."""
    make_account(service, "anna")
    planted = "A" * 43
    browser = settled(service, "eve")
    browser.http.cookies.set("vedette", planted, domain="vedette.test", path="/")
    browser.http.cookies.set("vedette-device", planted, domain="vedette.test", path="/")
    answer = Browser(browser.http).login("eve")
    given_ = SimpleCookie(answer.headers["set-cookie"].replace(", ", "; "))
    assert given_["vedette"].value != planted
    assert given_["vedette-device"].value != planted
    assert_problem(service.http.get("/me", headers={"Cookie": f"vedette={planted}"}), 401)


@ON_SQLITE
def test_a_login_replaces_the_session_that_the_browser_had(service):
    browser = settled(service, "anna")
    before = browser.cookie
    browser.login("anna")
    assert_problem(service.http.get("/me", headers={"Cookie": f"vedette={before}"}), 401)
    assert len(browser.ask("GET", "/sessions").json()) == 1


@ON_SQLITE
def test_two_cookies_of_one_name_are_none(service):
    cookie = settled(service, "anna").cookie
    for both in (f"vedette={cookie}; vedette={'A' * 43}", f"vedette={cookie}; a=b; vedette={cookie}"):
        assert_problem(service.http.get("/me", headers={"Cookie": both}), 401)


@ON_SQLITE
def test_a_bad_key_does_not_fall_back_on_the_cookie(service):
    browser = settled(service, "anna")
    assert_problem(browser.ask("GET", "/me", headers={"Authorization": "Bearer vdt_wrong"}), 401)
    assert_problem(browser.ask("GET", "/me", headers={"Authorization": ""}), 401)


@given(st.binary(max_size=80))
def test_any_cookie_is_answered(value):
    headers = Headers(raw=[(b"cookie", b"vedette=" + value)])
    try:
        found = Cookies(secure=False).read(headers, "vedette")
    except AuthenticationError:
        return
    assert found is None or re.fullmatch(r"[A-Za-z0-9_-]{43}", found)


@ON_SQLITE
def test_cookies_are_for_this_host_and_no_script(service, store, identity):
    _, secret = make_account(service, "anna")
    proxied = Settings(store.directory, host="0.0.0.0", plain_http_beyond_loopback=True, identity=identity)
    with httpx.Client(transport=InProcess(create_app(proxied, store)), base_url="https://vedette.test") as http:
        body = {"login": "anna", "password": secret, "new_password": PASSWORD}
        answer = http.post("/login", json=body, headers={"Origin": "https://vedette.test"})
        lines = answer.headers.get_list("set-cookie")
        assert [line.partition("=")[0] for line in lines] == ["__Host-vedette", "__Host-vedette-device"]
        for line in lines:
            terms = {term.strip().lower() for term in line.split(";")[1:]}
            assert {"httponly", "secure", "samesite=strict", "path=/"} <= terms
            assert not any(term.startswith("domain") for term in terms)
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        # The name without the prefix, which a page on a sister host could set, is not read.
        value = lines[0].partition("=")[2].partition(";")[0]
        http.cookies.clear()
        assert http.get("/me", headers={"Cookie": f"__Host-vedette={value}"}).status_code == 200
        assert http.get("/me", headers={"Cookie": f"vedette={value}"}).status_code == 401


def test_secrets_are_kept_as_hashes_and_never_logged(service, caplog, store):
    caplog.set_level("DEBUG")
    browser = settled(service, "anna")
    browser.login("anna", "wrong wrong wrong")
    secrets = [PASSWORD, browser.cookie, browser.csrf, browser.http.cookies.get("vedette-device"), "wrong wrong wrong"]
    entries = service.ask("auditor", "GET", "/audit", params={"limit": 1000}).text
    kept = everything(store)
    assert "argon2id" in kept
    for secret in secrets:
        assert secret not in kept
        assert secret not in caplog.text
        assert secret not in entries


# -- pages of other sites ----------------------------------------------------------------------------------------------


@ON_SQLITE
def test_what_another_site_makes_a_browser_send_changes_nothing(service):
    browser, eve = settled(service, "anna"), settled(service, "eve")
    tried = (
        ({}, 403),
        ({"Origin": ORIGIN}, 403),
        ({"X-Vedette-Csrf": "{token}"}, 403),
        ({"X-Vedette-Csrf": "{token}", "Origin": "https://evil.test"}, 403),
        ({"X-Vedette-Csrf": "{token}", "Origin": "null"}, 403),
        ({"X-Vedette-Csrf": "{token}", "Origin": "http://vedette.test.evil.test"}, 403),
        ({"X-Vedette-Csrf": "{token}", "Origin": "https://vedette.test"}, 403),
        ({"X-Vedette-Csrf": "{token}", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-Vedette-Csrf": "{token}", "Sec-Fetch-Site": "same-site", "Origin": ORIGIN}, 403),
        ({"X-Vedette-Csrf": "{token}", "Sec-Fetch-Site": "none"}, 403),
        ({"X-Vedette-Csrf": "{eves}", "Origin": ORIGIN}, 403),
        ({"X-Vedette-Csrf": "é", "Origin": ORIGIN}, 403),
        ({"X-Vedette-Csrf": "", "Origin": ORIGIN}, 403),
        ({"X-Vedette-Csrf": "{token}", "Origin": ORIGIN}, 204),
        ({"X-Vedette-Csrf": "{token}", "Sec-Fetch-Site": "same-origin"}, 204),
    )
    own = browser.ask("GET", "/me").json()["account_id"]
    for headers, status in tried:
        sent = {
            name: value.format(token=browser.csrf, eves=eve.csrf).encode("latin-1") for name, value in headers.items()
        }
        answer = browser.http.request("DELETE", "/sessions", headers=sent)
        assert answer.status_code == status, (headers, answer.text)
        assert answer.headers["X-Vedette-Account"] == own, headers  # refused too: whose cookie it was
        assert browser.ask("GET", "/me").status_code == 200
    entries = service.ask("auditor", "GET", "/audit", params={"limit": 1000}).json()["entries"]
    refusals = [entry["body"] for entry in entries if entry["body"]["action"] == "request.refused"]
    assert [entry["name"] for entry in refusals] == ["Anna"] * 13


@ON_SQLITE
def test_no_method_but_the_safe_ones_goes_without_a_token(service):
    browser = settled(service, "anna")
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND"):
        assert_problem(browser.http.request(method, "/nowhere", headers={"Origin": ORIGIN}), 403)


@ON_SQLITE
def test_nobody_is_logged_in_by_a_page_of_another_site(service):
    settled(service, "eve")
    body = {"login": "eve", "password": PASSWORD}
    for headers in ({"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
        assert_problem(service.http.post("/login", json=body, headers=headers), 403)
    form = {"Content-Type": "text/plain", "Origin": ORIGIN}  # what a form can send, it cannot send as JSON
    assert_problem(service.http.post("/login", content=json.dumps(body), headers=form), 422)


@ON_SQLITE
def test_a_configured_address_is_the_only_origin(store, service, identity):
    _, secret = make_account(service, "anna")
    settings = Settings(store.directory, identity=replace(identity, public_url="https://vedette.example"))
    with httpx.Client(transport=InProcess(create_app(settings, store)), base_url=ORIGIN) as http:
        body = {"login": "anna", "password": secret, "new_password": PASSWORD}
        assert_problem(http.post("/login", json=body, headers={"Origin": ORIGIN}), 403)
        assert http.post("/login", json=body, headers={"Origin": "https://vedette.example"}).status_code == 200


def test_the_token_says_nothing_of_the_secret_and_is_the_sessions_own():
    assert csrf_token("a" * 43) != csrf_token("b" * 43)
    assert re.fullmatch("[0-9a-f]{64}", csrf_token("a" * 43))


@ON_SQLITE
def test_what_a_browser_calls_itself_is_shown_as_plain_text(service):
    browser = settled(service, "anna")
    sent = {"Origin": ORIGIN, "User-Agent": "a\tb\x1b[31m\xe9".encode("latin-1") + b"x" * 500}
    browser.http.post("/login", json={"login": "anna", "password": PASSWORD}, headers=sent)
    (agent,) = [entry["agent"] for entry in browser.ask("GET", "/sessions").json()]
    assert agent == "a?b?[31m?" + "x" * 191


# -- guessing ----------------------------------------------------------------------------------------------------------


@ON_SQLITE
class TestGuessing:
    @pytest.fixture
    def identity(self, identity):
        slow = Policy(3, 1e-6)
        return replace(identity, login_limit=slow, account_limit=slow, stranger_limit=Policy(8, 1e-6))

    def test_guessing_from_elsewhere_ends_and_its_owner_still_comes_in(self, service):
        anna = settled(service, "anna")
        anna.ask("POST", "/logout")
        stranger = Browser.at(service)
        tried = [stranger.login("anna", f"guess number {number}").status_code for number in range(5)]
        assert tried == [401] * 3 + [429] * 2
        assert_problem(stranger.login("anna"), 429)  # the right one does not help who guesses
        assert anna.login("anna").status_code == 200  # from the device where she was before
        tried = [anna.login("anna", f"guess number {number}").status_code for number in range(5)]
        assert tried == [401] * 3 + [429] * 2  # which is no place to guess in either

    def test_many_accounts_are_not_tried_from_one_address(self, service):
        stranger = Browser.at(service)
        tried = [stranger.login(f"nobody{number}", "spring sprang sprung").status_code for number in range(12)]
        assert tried == [401] * 8 + [429] * 4
        assert int(stranger.login("x1", "x").headers["Retry-After"]) > 1

    def test_who_exists_is_not_told(self, service):
        settled(service, "anna")
        anna, nobody = Browser.at(service), Browser.at(service)
        for _ in range(5):
            one, other = anna.login("anna", "a wrong password"), nobody.login("nobody", "a wrong password")
            assert (one.status_code, one.json()) == (other.status_code, other.json())

    def test_nor_by_how_often_the_disk_is_waited_for(self, service):
        settled(service, "anna")
        commits = []
        for login in ("anna", "nobody"):
            heard = []
            service.store.listen(lambda heard=heard: heard.append(1))
            assert Browser.at(service).login(login, "a wrong password").status_code == 401
            commits.append(len(heard))
        assert commits == [1, 1]
        assert service.ask("auditor", "GET", "/audit/verification").json()["intact"] is True

    def test_a_right_password_is_no_failure(self, service):
        settled(service, "anna")
        for _ in range(12):
            assert Browser.at(service).login("anna").status_code == 200

    def test_the_present_password_is_not_guessed_in_an_open_session(self, service):
        anna = settled(service, "anna")
        bodies = [{"password": f"guess {number}", "new_password": OTHER} for number in range(5)]
        assert [anna.ask("PUT", "/password", json=body).status_code for body in bodies] == [403] * 3 + [429] * 2

    def test_refused_logins_are_written_down_for_accounts_that_exist(self, service):
        settled(service, "anna")
        for login in ("anna", "nobody"):
            Browser.at(service).login(login, "a wrong password")
        entries = service.ask("auditor", "GET", "/audit", params={"limit": 1000}).json()["entries"]
        refused = [entry["body"] for entry in entries if entry["body"]["action"] == "session.refuse"]
        assert [entry["actor"] for entry in refused] == ["system"]


@ON_SQLITE
def test_as_much_is_hashed_for_nobody_as_for_somebody(service, monkeypatch):
    settled(service, "anna")
    make_account(service, "bert")  # has no password yet
    disabled = settled(service, "carl").ask("GET", "/me").json()["account_id"]
    service.ask("administrator", "PATCH", f"/accounts/{disabled}", json={"disabled": True})
    Browser.at(service).login("anna", "x")  # hashes nobody's once
    hashed = []
    real = Passwords.matches

    def counted(self, kept, password):
        hashed.append(password)
        return real(self, kept, password)

    monkeypatch.setattr(Passwords, "matches", counted)
    for login in ("anna", "nobody", "bert", "carl", "\U0001f512"):
        Browser.at(service).login(login, "a wrong password")
    assert len(hashed) == 5


@ON_SQLITE
def test_a_costlier_hash_replaces_the_old_one_at_the_next_login(costly, service, store, identity):
    settled(service, "anna")
    settings = Settings(store.directory, identity=replace(identity, argon2=Argon2(3, 20 << 10, 1)))
    with httpx.Client(transport=InProcess(create_app(settings, store)), base_url=ORIGIN) as http:
        assert Browser(http).login("anna").status_code == 200
    with store.read() as session:
        assert "m=20480,t=3" in find_account(session, "anna").password
    assert Browser.at(service).login("anna").status_code == 200


# -- narrowed keys -----------------------------------------------------------------------------------------------------


@ON_SQLITE
def test_a_key_does_no_more_than_its_scopes(service):
    service.key("reader", "analyst", scopes=["crossing.read"])
    assert service.ask("reader", "GET", "/crossings").status_code == 200
    assert service.ask("reader", "GET", "/me").json()["scopes"] == ["crossing.read"]
    assert_problem(service.ask("reader", "GET", "/events"), 403)
    service.key("nothing", "analyst", scopes=[])
    assert_problem(service.ask("nothing", "GET", "/crossings"), 403)
    foreign = {"name": "x", "role": "analyst", "scopes": ["release"]}
    assert_problem(service.ask("administrator", "POST", "/keys", json=foreign), 422)
    assert_problem(service.ask("administrator", "POST", "/keys", json=foreign | {"scopes": ["all"]}), 422)


@given(st.sampled_from(Role), st.sets(st.sampled_from(Permission)), st.sampled_from(Permission))
def test_scopes_only_ever_take_away(role, scopes, permission):
    whole, narrowed = Principal("a", "a", role), Principal("a", "a", role, scopes=frozenset(scopes))
    assert whole.may(permission) == (permission in GRANTS[role])
    if narrowed.may(permission):
        assert whole.may(permission)
        assert permission in scopes | {Permission.SELF}


def test_a_persons_key_is_the_person(service):
    anna = settled(service, "anna")
    account_id = anna.ask("GET", "/me").json()["account_id"]
    service.key("annas", "analyst", account_id=account_id)
    assert service.ask("annas", "GET", "/me").json()["account_id"] == account_id
    assert Principal("k", "n", Role.ANALYST, account_id=account_id).person == account_id
    assert Principal("k", "n", Role.ANALYST).person == "k"
    other = {"name": "x", "role": "supervisor", "account_id": account_id}
    assert_problem(service.ask("administrator", "POST", "/keys", json=other), 422)
    assert_problem(service.ask("administrator", "POST", "/keys", json=other | {"account_id": "0" * 32}), 404)
    assert_problem(service.ask("annas", "GET", "/sessions"), 404)  # a key has none


def test_when_a_key_was_last_used_is_known_to_the_minute(service, clock):
    key_id = service.key("second", "analyst")

    def used():
        return {key["id"]: key["used"] for key in service.ask("administrator", "GET", "/keys").json()}[key_id]

    assert used() is None
    service.ask("second", "GET", "/me")
    first = used()
    assert first is not None
    service.ask("second", "GET", "/me")
    assert used() == first  # not a write for every request
    clock.now_us += 60_000_000
    service.ask("second", "GET", "/me")
    assert used() > first


@pytest.mark.parametrize(
    "wrong",
    [
        {"idle_s": 0},
        {"idle_s": 7200, "absolute_s": 3600},
        {"once_s": 0},
        {"hashing_slots": 0},
        {"public_url": "http://vedette.example"},
        {"public_url": "https://vedette.example/path"},
        {"public_url": "https://user@vedette.example"},
        {"public_url": "https://vedette.example\r\n"},
        {"public_url": "javascript:alert(1)"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(SettingsError):
        IdentitySettings(**wrong)
