"""The view Fly: vehicles as they move, alarms, orders that are followed to their end, live pictures."""

import itertools
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import cv2
import mgrs
import numpy as np
import pyproj
import pytest
from playwright.sync_api import expect

from api.planning.settings import PlanningSettings
from tests.api.samples import agreement_json, record_json
from tests.console.desk import THEMES, at_rest, middle_is, pixels, told_apart
from tests.console.footage import LAT, tonight, walk

BORDER = {"name": "Nogales", "line": [[-110.98, 31.333], [-110.88, 31.333]], "own_side": "left", "stand_off_m": 200.0}
_LATER = itertools.count()


def soon(seconds=0.0):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def have(live, collection, source_id="a", **more):
    """A record, delivered as the pilot's ground station does it."""
    role = "sensor" if collection == "cues" else "pilot"
    body = record_json(collection, source_id) | {"update_time": soon()} | more
    if collection == "cues":
        del body["update_time"]
    return live.ask(role, "POST", f"/{collection}", json=body).json()["id"]


def fly(live, source_id, **state):
    """The vehicle says where it is; states of one vehicle within the same moment come one after another."""
    usual = {"source": "station", "source_id": source_id, "state": "on task", "lat": 31.34, "lon": -110.94}
    usual |= {"update_time": soon(next(_LATER) / 1000), "battery_left": 0.8, "link": "good", "mode": "AUTO"}
    usual |= {"altitude_amsl_m": 1240.0, "heading_deg": 90.0, "speed_m_s": 12.0}
    answer = live.ask("pilot", "PUT", "/vehicles/states", json={"states": [usual | state]}).json()
    assert answer["counts"] == {"taken": 1}, answer


def cue(live, at=(-110.93, 31.338), kind="radar"):
    body = record_json("cues", f"{kind}{at}")
    body |= {"phenomenonTime": soon(), "resultTime": soon(), "location": {"type": "Point", "coordinates": list(at)}}
    return live.ask("sensor", "POST", "/cues", json=body | {"kind": kind}).json()["id"]


@pytest.fixture
def sky(live):
    return populate(live)


def populate(live):
    """A border, two vehicles that fly and one that does not."""
    have(live, "segments", **BORDER)
    ids = {
        name: have(live, "vehicles", name, name=name, frame=frame)
        for name, frame in (("heron", "copter"), ("kite", "plane"), ("swift", "vtol"))
    }
    fly(live, "heron")
    fly(live, "kite", lon=-110.92, lat=31.345, heading_deg=270.0)
    return ids


def open_fly(desk, live, role, **size):
    at = desk(live, role, "#/fly", **size)
    expect(at.page.get_by_role("region", name="Vehicles", exact=True)).to_be_visible()
    return at


def row(page, name):
    return page.get_by_role("region", name="Vehicles", exact=True).get_by_role("button", name=name)


def choose(page, name):
    row(page, name).click()
    return page.get_by_role("region", name=name, exact=True)


def orders_of(live):
    return live.ask("pilot", "GET", "/orders").json()


def tell(live, order_id, state, words=None):
    """The ground station says what came of an order."""
    body = {"station": "5" * 32, "state": state} | ({} if words is None else {"words": words})
    live.ask("pilot", "PUT", f"/orders/{order_id}/outcome", json=body)


def utm(lat, lon):
    """A place of the zone 12 by PROJ."""
    east, north = pyproj.Proj(proj="utm", zone=12, ellps="WGS84")(lon, lat)
    return f"12 N {east:.0f} {north:.0f}"


