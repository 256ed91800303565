"""The view Review: a queue judged by keyboard, clip and ground in step, two people, and nothing lost on the way."""

import json
import re
from datetime import datetime

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.api.people import PASSWORD
from tests.api.samples import agreement_json, record_json
from tests.console.desk import THEMES, at_rest, middle_is, pixels
from tests.console.footage import (
    BORDER,
    FPS,
    LAT,
    PER_SECOND,
    WALK_S,
    Footage,
    box,
    state_of,
    tonight,
    verdicts_of,
    walk,
)

SOON_MS = 30_000
"""A page of a busy machine may take so long."""


@pytest.fixture(scope="session")
def footage(tmp_path_factory):
    return Footage.filmed(tmp_path_factory.mktemp("footage"))


def deliver(live, name, second=0.0, **changes):
    """A crossing without evidence; its id."""
    return live.ask("pilot", "POST", "/crossings", json=walk(name, tonight(second), **changes)).json()["id"]


def open_review(desk, live, role, **more):
    at = desk(live, role, "#/review", **more)
    expect(at.page.get_by_role("listbox", name="Crossings")).to_be_visible()
    return at


def opened(page, id_):
    """Wait until a crossing is open, with all that can be done with it."""
    expect(page).to_have_url(re.compile(id_), timeout=SOON_MS)
    expect(page.get_by_role("region", name="Verdict").get_by_role("heading")).to_be_visible(timeout=SOON_MS)


def looked(page):
    """Wait until what the open crossing shows has been on the page for a moment: no verdict counts before."""
    expect(page.get_by_role("button", name="Dismiss")).to_be_enabled(timeout=SOON_MS)


def held_back(page, url, method="POST"):
    """Requests of that method wait in the returned list until they are let through."""
    held = []
    page.route(url, lambda route: held.append(route) if route.request.method == method else route.fallback())
    return held


def come(page, held, key=None):
    """Wait until a request is held back; a key that is for it counts for nothing while the page reads anew."""
    for turn in range(300):
        if held:
            return held.pop()
        if key is not None and turn % 50 == 49:
            page.keyboard.press(key)
        page.wait_for_timeout(100)
    region = page.get_by_role("region", name="Verdict")
    raise AssertionError(f"no request came: {page.url}: {region.inner_text() if region.is_visible() else 'no verdict'}")


def rows(page):
    return page.get_by_role("listbox", name="Crossings")


def selected(page):
    return rows(page).get_by_role("option", selected=True)


def holds(page):
    """Wait until whoever sits there has the open crossing to themselves."""
    expect(selected(page)).to_contain_text("claimed by you", timeout=SOON_MS)


def said(page, text):
    expect(page.get_by_role("status").filter(has_text=text).first).to_be_visible(timeout=SOON_MS)


def judged(live, page, id_, state):
    """Wait until a verdict has arrived."""
    for _ in range(200):
        if state_of(live, id_)["state"] == state:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{id_} is {state_of(live, id_)}, not {state}")


def second_analyst(live):
    made = {"login": "ben", "name": "Ben", "role": "analyst"}
    return live.ask("administrator", "POST", "/accounts", json=made).json()["secret"]


def sit_as(desk, live, login, secret):
    """Somebody else at a desk of their own."""
    at = desk(live, None)
    at.forgiven.append("/login")
    page = at.page
    with at.as_nobody():
        at.open("#/review")
        at.fill_in(login, secret)
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("listbox", name="Crossings")).to_be_visible()
    return at


def ask_for_two(live):
    rules = {"two_people": [{}]}
    live.ask("administrator", "PUT", "/reviews/policy", json=rules, headers={"If-Match": '"0"'})


HAS_COME = "url => performance.getEntriesByName(url).some(each => each.responseEnd > 0)"
"""Whether what a page asked for is there whole."""


