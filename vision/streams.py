r"""Several videos watched in one process, by one detector.

::

    decode --queue--\
    decode --queue---> detect --queue--> track -> ground -> crossing --queue--> evidence --> on_crossing
    decode --queue--/  (one thread)      (the caller's thread,                  (one thread) (the caller's)
    (a thread each)                       each stream with a state of its own)

The detector takes what there is, one picture of each stream in turn: whoever has a picture waits for one of each other
stream at most, and a file that decodes fast does not crowd out a camera. It waits for nobody: a stream that has
nothing is passed over. Where there are recordings alone, it is handed several pictures of each at a time. The queues
are short, so a slow detector holds a file's decoder back and nothing is lost; a live source drops its oldest frames by
itself, and counts them.

A stream that fails ends alone: its result says what was seen until then, and why it ended.
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from geo import Terrain
from vision.ahead import Ended, Lanes
from vision.border import BorderLine
from vision.detecting import Asked, Found, FrameDetector, detect_each
from vision.errors import BorderError, MetadataError, VisionError
from vision.fixed import Homography, PixelLine
from vision.georeference import ErrorModel
from vision.live_picture import View
from vision.picture_threads import one_thread_each
from vision.records import Crossing, Custody, OpenPassage
from vision.scene import NO_METHOD, NO_PLACE, NO_POSE_THEN, NO_VIEW, Scene, choose_scene, size_told
from vision.types import Frame
from vision.watcher import EvidenceCutter, Watcher, WatchResult, WatchSettings

__all__ = ["Stream", "StreamResult", "watch_streams"]

_LEAST_AHEAD = 2
_TELL_S = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """A video to watch, and what for.

    Parameters
    ----------
    source, border, homography, line, terrain, name, custody, evidence, progress, on_crossing, on_open, scene
        As in `watch`.
    detector
        What finds objects in this one; None takes that of all.
    show
        Called with what is seen, once in `WatchSettings.show_s`; the watch waits for it, so it hands on and returns.
    """

    source: Iterable[Frame]
    border: BorderLine | None = None
    homography: Homography | None = None
    line: PixelLine | None = None
    terrain: Terrain | None = None
    name: str | None = None
    custody: Custody = field(default_factory=Custody)
    evidence: EvidenceCutter | None = None
    progress: Callable[[int], None] | None = None
    on_crossing: Callable[[Crossing], None] | None = None
    on_open: Callable[[OpenPassage], None] | None = None
    scene: Scene | None = None
    detector: FrameDetector | None = None
    show: Callable[[View], None] | None = None

    @property
    def title(self) -> str:
        """The name under which it is watched."""
        return self.name or str(getattr(self.source, "name", "video"))


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What became of one stream.

    Parameters
    ----------
    name
        Of the stream.
    result
        What was seen, up to where it failed; None where it could not be watched at all.
    error
        Why it failed; None where it came to its end.
    """

    name: str
    result: WatchResult | None
    error: Exception | None


def watch_streams(
    streams: Sequence[Stream], detector: FrameDetector | None = None, *, settings: WatchSettings | None = None
) -> list[StreamResult]:
    """Watch several videos for crossings, until all have come to their end.

    Parameters
    ----------
    streams
        What to watch, each under a name of its own.
    detector
        What finds objects; its least score should be the tracker's `low_score`. Pictures of several streams, which may
        differ in size, are handed to it at once, see `WatchSettings.batch`. None where each has its own.
    settings
        How, for all of them.

    Returns
    -------
    list of StreamResult
        In the order of `streams`.

    Raises
    ------
    VisionError
        When two streams have one name, or one has no detector. What fails in one stream is in its result.
    """
    settings = settings or WatchSettings()
    names = Counter(stream.title for stream in streams)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise VisionError(f"{len(streams)} streams: several are named {twice[0]}: name them apart (name)")
    keeping = ThreadPoolExecutor(1, "evidence")
    watches = [_Watch(stream, detector, settings, keeping) for stream in streams]
    try:
        with one_thread_each():
            _run([one for one in watches if one.error is None], settings)
        outcomes = [one.outcome() for one in watches]
    except BaseException:
        keeping.shutdown(wait=False, cancel_futures=True)  # whoever stops the watch does not wait for its clips
        for one in watches:
            one.tell(last=True)
        raise
    keeping.shutdown()
    return outcomes


