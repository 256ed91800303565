"""What docs and README tell to type: commands are ours, calls are answered by a service, settings are taken."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

import sim
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


def take(words: list[str]) -> None:
    """Have a command line read its words, down to the command that they name; raises as it refuses them."""
    name, command, rest = "vedette", typer.main.get_command(app), list(words)
    while isinstance(command, TyperGroup):
        name, command = rest[0], command.commands[rest.pop(0)]
    command.make_context(name, rest)


TYPED = [(page, words) for page in PAGES for words in lines(page, "vedette")]


def test_the_pages_tell_to_type_something():
    assert len(TYPED) >= 30
    assert {page.name for page, _ in TYPED} >= {"administrators.md", "pilots.md", "analysts.md", "exercises.md"}


@pytest.mark.parametrize(("page", "words"), TYPED, ids=[f"{page.stem}-{words[0]}" for page, words in TYPED])
def test_a_command_of_a_page_is_one_of_ours(page, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("VEDETTE_")]:
        monkeypatch.delenv(variable)
    (tmp_path / "backup.tar").touch()  # what has to be there before it is read
    (tmp_path / "runs" / "exercise").mkdir(parents=True)
    take(words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("plann border.geojson", "plann"),
        ("plan border.geojson --bse 1,2", "--bse"),
        ("sim --vehicles none", "valid integer"),
        ("exercise score", "Missing parameter: folder"),
    ],
)
def test_a_command_that_is_none_of_ours_would_be_seen(line, words):
    with pytest.raises(Exception, match=words):
        take(line.split())


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def spans(page: Path) -> list[str]:
    """What stands between backticks in a page."""
    return re.findall(r"`([^`\n]+)`", prose(page))


READ = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "vision" / "models" / "MODEL_CARD.md"]


@pytest.mark.parametrize("page", READ, ids=[page.stem for page in READ])
def test_every_link_of_a_page_leads_somewhere(page):
    """Files of ours, and headings of pages by the names that GitHub gives them."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in target:
            continue
        name, _, heading = target.partition("#")
        there = page.parent / name if name else page
        assert there.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", prose(there), re.MULTILINE)
            assert heading in {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}, target


def options_of(command: Any) -> set[str]:
    """All options of a command and of those below it."""
    own = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
    below = command.commands.values() if isinstance(command, TyperGroup) else ()
    return own.union({"--help"}, *map(options_of, below))


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_every_option_that_a_page_names_is_one_of_ours(page):
    whole = typer.main.get_command(app)
    assert isinstance(whole, TyperGroup)
    for span in spans(page):
        words = span.split()
        if words[0] == "vedette" and len(words) > 1:
            assert words[1] in {*whole.commands, *options_of(whole)}, span
            known = options_of(whole.commands[words[1]]) if words[1] in whole.commands else options_of(whole)
        elif words[0].startswith("--"):
            known = {*options_of(whole), "--sitl"}  # that one is pytest's, by our plugin
        else:  # of another program, or none
            continue
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", span)) <= known, span


def python_of(package: Path) -> Iterator[Path]:
    """Its modules, without what the console's tools have installed."""
    for folder, below, files in os.walk(package):
        below[:] = [name for name in below if name != "node_modules"]
        yield from (Path(folder) / file for file in files if file.endswith(".py"))


def test_every_error_and_variable_that_a_page_names_is_there():
    """As those who catch one, or set the other, would have it."""
    # Of ours alone: there are errors of that name in the libraries, which lie beside them.
    packages = [folder.parent for folder in ROOT.glob("*/__init__.py") if folder.parent.name != "tests"]
    assert len(packages) >= 8
    code = "\n".join(path.read_text() for package in packages for path in python_of(package))
    suite = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    named = {
        name
        for page in READ[:-2]
        for name in re.findall(r"\b(?:[A-Z]\w+Error|VEDETTE_[A-Z0-9_]*[A-Z0-9])\b", prose(page))
    }
    assert len(named) >= 10
    for name in sorted(named):
        if name.endswith("Error"):
            assert re.search(rf"^class {name}\b", code, re.MULTILINE), name
        else:
            assert re.search(rf'"{name}"', code + suite), name


def test_every_address_that_a_page_names_is_served(served):
    """With its method, and with the parameters of the question that it is written with."""
    paths = served.ask("pilot", "GET", "/openapi.json").json()["paths"]
    named = [
        (page, *found.groups())
        for page in PAGES
        for span in spans(page)
        if (found := re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) (/[^\s?]*)(?:\?(\S+))?", span))
    ]
    assert len(named) >= 50
    for page, method, path, question in named:
        asked = f"{page.name}: {method} {path}"
        fits = [template for template in paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)]
        # A path that says its words counts before one that takes any.
        operation = paths[min(fits, key=lambda template: template.count("{"))].get(method.lower()) if fits else None
        assert operation is not None, asked
        taken = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"}
        assert {part.partition("=")[0] for part in (question or "").split("&") if part} <= taken, asked


SET = [(page, block) for page in PAGES for block in blocks(page, "toml")]


@pytest.mark.parametrize(("page", "block"), SET, ids=[page.stem for page, _ in SET])
def test_settings_of_a_page_are_taken(page, block, tmp_path):
    maps, file = tmp_path / "maps", tmp_path / "settings.toml"
    maps.mkdir()
    file.write_text(block.replace("/var/lib/vedette/maps", str(maps)))
    read_settings(file, directory=tmp_path / "store")


def test_programs_of_the_page_about_the_simulator_do_what_they_say(capsys):
    """Two vehicles have an address each; a heartbeat comes every second, at least twelve bytes long."""
    told = []
    for block in blocks(ROOT / "docs" / "simulation.md", "python"):
        exec(block, {"sim": sim})  # as the page has it
        told.append(capsys.readouterr().out)
    addresses, minute = told
    assert len(set(re.findall(r"udpout:127\.0\.0\.1:\d+", addresses))) == 2
    count = re.fullmatch(r"(\d+) datagrams in a minute\n", minute)
    assert count is not None
    assert 60 <= int(count[1]) < 60 * 12


def test_the_scenario_of_the_page_about_tests_is_taken(tmp_path):
    (scenario,) = blocks(ROOT / "docs" / "testing.md", "yaml")
    file = tmp_path / "bad-day.yaml"
    file.write_text(scenario)
    sim.FleetConfig(home=(31.345, -110.93, 1180.0), vehicles=2, faults=sim.load_faults(file))


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