def test_twenty_crossings_by_keyboard_alone(live, desk, footage):
    ids = [footage.deliver(live, f"k{n}", tonight(10 * n)) for n in range(20)][::-1]  # the newest first
    at = open_review(desk, live, "analyst")
    page, keys = at.page, at.page.keyboard
    opened(page, ids[0])
    page.evaluate("performance.setResourceTimingBufferSize(2000)")
    assert at.page.evaluate("document.activeElement.tagName") in {"A", "BODY"}  # nothing was clicked in the view
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Merge with another report")
    keys.press("Escape")
    for n, id_ in enumerate(ids):
        opened(page, id_)
        expect(page.get_by_label("Clip").locator("video")).to_be_visible(timeout=SOON_MS)
        if n + 1 < len(ids):  # the next one's clip is here before it is asked for
            following = f"{live.url}/crossings/{ids[n + 1]}/evidence/clip"
            expect(selected(page)).to_have_attribute("id", f"row-{id_}")
            page.wait_for_function(HAS_COME, arg=following, timeout=SOON_MS)
        looked(page)
        if n % 3 == 2:
            keys.press("d")
            expect(page.get_by_role("dialog")).to_be_visible()
            keys.press("1")
            keys.press("Enter")
        else:
            keys.press("c")
    expect(page.get_by_text("Nothing here.")).to_be_visible(timeout=SOON_MS)
    for n, id_ in enumerate(ids):
        assert at.requests.count(f"{live.url}/crossings/{id_}/evidence/clip") == 1
        judged(live, page, id_, "dismissed" if n % 3 == 2 else "confirmed")
        (verdict,) = verdicts_of(live, id_)
        assert verdict["reviewer"] == "Analyst"
        assert verdict["category"] == ("animal" if n % 3 == 2 else None)


FRAMED = """() => {
  // Where the frame is that is drawn over the picture, below its upper edge, where its words are; and in the picture
  // itself the bright one who walks there: left, top, right, bottom, pixels of the picture.
  const [film, frame] = [document.querySelector(".stage video"), document.querySelector(".stage canvas")];
  const shown = new OffscreenCanvas(film.videoWidth, film.videoHeight);
  const [pen, { width, height }] = [shown.getContext("2d"), shown];
  const found = (pixels, is, above) => {
    const box = [width, height, 0, 0];
    for (let y = above; y < height; y++) for (let x = 0; x < width; x++) {
      if (!is(pixels, 4 * (y * width + x))) continue;
      [box[0], box[1], box[2], box[3]] = [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), y];
    }
    return box;
  };
  pen.drawImage(film, 0, 0);
  const walker = found(pen.getImageData(0, 0, width, height).data, (of, at) => of[at] > 170, 0);
  const drawn = frame.getContext("2d").getImageData(0, 0, width, height).data;
  return [found(drawn, (of, at) => of[at + 3] > 0, walker[1]), walker];
}"""


CROSSING = 0x9A, 0x4D, 0x00
"""Of the light theme."""


def ground_shows(page):
    """Rows of the map's picture: of the border, of who is there now, and of where their way so far begins."""
    area = page.locator(".ground .maplibregl-canvas").bounding_box()
    for _ in range(20):  # the border comes when it was asked for
        drawn = pixels(at_rest(page, area))
        dark = np.count_nonzero(drawn.max(axis=2) < 90, axis=1)
        border = int(dark.argmax())
        if dark[border] > 0.8 * drawn.shape[1]:
            break
    else:
        raise AssertionError("no border is drawn")
    own = np.nonzero(drawn[..., 2] - drawn[..., 0] > 60)[0]  # blue ticks
    assert len(own) > 20
    assert (own < border).all()  # in the north, which is on its left
    crossing = (np.abs(drawn - CROSSING).max(axis=2) <= 8).astype(np.uint8)
    dot = np.argwhere(cv2.erode(crossing, np.ones((9, 9), np.uint8)))
    way = np.argwhere(cv2.erode(crossing, np.ones((1, 3), np.uint8)))
    return border, dot[:, 0].mean(), way[:, 0].max()


def colour_of(shown):
    """Mean colour of a picture or film of the page: red, green, blue."""
    return shown.evaluate(MEAN)


MEAN = """async shown => {
  if ("decode" in shown) await shown.decode();
  const pen = new OffscreenCanvas(64, 36).getContext("2d");
  pen.drawImage(shown, 0, 0, 64, 36);
  const { data } = pen.getImageData(0, 0, 64, 36);
  return [0, 1, 2].map(of => data.filter((_, at) => at % 4 === of).reduce((sum, each) => sum + each) / (64 * 36));
}"""