def test_vehicles_appear_move_raise_alarms_and_go_stale(live, desk, sky):
    at = open_fly(desk, live, "pilot")
    page, alarms = at.page, at.page.get_by_role("region", name="Alarms")
    expect(row(page, "heron")).to_contain_text("80%")
    expect(row(page, "swift")).to_contain_text("not flying")
    expect(alarms).to_contain_text("No alarms")

    fly(live, "heron", lon=-110.935, battery_left=0.2, link="lost")
    expect(row(page, "heron")).to_contain_text("link lost")
    expect(alarms.get_by_role("listitem").first).to_contain_text("heron: link lost")
    expect(alarms.get_by_role("listitem").nth(1)).to_contain_text("heron: battery low, 20")
    expect(page.get_by_role("alert").first).to_contain_text("heron")
    expect(choose(page, "heron")).to_contain_text("110.935")
    expect(choose(page, "heron")).to_contain_text("1,240 m AMSL")
    for form, told in (("MGRS", mgrs.MGRS().toMGRS(31.34, -110.935)), ("UTM", utm(31.34, -110.935))):
        at.prefer("Places", form)
        place = page.get_by_role("region", name="heron", exact=True).locator(".place").inner_text()
        assert "".join(place.split()) == "".join(told.split())
    at.prefer("Places", "Lat, lon")

    # Seen, and true no more: gone. Not seen: it stays though it is over.
    page.keyboard.press("a")
    expect(alarms.get_by_text("1 new")).to_be_visible()
    fly(live, "heron", lon=-110.935)
    expect(alarms.get_by_role("listitem")).to_have_count(1)
    expect(alarms.get_by_role("listitem").first).to_contain_text("battery low, 20 % over")
    page.keyboard.press("a")
    expect(alarms).to_contain_text("No alarms")

    fly(live, "kite", lat=31.3336, update_time=soon(1))
    expect(alarms).to_contain_text("kite is 67 m from the border: less than 200 m")
    fly(live, "kite", lat=31.3320, update_time=soon(2))
    expect(alarms).to_contain_text("kite is across the border")


def test_who_is_chosen_in_the_list_is_brought_into_sight(live, desk, sky):
    page = open_fly(desk, live, "pilot").page
    middle_is(page, "110.93")  # as the map is first: both vehicles are on it
    fly(live, "kite", lon=-112.5, lat=31.9)
    expect(choose(page, "kite")).to_contain_text("112.5")
    choose(page, "heron")
    middle_is(page, "110.93")  # it is on the map, which stays as it is
    choose(page, "kite")
    middle_is(page, "112.5")
    # To the end of its way, though nothing more is heard of it and few steps are shown to who wants little motion.
    choose(page, "kite").get_by_role("button", name="Follow").click()
    fly(live, "kite", lon=-112.465, lat=31.9)
    middle_is(page, "112.46")


def test_what_a_camera_sees_is_drawn_on_the_map(live, desk, sky):
    page = open_fly(desk, live, "pilot").page
    middle_is(page, "110.93")  # between the two that fly
    page.mouse.move(1, 1)
    box = page.locator(".map canvas").bounding_box()
    clip = {"x": box["x"] + box["width"] / 2 - 10, "y": box["y"] + box["height"] / 2 - 10, "width": 20, "height": 20}
    bare = at_rest(page, clip)
    ring = [[-110.934, 31.341], [-110.926, 31.341], [-110.926, 31.344], [-110.934, 31.344], [-110.934, 31.341]]
    sees = {"footprint": {"type": "Polygon", "coordinates": [ring]}}
    fly(live, "heron", **sees)
    shows(page, clip, lambda seen: seen != bare)
    tinted = at_rest(page, clip)
    fly(live, "heron")  # it says no more what it sees
    shows(page, clip, lambda seen: seen != tinted)  # not what was at first: a slow machine may draw the base map since
    fly(live, "heron", **sees)
    shows(page, clip, lambda seen: seen == tinted)
    # Where it was before is drawn from one place to the next, through the middle of the map, which no label reaches.
    fly(live, "heron", lat=31.3425, lon=-110.941, update_time=soon(3))
    expect(choose(page, "heron")).to_contain_text("110.941")
    page.keyboard.press("Escape")
    page.mouse.move(1, 1)
    shows(page, clip, lambda seen: seen != tinted)
    before = at_rest(page, clip)
    fly(live, "heron", lat=31.3425, lon=-110.924, update_time=soon(6))
    shows(page, clip, lambda seen: level(seen, before))
    trail = at_rest(page, clip)
    fly(live, "heron", lat=31.3425, lon=-110.922, update_time=soon(9))
    expect(choose(page, "heron")).to_contain_text("110.922")
    page.keyboard.press("Escape")
    page.mouse.move(1, 1)
    shows(page, clip, lambda seen: seen == trail)
    # Where it is to fly, through the middle too, but of the one that is chosen alone, and of its own sortie.
    have(live, "sorties", "s1", way=[[-110.935, 31.3375], [-110.925, 31.3475]])
    have(live, "sorties", "s2", way=[[-110.93, 31.35], [-110.93, 31.33]])
    fly(live, "heron", lat=31.3425, lon=-110.922, sortie="s1", update_time=soon(12))
    assert at_rest(page, clip) == trail
    choose(page, "heron")
    page.mouse.move(1, 1)
    shows(page, clip, lambda seen: diagonal(seen, trail))
    page.keyboard.press("Escape")
    shows(page, clip, lambda seen: seen == trail)


