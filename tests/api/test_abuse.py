"""What is tried against a service from outside, over real sockets where the parser has a say."""

import gzip
import hashlib
import json
import logging
import secrets
import socket
import ssl
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vision
from api import Settings, TooLargeError, UnprocessableError, create_app, running
from api.ingest import contents
from api.ingest.contents import ContentCheck
from api.server import JsonLines
from api.store.tables import Base
from api.trail.log import INSIDE, read_events
from tests.api.authority import Authority
from tests.api.conftest import ON_SQLITE, InProcess
from tests.api.live import Live, Target, live, status
from tests.api.people import PASSWORD, everything, settled
from tests.api.samples import CLIP, crossing_json
from tests.api.test_routes import assert_problem
from tests.vision.recordings import FPS, T0_US, klv, write_video


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("abuse")) as made:
        yield made


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority):
    return authority.issue("server", server=True)


def talk(served: Live, *pieces: bytes, wait_s: float = 3.0) -> bytes:
    """All that comes back until the service hangs up or says nothing for a while."""
    host, port = served.url.removeprefix("http://").split(":")
    came = b""
    with socket.create_connection((host, int(port)), timeout=wait_s) as peer:
        for number, piece in enumerate(pieces):
            time.sleep(0.2 if number else 0)
            peer.sendall(piece)
        try:
            while piece := peer.recv(65536):
                came += piece
        except (TimeoutError, ConnectionError):
            pass
    return came


def statuses(came: bytes) -> list[int]:
    return [int(line[9:12]) for line in came.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


# -- the shape of messages ---------------------------------------------------------------------------------------------

HIDDEN = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x5\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"X: a\rTransfer-Encoding: chunked\r\n",
        b"X\x00: a\r\n",
    ],
)
def test_a_message_whose_end_can_be_read_in_two_ways_is_refused(served, head):
    came = talk(served, b"POST /login HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n" + HIDDEN)
    assert statuses(came) == [400]


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_of_a_length_and_chunks_the_chunks_count_and_nothing_comes_after_them(served, version):
    """Whoever stands between us may have seen another end: the connection ends with it (RFC 9112, 6.1)."""
    head = b"POST /login HTTP/" + version + b"\r\nHost: a\r\nConnection: keep-alive\r\n"
    both = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    since = time.monotonic()
    came = talk(served, head + both + b"0\r\n\r\n" + HIDDEN, wait_s=60.0)
    assert statuses(came) == [422]
    assert b"\r\nconnection: close\r\n" in came.partition(b"\r\n\r\n")[0].lower() + b"\r\n"
    assert time.monotonic() - since < 30.0  # it was hung up, and did not run out of what may pass between requests


@pytest.mark.parametrize("scheme", [b"http", b"HTTP", b"https"])
def test_a_target_that_is_named_whole_is_served(served, scheme):
    """Every server takes it, as it comes to a proxy (RFC 9112, 3.2.2); the host that it names counts."""
    key = served.keys["analyst"].encode()
    rest = b" HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\nAuthorization: Bearer " + key + b"\r\n\r\n"
    came = talk(served, b"GET " + scheme + b"://there.test:81/crossings?limit=1" + rest)
    assert statuses(came) == [200]
    page = talk(served, b"GET " + scheme + b"://there.test/ogc" + rest)
    assert b"there.test/ogc/collections" in page
    assert b"evil.test" not in page
    assert statuses(talk(served, b"GET " + scheme + b"://there.test" + rest)) == [200]
    assert statuses(talk(served, b"GET " + scheme + b"://there.test/audit" + rest)) == [403]  # by the same rules
    for none in (b"://there.test@evil.test/crossings", b":///crossings", b":/crossings"):
        assert statuses(talk(served, b"GET " + scheme + none + rest)) == [404]