def test_the_ground_goes_with_the_clip(live, desk, footage, tmp_path):
    live.ask("pilot", "POST", "/segments", json=record_json("segments") | BORDER | {"retention_days": 3650})
    when = tonight(0)
    id_ = footage.deliver(live, "step", when)
    other = Footage.filmed(tmp_path, light=(0.3, 0.3, 1.0)).deliver(live, "red", tonight(-60))  # as in the evening
    at = open_review(desk, live, "analyst")
    page = at.page
    opened(page, id_)
    ground = {}
    video = page.get_by_label("Clip").locator("video")
    expect(video).to_be_visible(timeout=SOON_MS)
    video.evaluate("it => it.pause()")
    # The middle of a picture's time, seconds into the clip; the crossing is three seconds into it.
    for picture in (12, 30, 45):
        second = (picture + 0.5) / FPS
        video.evaluate(
            "(it, to) => new Promise(go => { it.addEventListener('seeked', go, {once: true}); it.currentTime = to })",
            second,
        )
        lat = LAT + (picture / FPS - 3) * PER_SECOND
        expect(page.locator(".where .place")).to_have_text(re.compile(f"{lat:.6f}"), timeout=SOON_MS)
        moment = page.locator(".where time").get_attribute("datetime")
        assert datetime.fromisoformat(moment).timestamp() == pytest.approx(
            when.timestamp() + picture / FPS - 3, abs=0.002
        )
        frame, walker = page.evaluate(FRAMED)
        centre = [(frame[0] + frame[2]) / 2, (walker[0] + walker[2]) / 2]
        assert centre[0] == pytest.approx(centre[1], abs=3)
        assert frame[0] < walker[0] < walker[2] < frame[2]
        assert 0 < frame[3] - walker[3] < 25
        assert walker[0] == pytest.approx(box(picture)[0], abs=3)
        ground[picture / FPS - 3] = ground_shows(page)
    # A straight way at an even pace: as many pixels from the border as seconds, to the south before it is crossed.
    seconds, rows_there = np.array(list(ground)), np.array(list(ground.values()))
    border, here, begin = rows_there.T
    assert len(set(border)) == 1
    a_second = np.polyfit(seconds, here, 1)[0]
    assert a_second < -4
    assert here - border == pytest.approx(a_second * seconds, abs=2)
    assert begin - border == pytest.approx(-WALK_S * a_second, abs=3)
    page.keyboard.press(".")
    expect(page.locator(".where .place")).to_have_text(re.compile(f"{LAT + 1.6 * PER_SECOND:.6f}"), timeout=SOON_MS)
    page.keyboard.press(",")
    page.keyboard.press(",")
    expect(page.locator(".where .place")).to_have_text(re.compile(f"{LAT + 1.4 * PER_SECOND:.6f}"), timeout=SOON_MS)
    at.picture("review-step")
    for each, is_red in ((id_, False), (other, True)):
        is_previewed(page, each, is_red)


def is_previewed(page, id_, is_red):
    """What lies below a preview can be seen again without moving the pointer, which may also go on to it (1.4.13)."""
    preview, row = page.locator("video.preview"), page.locator(f"#row-{id_}")
    thumbnail = row.locator("img.thumbnail")
    expect(thumbnail).to_be_visible(timeout=SOON_MS)
    row.hover()
    expect(preview).to_be_visible(timeout=SOON_MS)
    page.wait_for_function("() => document.querySelector('video.preview').readyState >= 2", timeout=SOON_MS)
    for red, green, _ in (colour_of(thumbnail), colour_of(preview)):
        assert (red > 1.6 * green) is is_red
    page.keyboard.press("Escape")
    expect(preview).to_have_count(0)
    page.mouse.move(0, 0)
    row.hover()
    expect(preview).to_be_visible(timeout=SOON_MS)
    preview.hover()
    page.wait_for_timeout(600)
    expect(preview).to_be_visible()
    page.mouse.move(0, 0)
    expect(preview).to_have_count(0)


def test_two_people_and_none_twice(live, desk):
    ask_for_two(live)
    id_ = deliver(live, "two")
    first = open_review(desk, live, "analyst")
    opened(first.page, id_)
    looked(first.page)
    first.page.keyboard.press("c")
    said(first.page, "waits for a second person")
    button = first.page.get_by_role("button", name="Confirm")
    opened(first.page, id_)
    expect(button).to_be_disabled(timeout=SOON_MS)
    expect(button).to_have_accessible_description(re.compile("another person"))
    first.page.keyboard.press("c")
    assert len(verdicts_of(live, id_)) == 1
    assert state_of(live, id_)["state"] == "pending"
    first.open("#/account")  # the claim is let go of
    second = sit_as(desk, live, "ben", second_analyst(live))
    second.forgiven.append("/claim")
    opened(second.page, id_)
    expect(second.page.get_by_text("a second person has to say so too")).to_be_visible(timeout=SOON_MS)
    expect(second.page.get_by_role("button", name="Confirm")).to_be_enabled(timeout=SOON_MS)
    second.page.keyboard.press("c")
    judged(live, second.page, id_, "confirmed")
    assert [each["reviewer"] for each in verdicts_of(live, id_)] == ["Analyst", "Ben"]


