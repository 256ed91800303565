"""An RTSP camera of the standard library alone: H.264 over RTP, interleaved or by UDP (RFC 2326, 6184), RTCP (3550)."""

import base64
import hashlib
import itertools
import random
import re
import socket
import struct
import threading
from fractions import Fraction

import av

from tests.vision.recordings import FPS, HEIGHT, WIDTH, picture

_NTP_EPOCH_S = 2_208_988_800
_FRAGMENT = 1200


def encoded(count):
    """Units of H.264 of numbered pictures, one list a picture."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, FPS)
    codec.gop_size, codec.max_b_frames = 5, 0
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "repeat-headers=1:sliced-threads=0"}
    frames = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(picture(number), format="bgr24")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        frames += [bytes(packet) for packet in codec.encode(frame)]
    return [[unit for unit in frame.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit] for frame in frames]


class RtspCamera:
    """Serves one reader after another at a port, each from its first picture on, until it is closed.

    Parameters
    ----------
    start_us
        Time of the first picture, microseconds UTC.
    reports
        Numbers of the pictures before which a sender report goes out.
    pace
        Times real time.
    udp
        Whether it sends by UDP alone, as some do.
    login
        User and password that it asks for (digest, RFC 2069).

    Attributes
    ----------
    shown
        Pictures that were sent to whoever came last.
    """

    def __init__(self, start_us, *, port=0, reports=(0,), pace=4.0, count=200, udp=False, login=None):
        self.start_us, self.reports, self.pace = start_us, set(reports), pace
        self.udp, self.login, self.to = udp, login, None
        self.frames = encoded(count)
        self.shown = 0
        self.base = random.Random(start_us).getrandbits(32)
        self.closed = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(0.1)
        self.port = self.listener.getsockname()[1]
        self.url = f"rtsp://127.0.0.1:{self.port}/camera"
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Gone, as when its power fails."""
        self.closed.set()
        self.thread.join()
        self.listener.close()

    def _serve(self):
        while not self.closed.is_set():
            try:
                reader, _ = self.listener.accept()
            except TimeoutError:
                continue
            with reader:
                try:
                    self._answer(reader)
                except OSError:
                    continue

    def _answer(self, reader):
        lines = reader.makefile("rb")
        while not self.closed.is_set():
            head = list(iter(lambda: lines.readline().strip(), b""))
            if not head:
                return
            method = head[0].split()[0].decode()
            sequence = next(line.split(b":")[1].strip() for line in head if line.lower().startswith(b"cseq"))
            more, body = "", b""
            refused = self._refused(method, b"\n".join(head).decode(), sequence.decode())
            if refused:
                reader.sendall(refused.encode())
                continue
            if method == "OPTIONS":
                more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
            elif method == "DESCRIBE":
                sets = ",".join(base64.b64encode(unit).decode() for unit in self.frames[0] if unit[0] & 31 in {7, 8})
                body = (
                    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                    f"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n"
                    "a=control:video\r\n"
                ).encode()
                more = f"Content-Type: application/sdp\r\nContent-Base: {self.url}/\r\n"
            elif method == "SETUP":
                how = f";client_port={self.to[0]}-{self.to[1]}" if self.udp else "/TCP;unicast;interleaved=0-1"
                more = f"Transport: RTP/AVP{how}\r\nSession: 1\r\n"
            elif method == "PLAY":
                more = "Session: 1\r\n"
            reply = f"RTSP/1.0 200 OK\r\nCSeq: {sequence.decode()}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
            reader.sendall(reply.encode() + body)
            if method == "PLAY":
                self._play(reader)
                return

    def _refused(self, method, head, sequence):
        """The answer to a request that it does not take; empty where it does."""
        if self.login is not None and not self._knows(method, head):
            asked = 'WWW-Authenticate: Digest realm="camera", nonce="5"\r\n'
            return f"RTSP/1.0 401 Unauthorized\r\nCSeq: {sequence}\r\n{asked}\r\n"
        if self.udp and method == "SETUP":
            ports = re.search(r"client_port=(\d+)-(\d+)", head)
            if ports is None:
                return f"RTSP/1.0 461 Unsupported Transport\r\nCSeq: {sequence}\r\n\r\n"
            self.to = int(ports[1]), int(ports[2])
        return ""

    def _knows(self, method, head):
        told = dict(re.findall(r'(\w+)="([^"]*)"', head))
        user, password = self.login
        asked = _md5(method, told.get("uri", ""))
        return told.get("response") == _md5(_md5(user, "camera", password), "5", asked) and told["username"] == user

    def _play(self, reader):
        sequence = itertools.count()
        for number, units in enumerate(self.frames):
            self.shown = number
            stamp = (self.base + number * 90_000 // FPS) & 0xFFFFFFFF
            if number in self.reports:
                time_us = self.start_us + number * 1_000_000 // FPS
                ntp = (time_us // 1_000_000 + _NTP_EPOCH_S << 32) + (time_us % 1_000_000 << 32) // 1_000_000
                self._send(reader, 1, struct.pack("!BBHIQIII", 0x80, 200, 6, 7, ntp, stamp, number, 0))
            for unit in units:
                last = unit is units[-1]
                for payload, ends in fragments(unit):
                    head = struct.pack("!BBHII", 0x80, 96 | (last and ends) << 7, next(sequence) & 0xFFFF, stamp, 7)
                    self._send(reader, 0, head + payload)
            if self.closed.wait(1 / FPS / self.pace):
                return

    def _send(self, reader, channel, packet):
        if self.udp:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(packet, ("127.0.0.1", self.to[channel]))
            return
        reader.sendall(b"$" + struct.pack("!BH", channel, len(packet)) + packet)


def _md5(*parts):
    return hashlib.md5(":".join(parts).encode()).hexdigest()


def fragments(unit):
    """Payloads of a unit, each with whether it is the last: whole, or in parts (FU-A)."""
    if len(unit) <= _FRAGMENT:
        yield unit, True
        return
    parts = [unit[at : at + _FRAGMENT] for at in range(1, len(unit), _FRAGMENT)]
    for k, part in enumerate(parts):
        ends = k == len(parts) - 1
        yield bytes([unit[0] & 0xE0 | 28, (k == 0) << 7 | ends << 6 | unit[0] & 31]) + part, ends