def _run(running: Sequence[_Watch], settings: WatchSettings) -> None:
    """Take the frames of all streams through their watches, until the last has ended."""
    batch = settings.batch or _batch(running, settings.ahead)
    depth = max(_LEAST_AHEAD, batch, settings.ahead // max(1, len(running)))
    # A live source keeps a queue of its own, which drops the oldest: what lies in a second one only grows old.
    depths = [batch if one.live else depth for one in running]
    with (
        Lanes([one.stream.source for one in running], depths) as lanes,
        Lanes([_detect(lanes, running, batch)], [settings.ahead]) as detected,
    ):
        try:
            while (taken := detected.take(1, longest_s=_TELL_S)) or detected.running:
                for one in running:
                    one.tell()  # a stream that stands still, or has ended, may have a clip that is ready
                for _, made in taken:
                    if not isinstance(made, Ended):
                        _take(running, lanes, *made)
                    elif made.error is not None:
                        raise made.error
        finally:
            lanes.close()  # the detecting thread may be waiting for a frame


def _take(
    running: Sequence[_Watch], lanes: Lanes[Frame], number: int, item: Frame | Ended, found: Found | None
) -> None:
    one = running[number]
    if not one.over:
        one.take(item, found)
    if one.over:
        lanes.stop(number)


def _batch(watches: Sequence[_Watch], most: int) -> int:
    """Pictures of each stream at once, `most` at most from one."""
    if not watches or any(one.live for one in watches):
        return 1
    at_once = min(int(getattr(one.detector, "at_once", 1)) for one in watches)
    return max(1, min(most, at_once // len(watches)))


def _detect(
    lanes: Lanes[Frame], watches: Sequence[_Watch], batch: int
) -> Iterator[tuple[int, Frame | Ended, Found | None]]:
    """Frames of all streams with what was found in them, in the order of their turns; and the end of each stream."""
    # A second batch is made ready and begins where the processor has a thread free, before the first has ended.
    at_once = 2 if all(getattr(one.detector, "overlaps", False) for one in watches) else 1
    under_way: deque[tuple[list[tuple[int, Frame | Ended]], Future[list[Found]]]] = deque()
    with ThreadPoolExecutor(at_once, "detect") as pool:
        while True:
            most = batch * max(1, lanes.running)
            room = len(under_way) < (at_once if most > 1 else 1)
            if room and (taken := lanes.take(most, wait=not under_way)):
                asked = [Asked(k, item, watches[k].detector) for k, item in taken if not isinstance(item, Ended)]
                under_way.append((taken, pool.submit(detect_each, asked)))
                continue
            if not under_way:
                return
            taken, future = under_way.popleft()
            found = iter(future.result())
            for number, item in taken:
                yield number, item, None if isinstance(item, Ended) else next(found)


class _Watch:
    """One stream on its way: its watcher, and whether and how it ended."""

    def __init__(
        self, stream: Stream, detector: FrameDetector | None, settings: WatchSettings, keeping: Executor
    ) -> None:
        chosen = stream.detector or detector
        if chosen is None:
            raise VisionError(f"{stream.title}: no detector: give one for all streams, or one for each")
        self.stream, self.detector = stream, chosen
        self.error: Exception | None = None
        self.over = False
        self._start = self._end = time.perf_counter()
        self._watcher: Watcher | None = None
        self._show_s, self._shown_s = settings.show_s, -math.inf
        try:
            self._watcher = Watcher(
                _scene_of(stream),
                settings,
                name=stream.title,
                model=self.detector.model,
                custody=stream.custody,
                evidence=stream.evidence,
                on_crossing=stream.on_crossing,
                on_open=stream.on_open,
                keeping=keeping,
            )
        except (BorderError, MetadataError) as error:
            self._fail(error)

    @property
    def live(self) -> bool:
        """Whether its pictures come at their own pace."""
        return bool(getattr(self.stream.source, "live", False))

    def take(self, item: Frame | Ended, found: Found | None) -> None:
        """A frame with what was found in it, or the end of the stream."""
        assert self._watcher is not None
        if isinstance(item, Ended) or isinstance(found, Exception):
            error = item.error if isinstance(item, Ended) else found
            self._finish(self._watcher, error if isinstance(error, BaseException) else None)
            return
        try:
            self._watcher.take(item, found or [])
        except Exception as error:  # noqa: BLE001 - the stream ends with it, the others go on
            self._fail(error)
            return
        if self.stream.progress is not None:
            self.stream.progress(self._watcher.frames)
        if self.stream.show is not None:
            self._show(self._watcher, self.stream.show)

    def _show(self, watcher: Watcher, show: Callable[[View], None]) -> None:
        now_s = time.monotonic()
        view = watcher.view() if now_s - self._shown_s >= self._show_s else None
        if view is not None:
            self._shown_s = now_s
            show(view)

    def tell(self, *, last: bool = False) -> None:
        """Hand on crossings whose evidence is there; the last time the others too."""
        try:
            if self._watcher is not None:
                self._watcher.tell(abandon=last)
        except Exception as error:  # noqa: BLE001 - the stream ends with it, the others go on
            self._fail(self.error or error)

    def outcome(self) -> StreamResult:
        """What became of it."""
        dropped = int(getattr(getattr(self.stream.source, "counts", None), "dropped", 0))
        watcher = self._watcher
        if watcher is not None:
            try:
                watcher.tell(wait=True)
            except Exception as own:  # noqa: BLE001 - of this stream alone
                self.error = self.error or own
        if not self.over:  # never without a word: whoever reads "no crossing" relies on all having been seen
            self.error = self.error or VisionError(f"{self.stream.title}: its watch ended before the video did")
        usable = watcher is not None and (watcher.scene.ready or not watcher.frames)
        return StreamResult(
            self.stream.title,
            watcher.result(self._end - self._start, dropped) if watcher is not None and usable else None,
            self.error,
        )

    def _finish(self, watcher: Watcher, error: BaseException | None) -> None:
        """Decide what is still open. The source's own error goes before one that this brings."""
        if error is not None and not isinstance(error, Exception):
            raise error
        if error is None and not self.live and getattr(self.stream.source, "cut_off", False):
            error = VisionError(
                f"{self.stream.title}: was stopped after {watcher.frames} frames: what comes after was not seen"
            )
        try:
            if watcher.frames and not watcher.scene.ready and error is None:
                told = getattr(self.stream.source, "has_pose", False)
                lacks = NO_VIEW if watcher.without_view else NO_POSE_THEN if told else NO_METHOD
                lacks = NO_PLACE if watcher.scene.lack else lacks
                raise MetadataError(  # noqa: TRY301 - as from the scene
                    lacks.format(name=self.stream.title, why=watcher.scene.lack)
                )
            watcher.finish()
        except Exception as own:  # noqa: BLE001 - the stream ends with it, the others go on
            error = error or own
        self._fail(error)

    def _fail(self, error: Exception | None) -> None:
        self.error, self.over, self._end = error, True, time.perf_counter()


def _scene_of(stream: Stream) -> Scene:
    if stream.scene is not None:
        return stream.scene
    if stream.border is None and stream.line is None:
        raise MetadataError(
            f"{stream.title}: no line to watch: give a border file, or for a fixed camera a line in its picture"
        )
    clock_s = getattr(stream.source, "clock_sigma_s", None)
    return choose_scene(
        bool(getattr(stream.source, "has_pose", True)),
        stream.title,
        border=stream.border,
        homography=stream.homography,
        line=stream.line,
        terrain=stream.terrain,
        errors=None if clock_s is None else ErrorModel(timing_s=clock_s),
        size_px=size_told(stream.source),
    )