def test_two_who_go_through_one_queue_are_not_in_each_others_way(live, desk):
    ids = [deliver(live, f"queue{n}", 10 * n) for n in range(4)][::-1]
    first = open_review(desk, live, "analyst")
    opened(first.page, ids[0])
    holds(first.page)
    second = sit_as(desk, live, "ben", second_analyst(live))
    opened(second.page, ids[1])
    expect(rows(first.page).get_by_role("option").nth(1)).to_contain_text("claimed by Ben", timeout=SOON_MS)
    looked(first.page)
    first.page.keyboard.press("c")
    opened(first.page, ids[2])
    expect(rows(second.page).get_by_role("option").nth(1)).to_contain_text("claimed by Analyst", timeout=SOON_MS)
    looked(second.page)
    second.page.keyboard.press("c")
    opened(second.page, ids[3])
    for page, id_ in ((first.page, ids[0]), (second.page, ids[1])):
        judged(live, page, id_, "confirmed")


def test_what_another_holds_is_not_judged_until_a_supervisor_takes_it(live, desk):
    id_ = deliver(live, "held")
    live.ask("analyst", "POST", f"/crossings/{id_}/claim")  # the key of no account: another one than who sits there
    at = open_review(desk, live, "analyst")
    at.forgiven.append("/claim")
    opened(at.page, id_)
    expect(at.page.get_by_text("is claimed by key of the analyst")).to_be_visible(timeout=SOON_MS)
    expect(at.page.get_by_role("button", name="Confirm")).to_be_disabled()
    chief = open_review(desk, live, "supervisor")
    chief.forgiven.append("/claim")
    opened(chief.page, id_)
    expect(chief.page.get_by_role("button", name="Confirm")).to_have_count(0)
    chief.page.get_by_role("button", name="Take over").click()
    dialog = chief.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("they have gone home")
    dialog.get_by_role("button", name="Take over").click()
    expect(selected(chief.page)).to_contain_text("claimed by you", timeout=SOON_MS)
    expect(selected(at.page)).to_contain_text("claimed by Supervisor", timeout=SOON_MS)


def test_merge_note_and_case_and_each_put_right(live, desk):  # noqa: PLR0915 - one flow of a person
    one, other, _far = (deliver(live, name, second) for name, second in (("one", 5), ("other", 0), ("far", -20)))
    at = open_review(desk, live, "analyst")
    page, keys = at.page, at.page.keyboard
    opened(page, one)
    held = held_back(page, f"**/crossings/{one}/annotations")
    keys.press("n")
    keys.type("two of them, one with a dog")
    keys.press("Control+Enter")
    on_its_way = come(page, held)
    keys.press("Escape")
    keys.press("j")
    opened(page, other)
    field = page.get_by_role("textbox", name="Note")
    expect(field).to_be_editable()
    keys.press("k")
    opened(page, one)
    expect(field).to_have_value("two of them, one with a dog")
    expect(field).not_to_be_editable()
    on_its_way.continue_()
    expect(field).to_have_value("", timeout=SOON_MS)
    expect(page.get_by_role("listitem").filter(has_text="with a dog")).to_be_visible(timeout=SOON_MS)
    (note,) = live.ask("analyst", "GET", f"/crossings/{one}/annotations").json()
    assert (note["text"], note["author"]) == ("two of them, one with a dog", "Analyst")

    keys.press("g")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name of the case").fill("Night of the dog")
    dialog.get_by_label("Reason").fill("belongs together")
    keys.press("Enter")
    expect(page.get_by_text("In cases: Night of the dog")).to_be_visible(timeout=SOON_MS)
    cases = live.ask("analyst", "GET", f"/cases?record_id={one}").json()["cases"]
    assert [case["title"] for case in cases] == ["Night of the dog"]
    keys.press("u")
    dialog.get_by_label("Reason").fill("not that one")
    keys.press("Enter")
    said(page, "Taken out of case")
    assert live.ask("analyst", "GET", f"/cases?record_id={one}").json()["cases"] == []

    keys.press("m")
    expect(dialog.get_by_role("radio").first).to_be_checked(timeout=SOON_MS)
    for digit in (2, 1):  # which of them, and no part of the reason
        keys.press(str(digit))
        expect(dialog.get_by_role("radio").nth(digit - 1)).to_be_checked()
    expect(dialog.get_by_label("Reason")).to_have_value("The same event, told twice")
    keys.press("Enter")
    opened(page, other)
    said(page, "Merged.")
    assert state_of(live, one)["state"] == "merged"
    keys.press("u")
    dialog.get_by_label("Reason").fill("they were two")
    keys.press("Enter")
    opened(page, one)
    said(page, "Parted again.")
    assert state_of(live, one)["state"] == "pending"


