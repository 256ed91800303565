"""Pages that are kept from one test to the next: a new one costs a second, most of it for a process of its own."""

from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize

_NOWHERE = "about:blank"


class Seats:
    """The pages of one browser, each in a context of its own.

    Parameters
    ----------
    chromium
        The browser; the contexts end with it.
    """

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._free: list[Page] = []
        self._kept: set[Page] = set()

    def take(self, size: ViewportSize, *, kept: bool, **context: Any) -> Page:
        """A page at which nobody sits, nothing is moved for show, and nothing is remembered of anybody.

        Parameters
        ----------
        kept
            Whether it may be one that was left, and may be left to the next. Addresses are whole ones there: services
            come and go while the page stays.
        **context
            Settings of a context of its own, for a page that is not kept.
        """
        if kept and self._free:
            page = self._free.pop()
            page.set_viewport_size(size)
            return page
        usual = {"locale": "en-GB", "timezone_id": "Europe/Athens", "reduced_motion": "reduce"}
        page = self._chromium.new_context(viewport=size, **usual | context).new_page()
        page.set_default_timeout(60_000)
        if kept:
            self._kept.add(page)
        return page

    def leave(self, page: Page) -> None:
        """Forget all that was done at a page; one that is not kept is closed."""
        context = page.context
        if page not in self._kept:
            context.close()
            return
        for other in context.pages:
            if other is not page:
                other.close()
        page.unroute_all(behavior="ignoreErrors")
        context.set_offline(False)
        context.clear_permissions()
        if page.url != _NOWHERE:
            page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
        page.goto(_NOWHERE)
        context.clear_cookies()
        self._free.append(page)