@pytest.mark.parametrize(
    "size", [b"5;a=b\r\nhel\r\n", b"zz\r\nhello\r\n", b"-5\r\nhello\r\n", b"F" * 17 + b"\r\nx\r\n"]
)
def test_a_chunk_that_is_none_is_refused(served, size):
    head = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert 200 not in statuses(talk(served, head + size + b"0\r\n\r\n" + HIDDEN, wait_s=0.5))


@pytest.mark.parametrize(
    "head",
    [b"GET /health HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 200_000, b"GET /" + b"a" * 200_000, b"X: a\r\n" * 40_000],
    ids=["a header", "a path", "no request"],
)
def test_a_head_without_end_is_not_kept(served, head):
    assert statuses(talk(served, head)) in ([400], [])
    assert served.http.get("/health").status_code == 200


def test_of_many_headers_each_counts(served):
    """None is forgotten behind the first hundred, nor stands in for one that comes after it."""
    key = b"Authorization: Bearer " + served.keys["analyst"].encode() + b"\r\n"
    start, many = b"GET /me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", b"X: a\r\n" * 2000

    def asked(*headers: bytes) -> list[int]:
        return statuses(talk(served, start + b"".join(headers) + b"\r\n"))

    assert asked(many) == [401]
    assert asked(many, key) == asked(key, many) == [200]
    assert asked(key, many, b"Authorization: Bearer none\r\n") == [401]
    assert asked(b"Content-Length: 5\r\n", key, many, b"Content-Length: 6\r\n") == [400]


def test_no_method_echoes_what_was_sent(served):
    for method in ("TRACE", "TRACK", "CONNECT", "OPTIONS"):
        answer = served.ask("analyst", method, "/crossings", headers={"X-Secret": "hush"})
        assert answer.status_code in {404, 405}
        assert "hush" not in answer.text + str(answer.headers)


def test_head_leaves_the_connection_to_the_next_request(served):
    """No byte of a body, were it of a stream that never ends: the next answer would be read from it."""
    key = served.keys["analyst"]
    for path in ("/crossings", "/events/stream", "/vehicles/stream", "/nowhere", "/logout"):
        head = f"HEAD {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        came = talk(served, head + HIDDEN, wait_s=20.0)
        first, _, rest = came.partition(b"\r\n\r\n")
        assert len(statuses(came)) == 2, came
        assert rest.startswith(b"HTTP/1.1 200"), (path, first, rest)


def test_every_method_of_an_address_is_named_where_another_is_refused(served):
    for path, methods in (("/crossings", "GET, HEAD, POST"), ("/logout", "POST"), ("/me", "GET, HEAD")):
        answer = served.ask("analyst", "PATCH", path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, methods)
        assert "header Allow" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/crossings/", "/Crossings", "/api/v1/crossings"])
def test_an_address_that_is_none_is_told_where_those_are_that_are_served(served, path):
    assert "/openapi.json" in assert_problem(served.ask("analyst", "GET", path), 404)["detail"]


def test_no_header_of_a_proxy_changes_who_or_where_one_is(served):
    lies = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Host": "evil.test", "X-Original-URL": "/audit", "X-User": "a"}
    answer = served.ask("analyst", "GET", "/me", headers=lies)
    assert answer.json()["name"] == "analyst"
    assert "evil.test" not in answer.text + str(answer.headers)
    assert served.http.get("/me", headers=lies).status_code == 401


@ON_SQLITE
@pytest.mark.parametrize(
    ("public_url", "plain", "base"),
    [
        ("https://vedette.example", False, "https://vedette.example"),
        (None, True, "https://inside.test"),
        (None, False, "http://inside.test"),
    ],
)
def test_no_link_leads_out_of_tls(store, service, identity, public_url, plain, base):
    """A proxy speaks plain HTTP with us; whoever followed a link to that would send the key in the clear."""
    made = Settings(
        store.directory, identity=replace(identity, public_url=public_url), plain_http_beyond_loopback=plain
    )
    key = {"Authorization": f"Bearer {service.keys['analyst']}"}
    with httpx.Client(transport=InProcess(create_app(made, store)), base_url="http://inside.test") as http:
        landing = http.get("/ogc", headers=key).json()
        items = http.get("/ogc/collections/crossings/items", headers=key)
        described = http.get("/asyncapi.json", headers=key).json()["servers"]["service"]
    assert items.status_code == 200
    links = [link["href"] for link in (*landing["links"], *items.json()["links"])]
    assert len(links) > 5
    assert all(link.startswith(f"{base}/ogc") for link in links), links
    assert f"{described['protocol']}://{described['host']}" == base


def test_a_parameter_that_comes_twice_is_no_way_round_its_check(served):
    for query in ("limit=1&limit=5000", "bbox=0,0,1,1&bbox=x"):
        assert served.ask("analyst", "GET", f"/crossings?{query}").status_code == 400


# -- slow ones ---------------------------------------------------------------------------------------------------------


def test_who_never_ends_the_head_is_hung_up_on(served, monkeypatch):
    monkeypatch.setattr("api.prompt.HEAD_S", 0.3)
    for sent in (b"", b"GET /health HTTP/1.1\r\nHost:"):
        since = time.monotonic()
        assert talk(served, sent, wait_s=60.0) == b""
        assert 0.2 < time.monotonic() - since < 30.0
    first = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    since = time.monotonic()
    assert statuses(talk(served, first, b"GET /he", wait_s=60.0)) == [200]  # a later head on the same connection
    assert time.monotonic() - since < 30.0


def test_who_never_ends_the_body_is_told_and_hung_up_on(served, monkeypatch):
    monkeypatch.setattr("api.prompt.BODY_S", 0.3)
    crossing_id = served.deliver("slow", evidence=crossing_json()["evidence"])
    key = served.keys["pilot"].encode()
    for method, path, media in (
        (b"POST", b"/crossings", b"application/json"),
        (b"PUT", f"/crossings/{crossing_id}/evidence/clip".encode(), b"video/mp2t"),
    ):
        head = method + b" " + path + b" HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + key
        head += b"\r\nContent-Type: " + media + b"\r\nContent-Length: 1000\r\n\r\n{"
        since = time.monotonic()
        assert statuses(talk(served, head, wait_s=60.0)) == [408]
        assert time.monotonic() - since < 30.0
    assert list(served.store.objects.folder.rglob("*.tmp")) == []


def test_who_holds_many_connections_does_not_hold_up_others(served):
    host, port = served.url.removeprefix("http://").split(":")
    held = [socket.create_connection((host, int(port))) for _ in range(200)]
    try:
        for peer in held:
            peer.sendall(b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{")
        since = time.monotonic()
        assert served.ask("analyst", "GET", "/me").status_code == 200
        assert time.monotonic() - since < 30.0
    finally:
        for peer in held:
            peer.close()


# -- what unfolds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)], ids=["gzip", "deflate"]
)
def test_a_packed_body_is_never_unpacked(served, encoding, pack):
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    bomb = pack(b" " * (64 << 20) + json.dumps(crossing_json()).encode())
    assert len(bomb) < 1 << 17
    crossing = served.deliver("packed", evidence=crossing_json()["evidence"])
    evidence = f"/crossings/{crossing}/evidence/clip"
    taken = (("POST", "/crossings"), ("POST", "/crossings/bulk"), ("PUT", evidence), ("PUT", "/streams/a/picture"))
    for method, path in taken:
        body = assert_problem(served.ask("pilot", method, path, content=bomb, headers=headers), 422)
        assert f"Content-Encoding is '{encoding}': send it as it is" in body["detail"], path
    assert served.ask("analyst", "GET", evidence).status_code == 404


@pytest.mark.parametrize("content", [b"[" * 400_000, b'{"a":' * 100_000, b'{"lat":' + b"9" * 400_000 + b"}"])
def test_deep_and_huge_json_is_refused(served, content):
    headers = {"Content-Type": "application/json"}
    assert_problem(served.ask("pilot", "POST", "/crossings", content=content, headers=headers), 422)


@pytest.mark.parametrize("media", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_json_that_is_not_called_so_is_told_how_to_be_sent(served, media):
    """As `curl --data` sends it."""
    content = json.dumps(crossing_json()).encode()
    body = assert_problem(
        served.ask("pilot", "POST", "/crossings", content=content, headers={"Content-Type": media}), 422
    )
    assert "Content-Type: application/json" in body["detail"]


@pytest.mark.parametrize("media", ["application/xml", "application/vnd.google-earth.kml+xml", "application/zip"])
def test_no_route_takes_xml_or_an_archive(served, media):
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    for path in ("/crossings", "/segments", "/plans"):
        assert_problem(served.ask("pilot", "POST", path, content=bomb, headers={"Content-Type": media}), 422)


# -- evidence is what its name says ------------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (640).to_bytes(4) + (480).to_bytes(4) + b"\x08\x02\x00\x00\x00rest"
RIGHT = {
    "a.ts": CLIP,
    "a.mp4": b"\x00\x00\x00\x20ftypisom" + b"\x00" * 100,
    "a.mkv": b"\x1a\x45\xdf\xa3" + b"\x00" * 100,
    "a.jpg": b"\xff\xd8\xff\xe0" + b"\x00" * 100,
    "a.png": PNG,
    "a.webp": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    "a.json": b'{"a": [1.5, null, "\xc3\xa9"]}',
    "a.klv": b"\x06\x0e\x2b\x34\x02\x0b\x01\x01",
}


def check(name: str, content: bytes, part: str = "other", step: int = 7) -> None:
    looked = ContentCheck(part, name)
    for start in range(0, len(content), step):
        looked.take(content[start : start + step])
    looked.finish()


@pytest.mark.parametrize("name", RIGHT)
def test_a_file_that_looks_right_is_taken_and_one_of_another_format_is_not(name):
    check(name, RIGHT[name])
    check(name.upper().replace("A.", "a."), RIGHT[name])
    foreign = [content for other, content in RIGHT.items() if other != name]
    for content in (*foreign, b"", b"MZ\x90\x00" * 100, b"<html><script>alert(1)</script></html>", RIGHT[name][1:]):
        with pytest.raises(UnprocessableError, match="send what its name says"):
            check(name, content)


def test_what_vision_writes_is_taken(tmp_path):
    def at(number: int) -> int:
        return T0_US + number * 1_000_000 // FPS

    video = write_video(tmp_path / "flight.ts", 40, telemetry=lambda number: klv(at(number)))
    made = vision.write_evidence(
        tmp_path / "one", video, at(10), at(20), pictures={"crossing": at(12)}, overlay=vision.track_overlay([]),
        key=Ed25519PrivateKey.generate(),
    )  # fmt: skip
    parts = {"clip": made.ref.clip, "manifest": made.ref.manifest} | {name: name for name in made.ref.others}
    assert {name.rpartition(".")[2] for name in parts.values()} == {"mp4", "json", "klv", "png", "sig"}
    for part, name in parts.items():
        check(name, (made.folder / name).read_bytes(), part, 1000)
    check("flight.ts", video.read_bytes(), "clip", 1000)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(sorted(RIGHT)), content=st.binary(max_size=700), step=st.integers(1, 600))
def test_any_bytes_are_judged_and_however_they_are_cut(name, content, step):
    def judged(size: int) -> str:
        try:
            check(name, content, step=size)
        except UnprocessableError as error:
            return str(error)
        return "taken"

    assert judged(step) == judged(1000)


@pytest.mark.parametrize(
    "content", [b"{", b"", b"NaN", b'{"a": Infinity}', b"\xff\xfe{\x00}\x00", b"[" * 100_000, b"{} {}", b'{"a":"\xff"}']
)
def test_what_is_no_json_is_no_manifest(content):
    with pytest.raises(UnprocessableError, match="no JSON"):
        check("a.json", content, "manifest", 1000)


def test_json_is_bounded_before_it_is_whole(monkeypatch):
    monkeypatch.setattr(contents, "LARGEST_JSON", 100)
    looked = ContentCheck("manifest", "a.json")
    looked.take(b" " * 100)
    with pytest.raises(TooLargeError):
        looked.take(b"1")


@pytest.mark.parametrize(("width", "height"), [(0, 480), (640, 0), (1 << 16, 1 << 16), (2**31 - 1, 2**31 - 1)])
def test_a_picture_that_unfolds_to_more_than_can_be_held_is_refused(width, height):
    with pytest.raises(UnprocessableError, match="pixels"):
        check("a.png", PNG[:16] + width.to_bytes(4) + height.to_bytes(4) + PNG[24:])


@pytest.mark.parametrize(
    ("part", "name"),
    [("clip", "a.json"), ("clip", "a.exe"), ("manifest", "a.png"), ("thumbnail", "a.ts"), ("thumbnail", "a.svg"),
     ("x.html", "x.html"), ("x", "x"), ("x.zip", "x.zip"), ("a.png.js", "a.png.js")],
)  # fmt: skip
def test_a_part_has_no_ending_that_is_not_its_own(part, name):
    with pytest.raises(UnprocessableError, match="no ending"):
        ContentCheck(part, name)


@ON_SQLITE
def test_evidence_of_another_format_is_refused_and_leaves_nothing(service, crossing):
    page = b"<html><script>alert(1)</script></html>"
    names = {"manifest": "a.json", "clip": "a.mp4", "sha256": hashlib.sha256(page).hexdigest(), "thumbnail": "a.png"}
    crossing_id = service.deliver(crossing(evidence=names | {"others": ["page.html"]}))
    for part in ("clip", "thumbnail", "manifest", "page.html"):
        body = assert_problem(
            service.ask("pilot", "PUT", f"/crossings/{crossing_id}/evidence/{part}", content=page), 422
        )
        assert "name says" in body["detail"] or "no ending" in body["detail"]
    assert list(service.store.objects.folder.rglob("*")) == []
    assert service.ask("analyst", "GET", f"/crossings/{crossing_id}").json()["properties"]["stored"] == {}


# -- names, paths and headers ------------------------------------------------------------------------------------------


@ON_SQLITE
@pytest.mark.parametrize(
    "name",
    ["a\r\nSet-Cookie: x=y.ts", 'a".ts', "a;b.ts", "../a.ts", "a/b.ts", "a\\b.ts", "\x00.ts", ".ts", "é.ts", "a.ts\n"],
)
def test_a_file_name_cannot_leave_its_folder_or_its_header(service, crossing, name):
    names = {"manifest": "a.json", "clip": name, "sha256": "0" * 64, "thumbnail": None}
    assert_problem(service.ask("pilot", "POST", "/crossings", json=crossing(evidence=names)), 422)
    others = {"manifest": "a.json", "clip": "a.ts", "sha256": "0" * 64, "thumbnail": None, "others": [name]}
    assert_problem(service.ask("pilot", "POST", "/crossings", json=crossing(evidence=others)), 422)


def test_evidence_is_saved_and_never_shown_in_place(served):
    crossing_id = served.deliver("saved", evidence=crossing_json()["evidence"])
    served.must("pilot", "PUT", f"/crossings/{crossing_id}/evidence/clip", content=CLIP)
    headers = served.ask("analyst", "GET", f"/crossings/{crossing_id}/evidence/clip").headers
    assert headers["Content-Disposition"] == 'attachment; filename="a.ts"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    ["/../../../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
     "/crossings/..%2f..%2fvedette.sqlite", "/crossings/{id}/evidence/..%2f..%2fvedette.sqlite",
     "/crossings/{id}/evidence/%2fetc%2fpasswd", "/crossings/{id}/evidence/a.ts%00.png", "/.git/config"],
)  # fmt: skip
def test_no_path_leads_out_of_the_routes(served, path):
    crossing_id = served.deliver("path", evidence=crossing_json()["evidence"])
    line = f"GET {path.format(id=crossing_id)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    came = talk(served, f"{line}Authorization: Bearer {served.keys['analyst']}\r\n\r\n".encode())
    assert statuses(came) == [404]
    assert b"root:" not in came
    assert b"SQLite" not in came


