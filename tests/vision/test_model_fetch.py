"""Models over real sockets: whole and right, or nothing."""

import contextlib
import datetime as dt
import hashlib
import ipaddress
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from geo import FileWriteError
from tests.full_disk import full_after
from tests.vision.tiny_models import ANSWER, tiny_model
from vision import FetchLimits, ModelError, fetch_model, read_model_file
from vision.model_fetch import _check


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The bytes of a model, and their hash."""
    data = tiny_model(tmp_path_factory.mktemp("model") / "m.onnx", ANSWER).read_bytes()
    return data, hashlib.sha256(data).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers by the first part of the path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        name, _, rest = self.path.strip("/").partition("/")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the fetcher has had enough
            getattr(self, f"do_{name}", self.do_missing)(rest)

    def head(self, status=200, **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), str(value))
        self.end_headers()

    def do_missing(self, _):
        self.head(404, Content_Length=0)

    def do_whole(self, _):
        self.head(Content_Length=len(self.server.data))
        self.wfile.write(self.server.data)

    def do_unsaid(self, _):
        """Its end is that of the connection."""
        self.close_connection = True
        self.head()
        self.wfile.write(self.server.data)

    def do_cut(self, _):
        """Breaks off, though the length was told."""
        self.close_connection = True
        self.head(Content_Length=len(self.server.data))
        self.wfile.write(self.server.data[:-50])

    def do_cutunsaid(self, _):
        self.close_connection = True
        self.head()
        self.wfile.write(self.server.data[:-50])

    def do_changed(self, _):
        data = bytearray(self.server.data)
        data[len(data) // 2] ^= 1
        self.head(Content_Length=len(data))
        self.wfile.write(data)

    def do_endless(self, _):
        self.close_connection = True
        self.head()
        while True:
            self.wfile.write(b"x" * 4096)

    def do_boast(self, _):
        self.close_connection = True
        self.head(Content_Length=10**12)
        self.wfile.write(b"x")

    def do_drip(self, _):
        """A byte now and then: never silent for long, and never at an end."""
        self.head(Content_Length=len(self.server.data))
        for byte in self.server.data:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.02)

    def do_silent(self, _):
        self.head(Content_Length=len(self.server.data))
        self.wfile.flush()
        self.server.stop.wait(20)

    def do_to(self, rest):
        self.head(302, Location="/" + rest, Content_Length=0)

    def do_away(self, _):
        self.head(301, Location=self.server.away, Content_Length=0)

    def do_round(self, _):
        self.head(307, Location=self.path, Content_Length=0)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(data, context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.data, server.asked, server.stop, server.away = data, [], threading.Event(), ""
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server, f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server(model):
    with serving(model[0]) as (running, url):
        running.url = url
        yield running


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("path", ["whole/m.onnx", "unsaid/m.onnx", "to/to/whole/m.onnx"])
def test_what_was_asked_for_is_kept(server, model, tmp_path, path):
    steps = []
    out = fetch_model(
        f"{server.url}/{path}", sha256=model[1].upper(), folder=tmp_path, progress=lambda *told: steps.append(told)
    )
    assert out == tmp_path / "m.onnx"
    assert out.read_bytes() == model[0]
    assert files(tmp_path) == [out]
    assert read_model_file(out).sha256 == model[1]
    assert steps[-1] == (len(model[0]), None if path.startswith("unsaid") else len(model[0]))
    # It is there now: nothing is asked again.
    before = len(server.asked)
    assert fetch_model(f"{server.url}/{path}", sha256=model[1], folder=tmp_path) == out
    assert len(server.asked) == before


BAD = {
    "cut/m.onnx": "cannot be fetched",
    "cutunsaid/m.onnx": "not what was asked for, and was not kept",
    "changed/m.onnx": "not what was asked for, and was not kept",
    "endless/m.onnx": r"is larger than \d+ bytes",
    "boast/m.onnx": r"is larger than \d+ bytes",
    "drip/m.onnx": r"did not come whole within 0\.5 s",
    "silent/m.onnx": "cannot be fetched .*(timed out|ReadTimeout)",
    "missing/m.onnx": "the server answers 404: check the address",
    "round/m.onnx": "leads on more than 5 times",
}


@pytest.mark.parametrize("path", BAD)
def test_what_is_not_that_leaves_nothing(server, model, tmp_path, path):
    limits = FetchLimits(size=50_000, wait_s=0.4, total_s=0.5)
    start = time.monotonic()
    with pytest.raises(ModelError, match=BAD[path]) as error:
        fetch_model(f"{server.url}/{path}", sha256=model[1], folder=tmp_path, limits=limits)
    assert "\n" not in str(error.value)
    assert files(tmp_path) == []
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    ("away", "message"),
    [
        ("http://192.0.2.1/m.onnx", "http is taken from this machine alone: give https"),
        ("file:///etc/passwd", "is nothing to fetch from"),
        ("ftp://192.0.2.1/m.onnx", "is nothing to fetch from"),
        ("https://", "is nothing to fetch from"),
        ("http://[::1/", "cannot be fetched .*Invalid URL"),
    ],
)
def test_a_server_leads_nowhere_else(server, model, tmp_path, away, message):
    server.away = away
    with pytest.raises(ModelError, match=message):
        fetch_model(f"{server.url}/away/m.onnx", sha256=model[1], folder=tmp_path)
    assert files(tmp_path) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1/m", "https://localhost/m", "http://[::1]:8470/keys"])
def test_another_machine_does_not_lead_into_this_one(url):
    url = httpx.URL(url)
    _check(url, own=True)
    with pytest.raises(ModelError, match="another machine leads to this one"):
        _check(url, own=False)


@pytest.mark.parametrize(
    ("what", "more", "message"),
    [
        ("http://192.0.2.1/m.onnx", {}, "http is taken from this machine alone"),
        ("http://127.0.0.1.example.org/m.onnx", {}, "http is taken from this machine alone"),
        ("ftp://192.0.2.1/m.onnx", {}, "give an https:// or file:// URL"),
        ("https://example.org/m.onnx", {"sha256": None}, "give the SHA-256 of the file"),
        ("https://example.org/m.onnx", {"sha256": "12"}, "64 digits of 0 to f"),
        ("https://example.org/", {}, "'' cannot name a model"),
        ("https://example.org/m.onnx", {"name": "../m"}, "'../m' cannot name a model"),
        ("https://example.org/m.onnx", {"name": "vedette-thermal-yolo11n"}, "a table knows another model of that name"),
        ("desert", {}, "no table knows such a model"),
        ("vedette-thermal-yolo11n", {"sha256": None}, "comes with vedette"),
        ("file:///absent/m.onnx", {}, "is no file of this machine"),
        ("file://far/m.onnx", {}, "is no file of this machine"),
        ("http://[::1/m.onnx", {}, "is no address"),
        ("http://127.0.0.1@192.0.2.1/m.onnx", {}, "http is taken from this machine alone"),
        # Readers of URLs differ over this one: what was checked is what is asked.
        ("http://192.0.2.1\\@127.0.0.1:9/m.onnx", {}, r"http://127\.0\.0\.1:9/m\.onnx: cannot be fetched"),
    ],
)
def test_what_is_not_to_be_fetched_is_said_at_once(tmp_path, what, more, message):
    with pytest.raises(ModelError, match=message):
        fetch_model(what, **{"sha256": "0" * 64, "folder": tmp_path / "models", **more})
    assert files(tmp_path) == []


def test_a_file_of_this_machine(model, tmp_path):
    (tmp_path / "stick").mkdir()
    given = tmp_path / "stick" / "a model.onnx"
    given.write_bytes(model[0])
    out = fetch_model(given.as_uri(), sha256=model[1], name="stick", folder=tmp_path / "models")
    assert out.read_bytes() == model[0]
    with pytest.raises(ModelError, match="was not kept"):
        fetch_model(given.as_uri(), sha256="0" * 64, name="other", folder=tmp_path / "models")
    limits = FetchLimits(size=10)
    with pytest.raises(ModelError, match="is larger than 10 bytes"):
        fetch_model(given.as_uri(), sha256=model[1], name="other", folder=tmp_path / "models", limits=limits)
    assert files(tmp_path / "models") == [out]


def test_what_has_the_hash_and_is_no_detector_is_not_kept(tmp_path):
    (tmp_path / "text.onnx").write_text("hello")
    digest = hashlib.sha256(b"hello").hexdigest()
    with pytest.raises(ModelError, match=r"file:.*text\.onnx: is not an ONNX model"):
        fetch_model((tmp_path / "text.onnx").as_uri(), sha256=digest, folder=tmp_path / "models")
    assert files(tmp_path / "models") == []


def test_another_model_of_that_name_is_left_alone(server, model, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"mine")
    with pytest.raises(ModelError, match="is there already and is another model"):
        fetch_model(f"{server.url}/whole/m.onnx", sha256=model[1], folder=tmp_path)
    assert (tmp_path / "m.onnx").read_bytes() == b"mine"
    assert server.asked == []


def test_a_name_of_the_users_table(server, model, tmp_path):
    entry = {"sha256": model[1], "url": f"{server.url}/whole/v3.onnx"}
    (tmp_path / "models.json").write_text(json.dumps({"desert": entry, "gone": entry | {"sha256": "0" * 64}}))
    assert fetch_model("desert", folder=tmp_path) == tmp_path / "desert.onnx"
    with pytest.raises(ModelError, match="was not kept"):
        fetch_model("gone", folder=tmp_path)
    with pytest.raises(ModelError, match="the table says hash"):
        fetch_model("gone", folder=tmp_path, sha256=model[1])
    assert sorted(path.name for path in files(tmp_path)) == ["desert.onnx", "models.json"]


def test_a_full_disk_leaves_nothing(server, model, tmp_path):
    with full_after(100), pytest.raises(FileWriteError, match=r"m\.onnx: the file grows larger"):
        fetch_model(f"{server.url}/whole/m.onnx", sha256=model[1], folder=tmp_path)
    assert files(tmp_path) == []


def test_a_password_is_used_and_not_told(server, model, tmp_path):
    url = server.url.replace("://", "://unit7:secret@")
    fetch_model(f"{url}/whole/m.onnx?token=abc", sha256=model[1], folder=tmp_path)
    assert server.asked[-1][1].startswith("Basic ")
    with pytest.raises(ModelError) as error:
        fetch_model(f"{url}/missing/n.onnx?token=abc", sha256=model[1], folder=tmp_path)
    assert "secret" not in str(error.value)
    assert "abc" not in str(error.value)


@pytest.fixture
def certified(tmp_path):
    """A certificate that no system trusts, for this machine's address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "unit 7")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
    return context, tmp_path / "ca.pem"


def test_https_with_an_authority_of_ones_own(certified, model, tmp_path):
    context, ca = certified
    with serving(model[0], context) as (_, url):
        with pytest.raises(ModelError, match=r"(?i)certificate verify failed"):
            fetch_model(f"{url}/whole/m.onnx", sha256=model[1], folder=tmp_path / "models")
        assert files(tmp_path / "models") == []
        out = fetch_model(f"{url}/whole/m.onnx", sha256=model[1], folder=tmp_path / "models", ca=ca)
        assert out.read_bytes() == model[0]
    (tmp_path / "no.pem").write_text("nothing")
    with pytest.raises(ModelError, match=r"no\.pem: is no PEM file"):
        fetch_model(f"{url}/whole/n.onnx", sha256=model[1], folder=tmp_path / "models", ca=tmp_path / "no.pem")