def test_undo_is_another_verdict_and_says_so(live, desk):
    id_ = deliver(live, "undo")
    at = open_review(desk, live, "analyst")
    page, keys = at.page, at.page.keyboard
    opened(page, id_)
    looked(page)
    for choice, letters in (("off", 0), ("on", 1)):
        at.prefer("Single keys", choice)
        expect(page.get_by_role("button", name="Confirm").locator("kbd")).to_have_count(letters)
        keys.press("c")
        if choice == "off":
            keys.press("ArrowDown")  # no letter: it counts, and nothing is on its way before it
            assert verdicts_of(live, id_) == []
    judged(live, page, id_, "confirmed")
    keys.press("u")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("A verdict is never deleted")
    keys.press("Enter")
    opened(page, id_)
    looked(page)
    keys.press("d")
    dialog.get_by_label("In words").fill("a shadow")
    keys.press("Enter")
    judged(live, page, id_, "dismissed")
    assert [each["verdict"] for each in verdicts_of(live, id_)] == ["confirm", "dismiss"]


def test_who_was_faster_is_shown_and_one_decides_again(live, desk):
    id_ = deliver(live, "race")
    at = open_review(desk, live, "analyst")
    at.forgiven.append("/reviews")
    page = at.page
    opened(page, id_)
    holds(page)
    looked(page)
    page.route("**/events/stream", lambda route: route.abort())
    at.forgiven.append("/events/stream")
    # Another one judges it between the look and the key: this page is held where it is.
    page.route(f"**/crossings/{id_}", lambda route: route.abort(), times=1)
    at.forgiven.append(id_)
    etag = live.ask("analyst", "GET", f"/crossings/{id_}").headers["ETag"]
    page.route(f"**/crossings/{id_}/reviews", lambda route: judge_first(live, id_, etag, route), times=1)
    page.keyboard.press("c")
    judged(live, page, id_, "dismissed")
    at.open(f"#/review/{id_}")
    alert = page.locator("#overtaken")
    expect(alert).to_contain_text("key of the analyst dismissed it while you looked", timeout=SOON_MS)
    assert [each["verdict"] for each in verdicts_of(live, id_)] == ["dismiss"]
    alert.get_by_role("button", name="Still: confirmed").click()
    judged(live, page, id_, "confirmed")


def judge_first(live, id_, etag, route):
    """Somebody judges before the page's own verdict is let through."""
    if route.request.method != "POST":
        route.fallback()
        return
    claim = live.ask  # the page holds the claim: the key of an analyst takes none, and waits for it to be let go of
    claim("supervisor", "POST", f"/crossings/{id_}/claim/take-over", json={"reason": "test"})
    claim("supervisor", "DELETE", f"/crossings/{id_}/claim")
    body = {"verdict": "dismiss", "reason": "a deer"}
    claim("analyst", "POST", f"/crossings/{id_}/reviews", json=body, headers={"If-Match": etag})
    route.continue_()


def test_a_verdict_that_comes_back_leaves_the_dialog_about_another_as_it_is(live, desk):
    faster, open_ = deliver(live, "faster", 5), deliver(live, "open", 0)
    at = open_review(desk, live, "analyst")
    at.forgiven.append("/reviews")
    page, keys = at.page, at.page.keyboard
    opened(page, faster)
    holds(page)
    looked(page)
    etag = live.ask("analyst", "GET", f"/crossings/{faster}").headers["ETag"]
    held = held_back(page, f"**/crossings/{faster}/reviews")
    keys.press("c")
    on_its_way = come(page, held, "c")
    opened(page, open_)
    looked(page)
    keys.press("d")
    expect(page.get_by_role("dialog", name="Dismiss")).to_be_visible()
    keys.press("1")
    judge_first(live, faster, etag, on_its_way)
    told = page.locator(".unsent")
    expect(told).to_contain_text("was not recorded", timeout=SOON_MS)
    expect(page).to_have_url(re.compile(open_))
    # Behind the dialog; once that is gone the page goes on to what is next, which may be the one that it leads to.
    link = told.get_by_role("link", name="Look at it again", include_hidden=True)
    expect(link).to_have_attribute("href", f"#/review/{faster}")
    keys.press("Enter")
    judged(live, page, open_, "dismissed")
    assert [(each["verdict"], each["category"]) for each in verdicts_of(live, open_)] == [("dismiss", "animal")]
    assert [each["reviewer"] for each in verdicts_of(live, faster)] == ["key of the analyst"]
    at.open(f"#/review/{faster}")
    page.locator("#overtaken").get_by_role("button", name="Leave it so").click()
    expect(page.get_by_text("was not recorded")).to_have_count(0)


