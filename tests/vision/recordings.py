"""Small real recordings for tests: H.264 in a transport stream with ST 0601 telemetry written by another library."""

from fractions import Fraction

import av
import numpy as np
from av.stream import Disposition
from tstrans.klv import UasDatalinkLs, encode_uas_datalink

T0_US = 1_790_000_000_000_000
WIDTH, HEIGHT, FPS = 320, 256, 5


def picture(number):
    """Grey, with the number's bits as white and black squares along the top."""
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for bit in range(8):
        image[0:32, bit * 32 : bit * 32 + 32] = 255 if number >> bit & 1 else 0
    return image


def number_of(image):
    return sum(1 << bit for bit in range(8) if image[16, bit * 32 + 16].mean() > 128)


def klv(time_us, **values):
    figures = {
        "platform_heading_deg": 10.0,
        "platform_pitch_deg": 0.0,
        "platform_roll_deg": 0.0,
        "sensor_lat_deg": 31.333,
        "sensor_lon_deg": -110.94,
        "sensor_alt_m": 1270.0,
        "sensor_hfov_deg": 31.5,
        "sensor_rel_az_deg": 90.0,
        "sensor_rel_el_deg": -57.0,
        "sensor_rel_roll_deg": 0.0,
        "frame_center_elev_m": 1180.0,
        **values,
    }
    return encode_uas_datalink(UasDatalinkLs(uas_ls_version=19, timestamp_us=time_us, **figures))


def write_video(
    path,
    count=20,
    *,
    telemetry=None,
    fps=FPS,
    codec="libx264",
    gop=10,
    form=None,
    metadata=None,
    pictures=picture,
    turned=0,
    matrix=None,
    cover=False,
    options=None,
):
    """A recording of `count` pictures, numbered ones or others; `telemetry` gives the bytes at each, or None.

    The container says that they are to be `turned` by so many degrees against the clock, or laid by a `matrix`
    ((a, b), (c, d)) of ISO/IEC 14496-12, or has a `cover` before them.
    """
    with av.open(str(path), "w", format=form) as container:
        container.metadata.update(metadata or {})
        front = container.add_stream("mjpeg", width=64, height=64, pix_fmt="yuvj420p") if cover else None
        video = container.add_stream(codec, rate=fps)
        video.height, video.width = pictures(0).shape[:2]
        video.pix_fmt, video.gop_size, video.options = "yuv420p", gop, options or {}
        if turned:
            video.set_display_rotation(turned)
        if matrix:
            (a, b), (c, d) = (np.array(matrix) << 16).tolist()
            video.set_display_matrix((a, b, 0, c, d, 0, 0, 0, 1 << 30))
        if front is not None:
            front.disposition = Disposition.attached_pic
            shown = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 200, np.uint8), format="bgr24")
            shown.pts = 0
            container.mux(front.encode(shown.reformat(format="yuvj420p")) + front.encode(None))
        data = container.add_data_stream("klv") if telemetry else None
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(pictures(number), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(video.encode(frame))
            packet = telemetry(number) if telemetry else None
            if packet:
                wrapped = av.Packet(packet)
                wrapped.stream, wrapped.time_base = data, Fraction(1, 90_000)
                wrapped.pts = wrapped.dts = number * 90_000 // fps
                container.mux(wrapped)
        container.mux(video.encode(None))
    return path


def write_part(recording, part, keyframe):
    """A recording from one of its keyframes on, as another program cuts it: with all that follows in the file."""
    with av.open(str(recording)) as container, av.open(str(part), "w") as output:
        video = container.streams.video[0]
        target, keys = output.add_stream_from_template(video), 0
        for packet in container.demux(video):
            keys += packet.is_keyframe
            if packet.size and keys > keyframe:
                packet.stream = target
                output.mux(packet)
    return part