@pytest.mark.parametrize("text", ["a\r\nSet-Cookie: x=y", "a\nb", "%0d%0aSet-Cookie:%20x=y", "a\u2028b"])
def test_no_text_becomes_a_header(served, text):
    for path, query in (("/crossings", {"source": text}), ("/crossings", {"cursor": text}), ("/nowhere", {"x": text})):
        answer = served.ask("analyst", "GET", path, params=query)
        assert "set-cookie" not in answer.headers
        assert "\n" not in "".join(answer.headers.values())
    made = served.ask("administrator", "POST", "/keys", json={"name": text, "role": "pilot"})
    assert "set-cookie" not in made.headers


def test_no_text_becomes_a_line_of_the_log():
    forged = '{"level": "info"}'
    record = logging.LogRecord("vedette.api", logging.INFO, "", 0, f"a\n{forged}", (), None)
    record.fields = {"path": f"/a\r\n{forged}\u2028"}
    line = JsonLines().format(record)
    assert line.count("\n") == 0
    assert "\r" not in line
    assert json.loads(line)["path"] == f"/a\r\n{forged}\u2028"


@ON_SQLITE
def test_pages_of_others_cannot_bend_what_an_answer_loads(service):
    for who, path in ((None, "/health"), (None, "/"), ("analyst", "/crossings"), ("analyst", "/nowhere")):
        policy = service.ask(who, "GET", path).headers["Content-Security-Policy"]
        assert {"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} <= {
            term.strip() for term in policy.split(";")
        }