def test_neither_a_held_key_nor_a_clip_that_is_not_shown_yet_judges(live, desk, footage):
    ids = [footage.deliver(live, f"h{n}", tonight(10 * n)) for n in range(3)][::-1]
    at = desk(live, "analyst", "#/account")
    page, keys = at.page, at.page.keyboard
    held = held_back(page, f"**/crossings/{ids[1]}/evidence/clip", "GET")
    page.get_by_role("link", name="Review", exact=True).click()
    opened(page, ids[0])
    keys.down("j")
    keys.down("j")  # the same key, held: what only moves goes on
    keys.up("j")
    opened(page, ids[2])
    keys.press("k")
    keys.press("k")
    opened(page, ids[0])
    looked(page)
    keys.press("c")
    opened(page, ids[1])
    expect(page.get_by_role("button", name="Confirm")).to_be_disabled()
    keys.press("c")
    come(page, held).continue_()
    looked(page)
    keys.down("c")
    opened(page, ids[2])
    looked(page)
    for _ in range(3):
        keys.down("c")
    keys.up("c")
    keys.press("d")
    expect(page.get_by_role("dialog", name="Dismiss")).to_be_visible()  # it is there to be judged yet
    for id_, given in zip(ids, [["confirm"], ["confirm"], []], strict=True):
        judged(live, page, id_, "confirmed" if given else "pending")
        assert [each["verdict"] for each in verdicts_of(live, id_)] == given


def test_a_restart_in_the_middle_of_a_verdict_loses_and_doubles_nothing(serve, desk):
    with serve() as live:
        port = int(live.url.rsplit(":", 1)[1])
        arrived, lost = deliver(live, "arrived", 5), deliver(live, "lost", 0)
        at = open_review(desk, live, "analyst")
        at.forgiven += ["ERR_", "/events/stream", "/reviews", "/claim", "/seen", "Failed to load resource"]
        page = at.page
        opened(page, arrived)
        holds(page)
        looked(page)
        taken = []

        def unanswered(route):
            if not taken:
                taken.append(route.fetch().status)
            route.abort()

        # Of the first the service takes the verdict, and dies before it answers; the second leaves no sooner.
        page.route(f"**/crossings/{arrived}/reviews", unanswered)
        page.keyboard.press("c")
        judged(live, page, arrived, "confirmed")
        opened(page, lost)
        looked(page)
        page.keyboard.press("c")
        said(page, "2 verdicts have not arrived")
        assert verdicts_of(live, lost) == []
    page.unroute(f"**/crossings/{arrived}/reviews")
    with serve(port):
        judged(live, page, lost, "confirmed")
        judged(live, page, arrived, "confirmed")
        expect(page.get_by_text("not arrived")).to_have_count(0, timeout=SOON_MS)
        assert [len(verdicts_of(live, each)) for each in (lost, arrived)] == [1, 1]


def test_a_lost_connection_keeps_verdict_and_note_over_a_reload(live, desk):
    id_, _other = deliver(live, "offline", 5), deliver(live, "other", 0)
    at = open_review(desk, live, "analyst")
    at.forgiven += ["ERR_", "/events/stream"]
    page = at.page
    opened(page, id_)
    page.get_by_role("textbox", name="Note").fill("half a")
    page.locator("body").click(position={"x": 5, "y": 5})
    page.context.set_offline(True)
    page.get_by_role("button", name="Confirm").click()
    said(page, "1 verdict has not arrived")
    page.context.set_offline(False)
    judged(live, page, id_, "confirmed")
    expect(page.get_by_text("has not arrived")).to_have_count(0, timeout=SOON_MS)  # the page has heard so, too
    assert len(verdicts_of(live, id_)) == 1
    at.open(f"#/review/{id_}")
    page.reload()
    opened(page, id_)
    expect(page.get_by_role("textbox", name="Note")).to_have_value("half a", timeout=SOON_MS)


