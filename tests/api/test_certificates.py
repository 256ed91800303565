"""Keys that are bound to a client certificate, over TLS that is real."""

import ssl

import httpx
import pytest

from api import Settings, SettingsError, running
from api.identity.certificates import PeerCertificate, peer_certificate
from api.identity.settings import IdentitySettings
from api.trail.audit import read_audit
from tests.api.authority import Authority
from tests.api.test_routes import assert_problem


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority):
    return authority.issue("server", server=True)


@pytest.fixture(scope="module")
def bravo(authority):
    return authority.issue("bravo")


def settings_of(folder, server, authority, **identity):
    return Settings(
        folder / "store",
        port=0,
        tls_certificate=server.certificate,
        tls_key=server.key,
        tls_client_ca=authority.certificate,
        identity=IdentitySettings(**identity),
    )


def ask(service, context, key, path="/me", **headers):
    with httpx.Client(verify=context, trust_env=False, timeout=60) as http:
        return http.get(f"{service.url}{path}", headers={"Authorization": f"Bearer {key}", **headers})


def issue(service, context, admin, **terms):
    with httpx.Client(verify=context, trust_env=False, timeout=60) as http:
        headers = {"Authorization": f"Bearer {admin}"}
        partner = http.post(f"{service.url}/partners", json={"name": "bravo"}, headers=headers)
        partner_id = partner.json().get("id") or http.get(f"{service.url}/partners", headers=headers).json()[0]["id"]
        body = {"name": "bravo", "role": "partner", "partner_id": partner_id, **terms}
        answer = http.post(f"{service.url}/keys", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()


def test_a_bound_key_works_with_its_certificate_alone(tmp_path, authority, server, bravo, caplog):
    stranger, none = authority.issue("stranger"), ssl.create_default_context(cafile=authority.certificate)
    with running(settings_of(tmp_path, server, authority)) as service:
        admin = service.admin.key
        spelt = ":".join(bravo.thumbprint[at : at + 2] for at in range(0, 64, 2)).upper()  # as openssl writes it
        issued = issue(service, none, admin, certificate=spelt)
        key = issued["key"]
        answer = ask(service, bravo.context(authority.certificate), key)
        assert answer.status_code == 200
        assert answer.json()["role"] == "partner"
        lies = {  # what proxies write: nobody reads it
            "X-Client-Cert-Sha256": bravo.thumbprint,
            "X-SSL-Client-Cert": bravo.certificate.read_text().replace("\n", "%0A"),
            "Client-Cert": f":{bravo.thumbprint}:",
            "X-Forwarded-Client-Cert": f"Hash={bravo.thumbprint}",
        }
        for context in (none, stranger.context(authority.certificate)):
            assert_problem(ask(service, context, key), 401)
            assert_problem(ask(service, context, key, **lies), 401)
            # Nor is it shown a page that is ready for who has the certificate.
            for _ in range(2):
                assert ask(service, bravo.context(authority.certificate), key, "/crossings").status_code == 200
            assert_problem(ask(service, context, key, "/crossings"), 401)
        # A stolen key shows in the audit, under the key's name and nobody's hand.
        with service.store.read() as session:
            entries = [entry.body for entry in read_audit(session, after=0, limit=1000)]
        refusals = [entry for entry in entries if entry["action"] == "request.refused"]
        assert [(entry["actor"], entry["detail"]["key"]) for entry in refusals] == [("system", issued["id"])] * 6
        # A key that is bound to nothing works from either.
        free = issue(service, none, admin)["key"]
        assert ask(service, none, free).status_code == 200
        assert ask(service, stranger.context(authority.certificate), free).status_code == 200
        assert key not in caplog.text


def test_a_certificate_that_does_not_hold_gets_no_connection(tmp_path, authority, server):
    (tmp_path / "other").mkdir()
    forged = Authority(tmp_path / "other").issue("bravo")  # the same names, another hand
    late = authority.issue("late", begins_days=-10, ends_days=-1)
    early = authority.issue("early", begins_days=1)
    wrong = authority.issue("wrong purpose", server=True)
    with running(settings_of(tmp_path, server, authority)) as service:
        for bad in (forged, late, early, wrong):
            with pytest.raises((httpx.HTTPError, ssl.SSLError)):
                ask(service, bad.context(authority.certificate), service.admin.key)
        assert ask(service, ssl.create_default_context(cafile=authority.certificate), service.admin.key).is_success


def test_partners_keys_may_have_to_be_bound(tmp_path, authority, server, bravo):
    none = ssl.create_default_context(cafile=authority.certificate)
    with running(settings_of(tmp_path, server, authority)) as service:
        admin = service.admin.key
        free, bound = (
            issue(service, none, admin)["key"],
            issue(service, none, admin, certificate=bravo.thumbprint)["key"],
        )
    strict = settings_of(tmp_path, server, authority, partner_keys_need_certificate=True)
    with running(strict) as service:
        assert_problem(ask(service, bravo.context(authority.certificate), free), 401)
        assert ask(service, bravo.context(authority.certificate), bound).status_code == 200
        assert ask(service, none, admin).status_code == 200


def test_without_client_certificates_a_bound_key_works_nowhere(service, bravo):
    service.ask("administrator", "POST", "/partners", json={"name": "bravo"})
    service.key("bound", "analyst", certificate=bravo.thumbprint)
    assert_problem(service.ask("bound", "GET", "/me"), 401)


def test_a_certificate_that_ends_while_the_connection_lasts_ends_with_it():
    state = {"peer_certificate": PeerCertificate("a" * 64, 1000)}
    assert peer_certificate(state, 999) == "a" * 64
    assert peer_certificate(state, 1000) is None
    assert peer_certificate({"peer_certificate": "a" * 64}, 0) is None
    assert peer_certificate({}, 0) is None


def test_what_is_no_thumbprint_is_refused(service):
    for thumbprint in ("", "a" * 63, "g" * 64, "a" * 65, "AA:" * 31 + "A", 7):
        body = {"name": "n", "role": "analyst", "certificate": thumbprint}
        assert_problem(service.ask("administrator", "POST", "/keys", json=body), 422)


def test_tls_files_are_tried_before_anything_is_opened(tmp_path, authority, server, bravo):
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    with pytest.raises(SettingsError, match="tls_client_ca"):
        Settings(tmp_path / "store", tls_client_ca=authority.certificate)
    for certificate, key, clients, named in (
        (tmp_path / "none.pem", server.key, authority.certificate, "none.pem"),
        (empty, server.key, authority.certificate, "empty.pem"),
        (server.certificate, bravo.key, authority.certificate, "server.pem"),
        (server.certificate, server.key, empty, "empty.pem"),
        (server.certificate, server.key, tmp_path / "none.pem", "none.pem"),
    ):
        settings = Settings(tmp_path / "store", port=0, tls_certificate=certificate, tls_key=key, tls_client_ca=clients)
        with pytest.raises(SettingsError, match=named), running(settings):
            pass
    assert not (tmp_path / "store").exists()