@ON_SQLITE
def test_no_origin_is_allowed_to_read(service):
    for method, path in (("GET", "/crossings"), ("OPTIONS", "/crossings"), ("GET", "/health"), ("POST", "/login")):
        headers = {"Origin": "https://evil.test", "Access-Control-Request-Method": "GET"}
        answer = service.ask("analyst", method, path, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@ON_SQLITE
def test_a_logout_tells_the_browser_to_forget(service):
    browser = settled(service, "anna")
    answer = browser.ask("POST", "/logout")
    assert answer.status_code == 204
    assert {'"cache"', '"storage"'} <= set(answer.headers["Clear-Site-Data"].split(", "))
    assert browser.cookie is None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_not_spoken(tmp_path, authority, server):
    made = Settings(tmp_path / "store", port=0, tls_certificate=server.certificate, tls_key=server.key)
    with running(made) as service:
        port = int(service.url.rsplit(":", 1)[1])
        for newest, version in (
            (ssl.TLSVersion.TLSv1_1, None),
            (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
            (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
        ):
            context = ssl.create_default_context(cafile=authority.certificate)
            context.set_ciphers("DEFAULT@SECLEVEL=0")  # so that it is not we who refuse the old ones
            context.minimum_version = min(newest, ssl.TLSVersion.TLSv1_2) if version else ssl.TLSVersion.TLSv1
            context.maximum_version = newest
            with socket.create_connection(("127.0.0.1", port), 5.0) as plain:
                if version is None:
                    with pytest.raises(ssl.SSLError):
                        context.wrap_socket(plain, server_hostname="127.0.0.1")
                    continue
                with context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
                    assert wrapped.version() == version
                    assert wrapped.cipher()[2] >= 128


# -- secrets -----------------------------------------------------------------------------------------------------------


class Heard(logging.Handler):
    """Every record of every logger, whole, and as the service writes it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [JsonLines().format(record), str(record.args)]


def told(answers: list[httpx.Response]) -> str:
    return "\n".join(f"{answer.text} {answer.headers}" for answer in answers)


def test_no_secret_is_in_a_log_an_error_the_audit_or_an_event(served, monkeypatch):  # noqa: PLR0915 - one story of every secret
    """Keys, passwords, one-time secrets, cookies and webhook secrets, where all goes well and where it fails."""
    heard = Heard()
    for own in ("vedette.api", "uvicorn"):  # a service that ran in this process before kept its log to itself
        monkeypatch.setattr(logging.getLogger(own), "propagate", True)
    root = logging.getLogger()
    root.addHandler(heard)
    before = root.level
    root.setLevel(logging.INFO)  # below it, libraries write the very bytes of a connection: see docs/security.md
    target = Target()
    try:
        made, answers = {}, []
        who = f"anna-{secrets.token_hex(3)}"
        answer = served.must(
            "administrator", "POST", "/accounts", json={"login": who, "name": "Anna", "role": "analyst"}
        )
        made["one-time secret"] = answer["secret"]
        made["password"], made["wrong password"] = PASSWORD, "forty wrong herons wade"
        with httpx.Client(base_url=served.url, timeout=60, verify=False) as http:
            origin = {"Origin": served.url}
            wrong = {"login": who, "password": made["wrong password"]}
            answers.append(http.post("/login", json=wrong, headers=origin))
            first = {"login": who, "password": made["one-time secret"]}
            answers.append(http.post("/login", json=first, headers=origin))  # it must be replaced
            answers.append(http.post("/login", json=first | {"new_password": "short"}, headers=origin))
            answers.append(http.post("/login", content=json.dumps(first)[:-1], headers=origin))
            entered = http.post("/login", json=first | {"new_password": PASSWORD}, headers=origin)
            assert entered.status_code == 200
            made["session cookie"], made["device cookie"] = http.cookies["vedette"], http.cookies["vedette-device"]
            made["token"] = entered.json()["csrf"]
            token = {"X-Vedette-Csrf": made["token"]}
            answers.append(http.delete("/sessions", headers=token | {"Origin": "http://evil.test"}))
            answers.append(http.put("/password", json=wrong, headers=token | origin))
            answers.append(http.post("/logout", headers=token | origin))
            answers.append(http.get("/me", headers={"Cookie": f"vedette={made['session cookie']}"}))
        served.key("leaky", "pilot")
        made["key"] = served.keys["leaky"]
        answers += [served.ask("leaky", "GET", "/me"), served.ask("leaky", "GET", "/audit")]
        answers.append(served.ask("leaky", "POST", "/crossings", content=b"{", headers={"Content-Type": "a/b"}))
        served.revoke("leaky")
        answers.append(served.ask("leaky", "GET", "/me"))
        bravo = served.partner("hooked")
        hook = served.must("hooked", "POST", "/webhooks", json={"url": target.url})
        made["webhook secret"] = hook["secret"].removeprefix("whsec_")
        target.script = [status(500), None]
        served.released(bravo, "told")
        target.wait(3)
        answers += [served.ask("hooked", "GET", path) for path in ("/webhooks", f"/webhooks/{hook['id']}/deliveries")]
        with served.store.read() as session:
            events = repr(list(read_events(session, after=0, limit=1000, audience=INSIDE)))
            audit = repr([tuple(row) for row in session.execute(Base.metadata.tables["audit"].select())])
    finally:
        root.removeHandler(heard)
        root.setLevel(before)
        target.close()
    places = {"a log line": "\n".join(heard.lines), "an error": told(answers), "the audit": audit, "an event": events}
    assert "request" in places["a log line"]
    assert "request.refused" in audit
    assert {400, 401, 403, 422} & {answer.status_code for answer in answers}
    for name, secret in made.items():
        assert len(secret) >= 20
        for place, text in places.items():
            assert secret not in text, f"{name} stands in {place}"
    kept = everything(served.store)
    for name in made.keys() - {"webhook secret"}:  # which signs, and so must be there
        assert made[name] not in kept, f"{name} stands in the database"