def level(seen, before):
    """Whether what is drawn more runs from side to side."""
    y, x = np.nonzero(np.abs(pixels(seen) - pixels(before)).max(axis=2) > 20)
    return len(set(x)) > 18 and np.ptp(y) <= 6


def diagonal(seen, before):
    """Whether what is drawn more runs from the lower left to the upper right."""
    y, x = np.nonzero(np.abs(pixels(seen) - pixels(before)).max(axis=2) > 20)
    off = np.abs(y - 9.5) > 4  # the trail itself is wider of the one that is chosen
    return np.count_nonzero(off) > 5 and np.corrcoef(x[off], y[off])[0, 1] < -0.9


def shows(page, clip, which):
    """Wait until a part of the page is as it is to be."""
    for _ in range(200):
        if which(page.screenshot(clip=clip)):
            return
        page.wait_for_timeout(100)
    raise AssertionError("the map stays as it was")


CROSSING = 0x9A, 0x4D, 0x00
"""Of the light theme."""


def test_where_there_are_crossings_alone_the_map_shows_them_whatever_they_are_called(live, desk):
    """One id of twelve thousand begins with twenty digits: as a number it is more than a tile has room for."""
    told = live.ask("pilot", "POST", "/crossings", json=walk("alone", tonight(0))).json()["id"]
    at = desk(live, "analyst", "#/account")
    at.page.route(
        "**/crossings?*",
        lambda route: route.fulfill(body=route.fetch().text().replace(told, "98765432" * 4)),
    )
    at.open("#/fly")
    page = at.page
    middle_is(page, f"{LAT:.2f}")
    box = page.locator(".map canvas").bounding_box()
    clip = {"x": box["x"] + box["width"] / 2 - 10, "y": box["y"] + box["height"] / 2 - 10, "width": 20, "height": 20}
    shows(page, clip, lambda seen: has_colour(seen, CROSSING))
    expect(page.locator(".notice.bad")).to_have_count(0)


def has_colour(png, rgb):
    return bool((np.abs(pixels(png) - rgb).max(axis=2) <= 3).any())


def test_a_vehicle_that_is_not_heard_any_more_is_shown_as_old(live, desk, sky):
    at = open_fly(desk, live, "analyst")
    page = at.page
    fly(live, "heron")
    expect(row(page, "heron")).to_contain_text("link good")
    gives_no_orders(at, live)
    # The next that is heard of it is half a minute old: its time is over.
    have(live, "vehicles", "owl", name="owl")
    fly(live, "owl", update_time=soon(-31))
    expect(row(page, "owl")).to_contain_text("not heard")
    expect(page.get_by_role("region", name="Alarms")).to_contain_text("owl is not heard any more")


