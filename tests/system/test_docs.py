"""What docs and README tell to type: commands are ours, calls are answered by a service, settings are taken."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from api import read_settings
from cli.commands import app
from tests.api.live import Live, Target, live
from tests.api.samples import CLIP, crossing_json
from tests.services import absent

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def lines(page: Path, program: str) -> list[list[str]]:
    """The words of each line that calls a program, without comments."""
    text = "".join(blocks(page, "sh")).replace("\\\n", " ")
    said = [shlex.split(line.removesuffix("&"), comments=True) for line in text.splitlines() if line.strip()]
    return [words[1:] for words in said if words[:1] == [program]]


def take(command: click.Command, name: str, words: list[str], parent: click.Context | None = None) -> None:
    """Have a command line read its words, down to the command that they name; raises as it refuses them."""
    context = command.make_context(name, list(words), parent=parent)
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        found, below, left = command.resolve_command(context, rest)
        assert below is not None
        take(below, str(found), left, context)


TYPED = [(page, words) for page in PAGES for words in lines(page, "vedette")]


def test_the_pages_tell_to_type_something():
    assert len(TYPED) >= 30
    assert {page.name for page, _ in TYPED} >= {"administrators.md", "pilots.md", "analysts.md", "exercises.md"}


@pytest.mark.parametrize(("page", "words"), TYPED, ids=[f"{page.stem}-{words[0]}" for page, words in TYPED])
def test_a_command_of_a_page_is_one_of_ours(page, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("VEDETTE_")]:
        monkeypatch.delenv(variable)
    take(typer.main.get_command(app), "vedette", words)


SET = [(page, block) for page in PAGES for block in blocks(page, "toml")]


@pytest.mark.parametrize(("page", "block"), SET, ids=[page.stem for page, _ in SET])
def test_settings_of_a_page_are_taken(page, block, tmp_path):
    maps, file = tmp_path / "maps", tmp_path / "settings.toml"
    maps.mkdir()
    file.write_text(block.replace("/var/lib/vedette/maps", str(maps)))
    read_settings(file, directory=tmp_path / "store")


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("docs")) as made:
        yield made


@pytest.fixture
def curl():
    if shutil.which("curl") is None:
        absent("curl is absent: .ci/services installs it")

    def run(words: list[str], key: str, url: str, **named: str) -> str:
        """What a call of a page comes to at a service; of a stream, what comes in the first seconds."""
        told = [word.replace("https://HOST", url).replace("$KEY", key) for word in words]
        for name, value in named.items():
            told = [re.sub(rf"(?<=/){name}(?=/|$)|(?<=\"){name}(?=\")", value, word) for word in told]
        bounded = ["-m", "5"] if "-N" in words else []
        done = subprocess.run(
            ["curl", "-sS", "--fail-with-body", *bounded, *told], check=False, capture_output=True, timeout=120
        )
        assert done.returncode in ({0, 28} if bounded else {0}), (told, done.stdout, done.stderr)
        return done.stdout.decode("latin-1")

    return run


def test_every_call_of_the_page_for_partners_is_answered(served, curl):
    """In the order of the page, as a partner to whom a crossing with its clip was released."""
    partner = served.partner("bravo", fields=["kind", "position", "clip", "live"])
    crossing = served.deliver("told", evidence=crossing_json()["evidence"])
    served.must("pilot", "PUT", f"/crossings/{crossing}/evidence/clip", content=CLIP)
    etag = served.ask("analyst", "GET", f"/crossings/{crossing}").headers["ETag"]
    verdict = {"verdict": "confirm", "reason": None}
    served.must("analyst", "POST", f"/crossings/{crossing}/reviews", json=verdict, headers={"If-Match": etag})
    body = {"record_id": crossing, "partner_id": partner}
    release = served.must("supervisor", "POST", "/releases", json=body)["id"]
    calls = lines(ROOT / "docs" / "partners.md", "curl")
    assert len(calls) == 9
    target = Target()
    try:
        for words in calls:
            if words[-1].endswith("/recalls"):
                served.recall(release)
            named = [word.replace("https://you.example/hook", target.url) for word in words]
            came = curl(named, served.keys["bravo"], served.url, ID=crossing, RELEASE=release)
            if words[-1].endswith(("/crossings", "/crossings/ID")):
                assert crossing in came, words
            elif "-N" in words:  # of what comes from now on; where the reader stands comes at once
                assert came.startswith(("id: ", "retry: ", ":", "event: ")), came
            elif words[-1].endswith("/recalls"):
                assert release in came
            elif words[-1].endswith("/clip"):
                assert came.encode("latin-1") == CLIP
    finally:
        target.close()
    assert served.must("bravo", "GET", "/recalls") == []


def test_every_call_of_the_page_for_administrators_is_answered(served, curl):
    """A receipt that came by letter, of a partner that has ended."""
    partner = served.partner("sierra")
    _, release = served.released(partner, "ended")
    served.must("administrator", "DELETE", f"/partners/{partner}")
    calls = lines(ROOT / "docs" / "administrators.md", "curl")
    assert calls
    for words in calls:
        told = json.loads(curl(words, served.keys["supervisor"], served.url, RELEASE=release))
        assert release in json.dumps(told)
