"""The frame of the page: way in and out, views by role, themes, the marking, the policy it runs under."""

import pytest
from playwright.sync_api import expect

from tests.console.desk import ROLES

VIEWS = {
    "pilot": ["Plan", "Fly", "Review"],
    "analyst": ["Fly", "Review"],
    "supervisor": ["Fly", "Review", "Share", "Account"],
    "partner": ["Fly", "Review", "Share"],
    "auditor": ["Share", "Account"],
    "administrator": ["Share", "Account"],
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_its_views(live, desk, role):
    page = desk(live, role).page
    links = page.get_by_role("navigation", name="Views").get_by_role("link")
    assert links.all_inner_texts() == VIEWS[role]
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Login")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Login")).to_be_visible()


def test_a_wrong_password_is_refused_and_a_one_time_secret_replaced(live, desk):
    secret = live.ask("administrator", "POST", "/accounts", json={"login": "new", "name": "New", "role": "analyst"})
    at = desk(live, None)
    at.forgiven += ["/me", "/login"]
    at.open()
    page = at.page
    page.get_by_label("Login").fill("new")
    page.get_by_label("Password", exact=True).fill("nothing like it at all")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    page.get_by_label("Password", exact=True).fill(secret.json()["secret"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("New password").fill("eleven loud herons fly")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("New analyst")).to_be_visible()


def test_the_page_runs_under_a_strict_policy_and_nothing_leaves_the_host(live, desk):
    at = desk(live, "supervisor")
    answer = at.page.request.get("/")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    for view in VIEWS["supervisor"]:
        at.page.get_by_role("link", name=view, exact=True).click()
        expect(at.page.get_by_role("heading", level=1)).to_be_visible()
    blocked = at.page.evaluate("fetch('https://example.org/').then(() => 'left', () => 'kept')")
    assert blocked == "kept"
    at.forgiven.append("example.org")
    assert len(at.requests) > 5
    at.requests = [url for url in at.requests if "example.org" not in url]


def test_themes_and_the_marking_last(live, desk):
    at = desk(live, "analyst")
    page = at.page
    for theme in ("light", "dark", "night"):
        page.get_by_label("Theme").select_option(theme)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        expect(page.locator(".banner.top")).to_be_in_viewport()
        expect(page.locator(".banner.bottom")).to_be_in_viewport()
        assert at.axe() == []
        at.picture(f"shell-{theme}")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "night")