LISTENS = """() => {
  // What goes to the loudspeaker is listened to on its way: how loud it becomes, and what is loudest in it.
  window.heard = { tones: [], context: null };
  const plain = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to !== this.context.destination) return plain.call(this, to, ...more);
    const { context } = this;
    const [ear, tone] = [context.createAnalyser(), { hertz: 0, loud: 0 }];
    ear.fftSize = 2048;
    const [wave, bins] = [new Float32Array(ear.fftSize), new Float32Array(ear.frequencyBinCount)];
    const listen = setInterval(() => {
      ear.getFloatTimeDomainData(wave);
      const loud = Math.max(...wave);
      if (loud <= tone.loud) return;
      ear.getFloatFrequencyData(bins);
      Object.assign(tone, { loud, hertz: (bins.indexOf(Math.max(...bins)) * context.sampleRate) / ear.fftSize });
    }, 10);
    setTimeout(() => clearInterval(listen), 2000);
    window.heard.context = context;
    window.heard.tones.push(tone);
    plain.call(this, ear);
    return plain.call(ear, to, ...more);
  };
}"""
HEARD = "heard.tones.filter(one => one.loud > 0).map(one => [heard.context.state, one.hertz, one.loud])"
"""Tones that were there to be heard: whether the loudspeaker runs, how high each is, and how loud at most (of 1)."""


def test_the_watch_goes_on_under_other_views_and_ends_with_the_session(live, desk, sky):
    at = open_fly(desk, live, "analyst")
    page, alarms = at.page, at.page.get_by_role("region", name="Alarms")
    page.evaluate(LISTENS)
    expect(row(page, "heron")).to_contain_text("80%")
    fly(live, "heron", link="lost")
    expect(alarms).to_contain_text("heron: link lost")
    assert page.evaluate(HEARD) == []  # nobody has asked for it
    page.get_by_label("Sound").check()
    page.wait_for_function(f"() => {HEARD}.length === 1")  # how it sounds
    page.get_by_role("link", name="Review", exact=True).click()
    expect(alarms).to_have_count(0)
    cue(live, kind="acoustic")
    page.wait_for_function(f"() => {HEARD}.length === 2")
    assert all(state == "running" and 300 < hertz < 3000 and loud > 0.05 for state, hertz, loud in page.evaluate(HEARD))
    page.evaluate("heard.context.suspend()")  # as a tablet does that was locked
    fly(live, "kite", link="lost")
    page.wait_for_function(f"() => {HEARD}.length === 3 && {HEARD}[2][0] === 'running'")
    page.get_by_role("link", name="Fly", exact=True).click()
    page.get_by_label("Sound").uncheck()
    fly(live, "kite", battery_left=0.1)
    expect(alarms).to_contain_text("kite: battery low")
    assert len(page.evaluate(HEARD)) == 3
    page.get_by_label("Sound").check()
    expect(alarms).to_contain_text("Cue: acoustic, gate-3")
    expect(page.get_by_label("Sound")).to_be_checked()
    at.forgiven += ["/me", "/stream"]
    accounts = live.ask("administrator", "GET", "/accounts").json()
    analyst = next(one["id"] for one in accounts if one["login"] == "analyst")
    live.ask("administrator", "DELETE", f"/accounts/{analyst}/sessions")
    expect(page.get_by_text("Your session has ended")).to_be_visible()  # nobody clicked anything
    at.fill_in("analyst")
    expect(alarms).to_contain_text("Cue: acoustic, gate-3")
    fly(live, "heron", battery_left=0.1)
    expect(alarms).to_contain_text("heron: battery low, 10")


def test_a_page_is_never_gone_on_with_by_somebody_else(live, desk, sky):
    at = open_fly(desk, live, "analyst")
    page = at.page
    fly(live, "heron", link="lost")
    expect(page.get_by_role("region", name="Alarms")).to_contain_text("heron: link lost")
    at.forgiven += ["/me", "/stream"]
    at.log_out()
    at.fill_in("partner")
    expect(page.get_by_text("No vehicle is shared with you")).to_be_visible()
    expect(page.get_by_role("region", name="Alarms")).to_contain_text("No alarms")


def test_by_keyboard_alone(live, desk, sky):
    page = open_fly(desk, live, "pilot").page
    expect(row(page, "heron")).to_be_visible()
    page.get_by_role("heading", name="Fly").wait_for(state="attached")
    page.keyboard.press("j")
    expect(row(page, "heron")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("j")
    expect(row(page, "kite")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("k")
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("b")
    expect(page.get_by_role("dialog", name="Call heron back?")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("region", name="heron", exact=True)).to_contain_text("waits for the ground station")
    (order,) = orders_of(live)
    assert (order["kind"], order["vehicle"]["source_id"]) == ("return", "heron")
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="heron", exact=True)).to_have_count(0)


