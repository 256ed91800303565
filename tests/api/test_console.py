"""How the console's files are served: to anybody, these files alone, and never to be guessed at."""

import gzip

import pytest

from api.console import built
from api.console.settings import ConsoleSettings
from api.errors import SettingsError
from tests.api.conftest import ON_SQLITE


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A console of three files, beside one that is nobody's business."""
    folder = tmp_path / "built"
    folder.mkdir()
    (tmp_path / "secret.js").write_text("secret")
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    (folder / "main-abc12345.js").write_text("console.log('x'.repeat(9))")
    (folder / "main-abc12345.js.gz").write_bytes(gzip.compress(b"console.log('x'.repeat(9))"))
    (folder / "map-abc12345.pmtiles").write_bytes(bytes(range(200)))
    (folder / "notes.txt").write_text("of no type that is served")
    found = built.built_files.__wrapped__(folder)
    monkeypatch.setattr("api.console.endpoints.built_files", lambda: found)
    return folder


def get(service, path, **headers):
    return service.http.get(path, headers={name.replace("_", "-"): text for name, text in headers.items()})


@ON_SQLITE
def test_the_page_asks_again_and_its_files_last(service, files):
    page = get(service, "/")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-cache"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    script = get(service, "/console/main-abc12345.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-security-policy"] == "default-src 'none'; connect-src 'self'"  # of a worker


@ON_SQLITE
def test_files_are_packed_for_who_takes_it(service, files):
    packed = get(service, "/console/main-abc12345.js", accept_encoding="gzip, br")
    plain = get(service, "/console/main-abc12345.js", accept_encoding="identity")
    assert packed.text == plain.text == "console.log('x'.repeat(9))"
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) == (files / "main-abc12345.js.gz").stat().st_size


@ON_SQLITE
@pytest.mark.parametrize("path", ["/", "/console/main-abc12345.js", "/console/map-abc12345.pmtiles"])
def test_who_has_a_file_is_told_so(service, files, path):
    """RFC 9110, 13.1.1 to 13.1.2 and 15.4.5: by tags, in the order that they are to be judged in."""
    whole = get(service, path)
    tag = whole.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', f' "a,b" ,W/{tag},', "*"):
        for more in ({}, {"range": "bytes=0-1"}, {"if_match": tag}):
            answer = get(service, path, if_none_match=known, **more)
            assert (answer.status_code, answer.content) == (304, b""), known
            for name in ("etag", "cache-control", "vary", "content-security-policy"):
                assert answer.headers.get(name) == whole.headers.get(name), name
            assert "content-type" not in answer.headers
    for other in ('"other"', tag.strip('"'), f'"x{tag[1:]}', '"*"', ""):
        assert get(service, path, if_none_match=other).content == whole.content
    assert get(service, path, if_match=tag).content == get(service, path, if_match="*").content == whole.content
    for other in ('"other"', f"W/{tag}"):  # what is to be the same to the byte is not told by a weak tag
        refused = get(service, path, if_match=other, if_none_match=tag)
        assert (refused.status_code, refused.headers["content-type"]) == (412, "application/problem+json")
        assert tag in refused.json()["detail"]
    head = service.http.head(path, headers={"If-None-Match": tag})
    assert (head.status_code, head.headers["etag"]) == (304, tag)


@ON_SQLITE
def test_each_packing_of_a_file_has_its_own_tag(service, files):
    path = "/console/main-abc12345.js"
    packed = get(service, path, accept_encoding="gzip").headers["etag"]
    assert get(service, path, accept_encoding="gzip", if_none_match=packed).status_code == 304
    assert get(service, path, accept_encoding="identity", if_none_match=packed).status_code == 200


@ON_SQLITE
def test_a_range_is_served_and_several_are_the_whole(service, files):
    part = get(service, "/console/map-abc12345.pmtiles", range="bytes=10-19")
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/200"
    several = get(service, "/console/map-abc12345.pmtiles", range="bytes=0-1,5-6,9-9")
    assert (several.status_code, len(several.content)) == (200, 200)  # as RFC 9110 (14.2) allows: the whole
    assert get(service, "/console/map-abc12345.pmtiles", range="bytes=900-").status_code == 416


@pytest.mark.parametrize(
    "name",
    [
        "index.html",  # the page has one address, and its policy with it
        "notes.txt",
        "main-abc12345.js.gz",
        "missing.js",
        "..%2Fsecret.js",
        "%2e%2e/secret.js",
        "..%5Csecret.js",
        "%2Fetc%2Fpasswd",
        "",
    ],
)
@ON_SQLITE
def test_nothing_else_is_served(service, files, name):
    answer = get(service, f"/console/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


@ON_SQLITE
def test_without_a_build_the_page_says_how_to_make_it(service, monkeypatch):
    monkeypatch.setattr("api.console.endpoints.built_files", dict)
    answer = get(service, "/")
    assert answer.status_code == 404
    assert "make console" in answer.json()["detail"]


@ON_SQLITE
def test_the_marking_is_known_before_anybody_is(service):
    told = get(service, "/console/configuration").json()
    assert told["marking"] == ConsoleSettings().marking
    assert told["single_sign_on"] is False


@pytest.mark.parametrize("wrong", [{"marking": " "}, {"marking": "x" * 81}, {"marking_colour": "red"}])
def test_a_marking_that_cannot_be_shown_is_refused(wrong):
    with pytest.raises(SettingsError):
        ConsoleSettings(**wrong)