def test_a_verdict_outlives_the_page_that_it_was_given_in_and_goes_once_its_person_says_so(serve, desk):
    with serve() as live:
        port = int(live.url.rsplit(":", 1)[1])
        id_ = deliver(live, "closed")
        at = open_review(desk, live, "analyst", locale="en-GB")  # a context of its own: its page goes
        at.forgiven += ["ERR_", "/events/stream", "/reviews", "/claim", "/seen", "Failed to load resource"]
        page = at.page
        opened(page, id_)
        holds(page)
        looked(page)
        held = held_back(page, f"**/crossings/{id_}/reviews")
        page.keyboard.press("c")
        come(page, held, "c").abort()
        said(page, "1 verdict has not arrived")
        page.close()
        assert verdicts_of(live, id_) == []
    with serve(port):
        page = at.page.context.new_page()
        at.hear(page)
        page.goto(f"{live.url}/#/review")
        left = page.locator(".left")
        expect(left).to_contain_text("It is not sent before you say so")
        expect(left.get_by_role("listitem")).to_contain_text("confirmed")
        at.page = page
        opened(page, id_)
        assert at.axe_in_every_theme("review-left") == []
        assert verdicts_of(live, id_) == []
        left.get_by_role("button", name="It is mine: send it").click()
        judged(live, page, id_, "confirmed")
        expect(left).to_have_count(0, timeout=SOON_MS)
        expect(page.get_by_text("Nothing here.")).to_be_visible(timeout=SOON_MS)
        assert [each["reviewer"] for each in verdicts_of(live, id_)] == ["Analyst"]


def test_what_somebody_has_planted_in_the_browser_is_not_said_in_the_name_of_the_next(live, desk):
    ids = [deliver(live, f"planted{n}", 10 * n) for n in range(2)]
    accounts = live.ask("administrator", "GET", "/accounts").json()
    analyst = next(one["id"] for one in accounts if one["login"] == "analyst")
    at = desk(live, "analyst", "#/account")  # somebody with the same account of the computer writes what they like
    page = at.page
    for n, id_ in enumerate(ids):
        etag = live.ask("analyst", "GET", f"/crossings/{id_}").headers["ETag"]
        said = {"record_id": id_, "etag": etag, "given": 1_790_000_000_000 + n, "known": 0, "away": False}
        said |= {"verdict": "dismiss", "reason": "nothing there", "category": "other"}
        kept = [f"vedette.review.outbox.{analyst}.{id_}", json.dumps(said)]
        page.evaluate("([name, text]) => localStorage.setItem(name, text)", kept)
    page.reload()
    page.get_by_role("link", name="Review", exact=True).click()
    left = page.locator(".left")
    expect(left.get_by_role("listitem")).to_have_count(2)
    expect(left.get_by_role("listitem").first).to_contain_text("nothing there")
    opened(page, ids[1])
    left.get_by_role("button", name="Throw it away").first.click()
    said_of_it = page.get_by_text("Taken back: nothing was said.")
    expect(said_of_it).to_be_visible()
    expect(left.get_by_role("listitem")).to_have_count(1)
    looked(page)
    page.keyboard.press("c")  # what they say themselves of the other one counts, and nothing else
    judged(live, page, ids[1], "confirmed")
    expect(left).to_have_count(0)
    # The service may have it before the page has heard so, and the next page asks for what it has not heard of.
    page.wait_for_function("() => !Object.keys(localStorage).some(name => name.includes('outbox'))")
    page.reload()
    opened(page, ids[0])
    expect(left).to_have_count(0)
    assert [len(verdicts_of(live, each)) for each in ids] == [0, 1]
    assert page.evaluate("Object.keys(localStorage).filter(name => name.includes('outbox'))") == []