def test_orders_are_confirmed_given_once_and_followed_to_their_end(live, desk, sky):
    at = open_fly(desk, live, "pilot")
    page = at.page
    heron = choose(page, "heron")
    heron.get_by_role("button", name="Pause p").click()  # with its key
    dialog = page.get_by_role("dialog", name="Pause heron?")
    expect(dialog).to_contain_text("holds its place until it is told to go on")
    dialog.get_by_role("button", name="Cancel").click()
    assert orders_of(live) == []

    # The order arrives and its answer is lost on the way: the same order is kept, and sent again.
    at.forgiven.append("/orders")
    held = []

    def hold(route):
        held.append(route)

    page.route("**/orders", hold)
    heron.get_by_role("button", name="Pause").click()
    with page.expect_request("**/orders"):
        dialog.get_by_role("button", name="Pause").click()
    # While nobody can tell whether it was given, nothing closes it.
    for _ in range(3):
        page.keyboard.press("Escape")
    dialog.evaluate("one => one.close()")  # as a browser does when it is asked twice, by a gesture
    expect(dialog.get_by_role("button", name="Cancel")).to_be_disabled()
    held[0].fetch()
    held[0].abort()
    expect(dialog.get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute("**/orders")
    # Whoever gives up, and wants the same again at once, gives no second one.
    dialog.get_by_role("button", name="Cancel").click()
    heron.get_by_role("button", name="Pause").click()
    page.route("**/orders", lambda route: (route.fetch(), route.abort()))
    dialog.get_by_role("button", name="Pause").click()
    expect(dialog.get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute("**/orders")
    dialog.get_by_role("button", name="Try again").click()
    expect(dialog).to_have_count(0)
    expect(heron).to_contain_text("waits for the ground station")
    (order,) = orders_of(live)
    tell(live, order["id"], "taken")
    expect(heron).to_contain_text("taken by the ground station")
    tell(live, order["id"], "refused", "the patrol is on its way home")
    expect(heron).to_contain_text("Pause: refused")
    expect(heron).to_contain_text("the patrol is on its way home")

    heron.get_by_role("button", name="Land here").click()
    expect(page.get_by_role("dialog")).to_contain_text("right where it is")
    page.get_by_role("dialog").get_by_role("button", name="Land here").click()
    expect(heron).to_contain_text("Land here: waits")
    heron.get_by_role("button", name="Withdraw").click()
    expect(heron).to_contain_text("Land here: withdrawn")
    assert [each["state"] for each in orders_of(live)] == ["withdrawn", "refused"]


def test_an_order_that_nobody_took_in_time_is_shown_as_expired(live, desk, sky):
    page = open_fly(desk, live, "pilot").page
    heron = choose(page, "heron")
    wish = {"client_id": "1", "vehicle": {"source": "station", "source_id": "heron"}, "kind": "pause", "expires_s": 1}
    own = {"Origin": live.url, "X-Vedette-Csrf": page.request.get(f"{live.url}/me").json()["csrf"]}
    assert page.request.post(f"{live.url}/orders", data=wish, headers=own).status == 201
    expect(heron).to_contain_text("Pause: expired")


def test_a_vehicle_is_sent_to_a_cue_of_the_list_and_to_a_place_of_the_map(live, desk, sky):
    cue_id = cue(live)
    page = open_fly(desk, live, "pilot").page
    heron = choose(page, "heron")
    heron.get_by_role("button", name="Dispatch").click()
    page.get_by_role("region", name="Where to send heron?").get_by_role("button", name="radar").click()
    dialog = page.get_by_role("dialog", name="Send heron off its plan?")
    expect(dialog).to_contain_text("To the cue radar of gate-3")
    dialog.get_by_role("button", name="Dispatch").click()
    expect(heron).to_contain_text("Dispatch: waits")
    (order,) = orders_of(live)
    assert order["cue_id"] == cue_id
    tell(live, order["id"], "taken")
    tell(live, order["id"], "accepted")
    tell(live, order["id"], "done")
    expect(heron).to_contain_text("Dispatch: done")

    page.keyboard.press("d")
    page.get_by_role("region", name="Map of the vehicles").click(position={"x": 80, "y": 500})
    expect(dialog).to_contain_text("To 31.")
    dialog.get_by_role("button", name="Dispatch").click()
    expect(heron).to_contain_text("Dispatch: waits")
    place = orders_of(live)[0]["place"]
    assert (round(place["lat"], 1), round(place["lon"], 1)) == (31.3, -110.9)


def picture(live, grey, stream, name, of=None):
    """A stream shows a picture that is grey all over."""
    _, made = cv2.imencode(".jpg", np.full((90, 160, 3), grey, np.uint8))
    query = {"name": name} | ({} if of is None else {"of": of})
    headers = {"Content-Type": "image/jpeg"}
    live.ask("pilot", "PUT", f"/streams/{stream}/picture", params=query, content=made.tobytes(), headers=headers)


def test_the_pictures_of_every_stream_are_shown_and_renewed(live, desk, sky):
    def show(grey, stream="cam-1", name="Belly", of="heron"):
        picture(live, grey, stream, name, sky.get(of))

    show(40)
    show(90, "cam-2", "Nose")
    show(140, "mast", "Mast at the bridge", None)
    at = open_fly(desk, live, "analyst")
    at.forgiven.append("/picture")
    heron = choose(at.page, "heron")
    pictures = heron.get_by_role("img", name="Live picture of")
    shown = {name: heron.get_by_role("img", name=f"Live picture of {name}") for name in ("Belly", "Nose")}
    for name, grey in (("Belly", 40), ("Nose", 90)):
        expect(shown[name]).to_have_js_property("naturalWidth", 160)
        assert shown[name].evaluate(GREY) == pytest.approx(grey, abs=2)
    expect(pictures).to_have_count(2)
    before = shown["Belly"].get_attribute("src")
    show(200)
    expect(shown["Belly"]).not_to_have_attribute("src", before)
    assert shown["Belly"].evaluate(GREY) == pytest.approx(200, abs=2)
    at.picture("fly-pictures")
    choose(at.page, "kite")
    expect(at.page.get_by_text("No live picture")).to_be_visible()
    at.page.get_by_text("Other cameras").click()
    mast = at.page.get_by_role("img", name="Live picture of Mast at the bridge")
    expect(mast).to_have_js_property("naturalWidth", 160)
    assert mast.evaluate(GREY) == pytest.approx(140, abs=2)
    at.picture("fly-cameras")


GREY = """async each => {
  await each.decode();
  const canvas = new OffscreenCanvas(each.naturalWidth, each.naturalHeight);
  const pen = canvas.getContext("2d");
  pen.drawImage(each, 0, 0);
  return pen.getImageData(80, 45, 1, 1).data[0];
}"""
"""How bright the middle of a picture is."""


def test_who_looks_on_gives_no_orders_and_is_told_of_what_comes(live, desk, sky):
    at = open_fly(desk, live, "supervisor")
    alarms = at.page.get_by_role("region", name="Alarms")
    gives_no_orders(at, live)
    cue(live, kind="acoustic")
    expect(alarms).to_contain_text("Cue: acoustic, gate-3")
    have(live, "crossings", "new", time=soon(), lat=31.333, lon=-110.93)
    expect(alarms).to_contain_text("Crossing: person, inbound")


def gives_no_orders(at, live):
    """Neither by a button nor by a key."""
    heron = choose(at.page, "heron")
    expect(heron).to_contain_text("m AMSL")
    for name in ("Pause", "Resume", "Return", "Land here", "Dispatch"):
        expect(heron.get_by_role("button", name=name)).to_have_count(0)
    for key in "prbld":
        at.page.keyboard.press(key)
    expect(at.page.get_by_role("dialog")).to_have_count(0)
    expect(at.page.get_by_role("region", name="Where to send heron?")).to_have_count(0)
    assert orders_of(live) == []


def test_a_partner_sees_the_vehicle_that_was_released_while_it_is_and_no_other(live, desk, sky):
    at = open_fly(desk, live, "partner")
    page, vehicles = at.page, at.page.get_by_role("region", name="Vehicles", exact=True)
    expect(page.get_by_text("No vehicle is shared with you")).to_be_visible()
    terms = agreement_json(live.partner_id, records=["vehicle"], fields=["live", "position"])
    live.ask("administrator", "POST", "/agreements", json=terms)
    body = {"record_id": sky["heron"], "partner_id": live.partner_id}
    released = live.ask("supervisor", "POST", "/releases", json=body).json()["id"]
    expect(vehicles.get_by_role("button")).to_have_count(1)
    expect(vehicles).to_contain_text("1 live")
    # It is told where it is, and neither whose it is nor how it fares.
    vehicles.get_by_role("button").click()
    expect(page.locator(".details")).to_contain_text("110.94")
    fly(live, "heron", lon=-110.91, battery_left=0.1)
    expect(page.locator(".details")).to_contain_text("110.91")
    expect(page.get_by_role("region", name="Alarms")).to_contain_text("No alarms")
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    at.picture("fly-partner")
    live.ask("supervisor", "DELETE", f"/releases/{released}", params={"reason": "in error"})
    expect(page.get_by_text("No vehicle is shared with you")).to_be_visible()
    expect(page.locator(".details")).to_have_count(0)


def test_the_page_says_that_the_service_is_away_and_goes_on_when_it_is_back(serve, desk):
    with serve() as live:
        have(live, "vehicles", "heron", name="heron")
        fly(live, "heron")
        at = open_fly(desk, live, "analyst")
        at.forgiven.append("ERR_")  # connections that are refused, cut, or cut short
        expect(row(at.page, "heron")).to_contain_text("80%")
    expect(at.page.get_by_text("Connection lost")).to_be_visible()
    expect(row(at.page, "heron")).to_contain_text("80%")
    with serve(urlsplit(live.url).port):
        fly(live, "heron", battery_left=0.6)
        expect(row(at.page, "heron")).to_contain_text("60%", timeout=20_000)
        expect(at.page.get_by_text("Connection lost")).to_have_count(0)
        at.page.goto("about:blank")  # it is not to hold the service back


def test_it_can_be_read_in_every_theme_and_size(live, desk, sky):
    cue(live)
    for n in range(40):
        have(live, "crossings", str(n), time=soon(-n), lat=31.333, lon=-110.96 + n * 0.002)
    at = open_fly(desk, live, "pilot")
    at.forgiven.append("/picture")  # it is not renewed
    picture(live, 90, "cam-1", "Belly", sky["heron"])
    fly(live, "heron", lon=-110.938, battery_left=0.2)
    expect(at.page.get_by_role("region", name="Alarms")).to_contain_text("battery low")
    for theme in THEMES:
        at.prefer("Theme", theme)
        choose(at.page, "heron")
        expect(at.page.locator("html")).to_have_attribute("data-theme", theme)
        if theme == "light":
            is_drawn_as_a_friend(at.page)
        measure = at.page.get_by_role("button", name="Measure")
        measure.hover()
        off = measure.screenshot()
        measure.click()
        assert told_apart(off, measure.screenshot()), theme
        measure.click()
        for width, height in ((1280, 800), (768, 1024)):
            at.page.set_viewport_size({"width": width, "height": height})
            for order in ("Pause", "Return", "Land here"):  # whatever else there is to be seen of it
                expect(at.page.get_by_role("button", name=order)).to_be_in_viewport(ratio=1)
            assert at.axe(colours_alone=theme != THEMES[0]) == []
            at.picture(f"fly-{theme}-{width}")
            assert at.red_alone() is (theme == "night")
    at.page.set_viewport_size({"width": 640, "height": 400})  # as at 1280 x 800 for who has made all twice as large
    row(at.page, "kite").click(trial=True)


FRIEND = 128, 224, 255
"""The ground of a friend's symbol (MIL-STD-2525D, table of colours: light crystal blue)."""


def is_drawn_as_a_friend(page):
    """On the map, and beside its name: a copter on the vehicle's place, and other kinds otherwise."""
    box = page.locator(".map canvas").bounding_box()
    for _ in range(100):
        ground = np.abs(pixels(page.screenshot(clip=box)) - FRIEND).max(axis=2) <= 3
        count, _, stats, _ = cv2.connectedComponentsWithStats(ground.astype(np.uint8))
        if np.count_nonzero(stats[1:, cv2.CC_STAT_AREA] > 30) >= 2:  # two vehicles fly
            break
        page.wait_for_timeout(100)
    else:
        raise AssertionError(f"{count} places of the map have that colour")
    signs = page.get_by_role("region", name="Vehicles", exact=True).locator("img")
    assert len({each.get_attribute("src") for each in signs.all()}) == 3


def test_the_map_goes_along_with_a_vehicle_that_is_followed(live, desk, sky):
    """With the motion that nearly everybody has: other tests have less of it."""
    page = open_fly(desk, live, "pilot", reduced_motion="no-preference").page
    box = page.locator(".map canvas").bounding_box()
    middle, off = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), itertools.cycle((-1, 1))

    def until_west(low, high):
        for _ in range(200):
            page.mouse.move(middle[0] + next(off), middle[1])
            told = page.locator(".pointer").inner_text()
            if low < float(told.split()[-2].rstrip("°")) < high:
                return
            page.wait_for_timeout(100)
        raise AssertionError(told)

    choose(page, "heron").get_by_role("button", name="Follow").click()
    until_west(110.938, 110.942)
    fly(live, "heron", lon=-110.90)
    until_west(110.85, 110.925)


def test_a_pilot_hears_of_a_cue_as_it_comes_and_the_page_asks_for_none_by_itself(live, desk, sky):
    at = open_fly(desk, live, "pilot")
    alarms = at.page.get_by_role("region", name="Alarms")
    with at.page.expect_request(lambda request: request.url.endswith("/vehicles?limit=1000")):
        at.page.reload()
    expect(row(at.page, "heron")).to_contain_text("80%")
    expect(at.page.get_by_text("Live", exact=True)).to_be_visible()
    at.requests.clear()
    cue(live, kind="infrared")
    expect(alarms).to_contain_text("Cue: infrared, gate-3")
    assert [url for url in at.requests if "/cues" in url or "/crossings" in url] == []


def test_a_height_says_over_what_and_a_way_is_measured_by_hand_and_by_keyboard(peopled, served, desk, tmp_path):
    terrain = tmp_path / "terrain"
    terrain.mkdir()
    np.full((1201, 1201), 1000, dtype=">i2").tofile(terrain / "N31W111.hgt")
    with served(peopled, tmp_path / "service", planning=PlanningSettings(terrain=terrain)) as live:
        populate(live)
        at = open_fly(desk, live, "pilot")
        expect(choose(at.page, "heron")).to_contain_text("240 m above ground 1,240 m AMSL")
        measure(at.page)
        assert at.axe() == []
        at.picture("fly-measure")


def measure(page):
    page.get_by_role("button", name="Measure").click()
    measured = page.get_by_role("region", name="Measure")
    field = measured.get_by_label("Next place")
    field.fill("31.30, -110.94")
    field.press("Enter")
    field.fill("31.40, -110.94")
    field.press("Enter")
    expect(measured.get_by_role("status")).to_contain_text("11.120 km, bearing 000° true")
    measured.get_by_label("Unit of distances").select_option("nm")
    expect(measured.get_by_role("status")).to_contain_text("6.004 nm")
    page.locator(".maplibregl-canvas").click(position={"x": 640, "y": 500})
    expect(measured.get_by_role("listitem")).to_have_count(2)
    assert page.evaluate("location.hash").startswith("#/fly/")  # the click chose nothing else
    page.locator(".maplibregl-canvas").press("Backspace")
    expect(measured.get_by_role("status")).to_contain_text("6.004 nm")
    measured.get_by_role("button", name="Add the middle of the map").click()
    page.locator(".maplibregl-canvas").press("Escape")
    expect(measured).to_have_count(0)
    page.keyboard.press("m")
    expect(measured.get_by_role("status")).to_contain_text("Click on the map")
    for place in ("31.30, -110.94", "31.40, -110.94"):
        field.fill(place)
        field.press("Enter")
