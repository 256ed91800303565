"""An RTSP camera of the standard library alone: H.264 over RTP, interleaved or by UDP (RFC 2326, 6184), RTCP (3550).

Its telemetry goes beside the pictures as a stream of its own (RFC 6597), or with them in a transport stream (RFC 2250).
"""

import base64
import hashlib
import io
import itertools
import random
import re
import select
import socket
import struct
import threading
from fractions import Fraction

import av

from tests.vision.recordings import FPS, HEIGHT, WIDTH, picture

_NTP_EPOCH_S = 2_208_988_800
_FRAGMENT = 1200
_TS_PACKETS = 7 * 188
_TS_ZERO_S = 20_000  # where the clock of a transport stream begins


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


def transport_stream(frames, telemetry):
    """A transport stream of numbered pictures with their telemetry, what comes with each of them."""
    out, sent, parts = io.BytesIO(), 0, []
    options = {"output_ts_offset": str(_TS_ZERO_S), "flush_packets": "1"}
    with av.open(out, "w", format="mpegts", options=options, buffer_size=188) as container:
        video, data = container.add_stream("libx264", rate=FPS), container.add_data_stream("klv")
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, units in enumerate(frames):
            content = b"".join(b"\0\0\0\1" + unit for unit in units)
            for stream, raw in ((video, content), (data, telemetry(number))):
                packet = av.Packet(raw)
                packet.stream, packet.time_base = stream, Fraction(1, 90_000)
                packet.pts = packet.dts = number * 90_000 // FPS
                packet.is_keyframe = any(unit[0] & 31 == 5 for unit in units)
                container.mux(packet)
            parts.append(out.getvalue()[sent:])
            sent += len(parts[-1])
    return parts


def _has_left(reader):
    """Whether a reader has ended its session: who is sent to by UDP takes no notice, and the next one waits."""
    if not select.select([reader], [], [], 0)[0]:
        return False
    told = reader.recv(65536)
    return not told or b"TEARDOWN" in told


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
    telemetry
        What it sends with each picture, by its number.
    muxed
        Whether all goes in a transport stream, whose clock begins where it likes.

    Attributes
    ----------
    shown
        Pictures that were sent to whoever came last.
    """

    def __init__(
        self, start_us, *, port=0, reports=(0,), pace=4.0, count=200, udp=False, login=None, telemetry=None, muxed=False
    ):
        self.start_us, self.reports, self.pace = start_us, set(reports), pace
        self.udp, self.login, self.to = udp, login, {}
        self.frames, self.telemetry = encoded(count), telemetry
        self.parts = transport_stream(self.frames, telemetry) if muxed else None
        self.tracks = ["video"] + ["klv"] * (telemetry is not None and not muxed)
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
                body = self._description().encode()
                more = f"Content-Type: application/sdp\r\nContent-Base: {self.url}/\r\n"
            elif method == "SETUP":
                channel = 2 * self.tracks.index(head[0].split()[1].decode().rpartition("/")[2])
                ports = self.to.get(channel)
                how = (
                    f";client_port={ports}-{ports + 1}"
                    if self.udp
                    else f"/TCP;unicast;interleaved={channel}-{channel + 1}"
                )
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
            self.to[2 * self.tracks.index(head.split()[1].rpartition("/")[2])] = int(ports[1])
        return ""

    def _knows(self, method, head):
        told = dict(re.findall(r'(\w+)="([^"]*)"', head))
        user, password = self.login
        asked = _md5(method, told.get("uri", ""))
        return told.get("response") == _md5(_md5(user, "camera", password), "5", asked) and told["username"] == user

    def _description(self):
        """In the Session Description Protocol (RFC 4566)."""
        told = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n"
        if self.parts is not None:
            return f"{told}m=video 0 RTP/AVP 33\r\na=control:video\r\n"
        sets = ",".join(base64.b64encode(unit).decode() for unit in self.frames[0] if unit[0] & 31 in {7, 8})
        told += (
            "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:video\r\n"
        )
        if self.telemetry is not None:
            told += "m=application 0 RTP/AVP 97\r\na=rtpmap:97 smpte336m/90000\r\na=control:klv\r\n"
        return told

    def _play(self, reader):
        sequences = [itertools.count() for _ in self.tracks]
        for number in range(len(self.frames)):
            self.shown = number
            stamp = (self.base + number * 90_000 // FPS) & 0xFFFFFFFF
            for track in range(len(self.tracks)):
                if number in self.reports:
                    self._report(reader, track, number, stamp)
                for payload, ends in self._payloads(track, number):
                    kind = 33 if self.parts is not None else 96 + track
                    order = next(sequences[track]) & 0xFFFF
                    head = struct.pack("!BBHII", 0x80, kind | ends << 7, order, stamp, 7 + track)
                    self._send(reader, 2 * track, head + payload)
            if self.closed.wait(1 / FPS / self.pace) or _has_left(reader):
                return

    def _payloads(self, track, number):
        """What goes out of a track with a picture: payloads, each with whether it is the last."""
        if self.parts is not None:
            part = self.parts[number]
            return [(part[at : at + _TS_PACKETS], False) for at in range(0, len(part), _TS_PACKETS)]
        if self.tracks[track] == "klv":
            return [(self.telemetry(number), True)]
        units = self.frames[number]
        return [(payload, unit is units[-1] and ends) for unit in units for payload, ends in fragments(unit)]

    def _report(self, reader, track, number, stamp):
        """A sender report: the picture's time of day beside its stamp."""
        time_us = self.start_us + number * 1_000_000 // FPS
        ntp = (time_us // 1_000_000 + _NTP_EPOCH_S << 32) + (time_us % 1_000_000 << 32) // 1_000_000
        self._send(reader, 2 * track + 1, struct.pack("!BBHIQIII", 0x80, 200, 6, 7 + track, ntp, stamp, number, 0))

    def _send(self, reader, channel, packet):
        if self.udp:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(packet, ("127.0.0.1", self.to[channel // 2 * 2] + channel % 2))
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