def test_what_a_network_in_between_answers_is_no_word_on_a_verdict(live, desk):
    id_ = deliver(live, "between")
    at = open_review(desk, live, "analyst")
    at.forgiven.append("/reviews")
    page = at.page
    opened(page, id_)
    looked(page)
    login = {"content_type": "text/html", "body": "<h1>Log in to the network</h1>"}
    statuses = [401, 403]
    page.route(
        f"**/crossings/{id_}/reviews",
        lambda route: (
            route.fulfill(status=statuses.pop(), **login)
            if statuses and route.request.method == "POST"
            else route.fallback()
        ),
    )
    page.keyboard.press("c")
    judged(live, page, id_, "confirmed")
    assert statuses == []
    assert len(verdicts_of(live, id_)) == 1
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_a_partner_reads_what_was_released_and_judges_nothing(live, desk, footage):
    id_, _kept = footage.deliver(live, "shared", tonight(-2 * 86_400)), deliver(live, "kept", 5)
    etag = live.ask("analyst", "GET", f"/crossings/{id_}").headers["ETag"]
    live.ask(
        "analyst", "POST", f"/crossings/{id_}/reviews", json={"verdict": "confirm"}, headers={"If-Match": etag}
    )  # fmt: skip
    fields = ["kind", "position", "track", "clip", "direction"]
    live.ask("administrator", "POST", "/agreements", json=agreement_json(live.partner_id, fields=fields))
    live.ask("supervisor", "POST", "/releases", json={"record_id": id_, "partner_id": live.partner_id})
    at = open_review(desk, live, "partner")
    page = at.page
    opened(page, id_)
    expect(rows(page).get_by_role("option")).to_have_count(1, timeout=SOON_MS)
    expect(page.get_by_label("Clip").locator("video")).to_be_visible(timeout=SOON_MS)
    expect(page.locator(".ground canvas")).to_be_visible()
    for name in ("Confirm", "Dismiss", "Merge", "Add note"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    assert json.loads(live.ask("partner", "GET", "/crossings").content)["numberReturned"] == 1
    # Nothing of theirs is new enough for Fly: its map begins where the last was.
    page.get_by_role("link", name="Fly", exact=True).click()
    expect(page.get_by_text("No crossing in the last 24 hours")).to_be_visible()
    middle_is(page, f"{LAT:.2f}")


def test_a_pilot_looks_at_what_was_seen_and_judges_nothing(live, desk, footage):
    id_ = footage.deliver(live, "seen", tonight(0))
    at = open_review(desk, live, "pilot")
    page = at.page
    opened(page, id_)
    expect(page.get_by_label("Clip").locator("video")).to_be_visible(timeout=SOON_MS)
    for name in ("Confirm", "Dismiss", "Merge", "Add note", "Take over"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    heading, facts = page.locator(".below h2").bounding_box(), page.locator(".below dl.facts").bounding_box()
    assert heading["x"] == facts["x"]  # nothing is beside it that it would make room for
    asked = len(at.requests)
    for key in "cdmngu":
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_have_count(0)
    at.picture("review-pilot")
    assert [url for url in at.requests[asked:] if "/reviews" in url or "/claim" in url] == []
    assert (state_of(live, id_)["state"], verdicts_of(live, id_)) == ("pending", [])


def test_readable_in_three_themes_and_on_a_tablet(live, desk, footage):
    live.ask("pilot", "POST", "/segments", json=record_json("segments") | BORDER | {"retention_days": 3650})
    ids = [footage.deliver(live, f"p{n}", tonight(40 * n), direction=["outbound", "inbound"][n % 2]) for n in range(6)]
    at = open_review(desk, live, "analyst")
    page = at.page
    opened(page, ids[-1])
    expect(page.get_by_label("Clip").locator("video")).to_be_visible(timeout=SOON_MS)
    page.get_by_label("Clip").locator("video").evaluate("it => { it.pause(); it.currentTime = 3.05 }")
    for theme in THEMES:
        at.prefer("Theme", theme)
        expect(page.locator(".maplibregl-canvas")).to_be_visible()
        assert at.axe(colours_alone=theme != THEMES[0]) == []
        at.picture(f"review-{theme}")
        assert at.red_alone() is (theme == "night")
    for width, height in ((1024, 768), (768, 1024)):
        page.set_viewport_size({"width": width, "height": height})
        expect(page.get_by_role("button", name="Confirm")).to_be_in_viewport()
        expect(page.get_by_label("Clip").locator("video")).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        at.picture(f"review-{width}")
    page.set_viewport_size({"width": 640, "height": 400})  # as at 1280 x 800 for who has made all twice as large
    page.get_by_role("button", name="Confirm").click(trial=True)
    screen = page.get_by_label("Clip").locator("video").bounding_box()
    assert screen is not None
    assert screen["height"] > 100
    at.picture("review-zoomed")


def test_a_clip_plays_by_itself_where_nobody_asked_for_less_motion(live, desk, footage):
    id_ = footage.deliver(live, "m", tonight(0))
    page = open_review(desk, live, "analyst", reduced_motion="no-preference").page
    opened(page, id_)
    video = page.get_by_label("Clip").locator("video")
    expect(video).to_have_js_property("paused", False, timeout=SOON_MS)
    page.wait_for_function("() => document.querySelector('video').currentTime > 0")
    page.get_by_role("button", name="Pause").click()
    expect(video).to_have_js_property("paused", True)
