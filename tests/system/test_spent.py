"""What CI tells of its processor time: by file, over all workers, with the programs that tests started."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.sim.test_pytest_plugin import LEFT_OUT

ROOT = Path(__file__).parents[2]
BURN = "import time\nwhile time.process_time() < {least}: pass\n"
RUN = """
import sys
import pytest
from tests.spent import Spent

def pytest_configure(config):
    config.pluginmanager.register(Spent())
"""
FILES = {
    "test_itself.py": "import time\ndef test_it():\n    end = time.process_time() + 0.4\n"
    "    while time.process_time() < end: pass\n",
    "test_by_another.py": "import subprocess, sys\ndef test_it():\n"
    f"    subprocess.run([sys.executable, '-S', '-c', {BURN.format(least=0.8)!r}], check=True)\n",
    "test_waits.py": "import time\ndef test_it(): time.sleep(0.8)\n",
}


def test_what_tests_take_of_the_processor_is_told_by_file_and_waiting_is_not(tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    (tmp_path / "conftest.py").write_text(RUN)
    for name, text in FILES.items():
        (room / name).write_text(text)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n2", "--dist", "loadfile", *(f"-pno:{one}" for one in LEFT_OUT)],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = {name: float(seconds) for seconds, name in re.findall(r"^ +([\d.]+) (\S+)", ran.stdout, re.MULTILINE)}
    itself, other, waits = (told[f"room/{name}"] for name in FILES)
    assert other >= 0.8
    assert itself >= 0.4
    assert waits < 0.4
    assert told["in"] >= itself + other + waits  # "in all"
    ((idle, had),) = re.findall(r"^ +([\d.]+) idle, of ([\d.]+) that the cores had", ran.stdout, re.MULTILINE)
    assert 2 * 0.8 < float(had) < os.cpu_count() * 120
    # Told by hundredths of a second for each core.
    room_s = 0.5 + 0.02 * (os.cpu_count() or 1)
    assert 0 <= float(idle) <= float(had) - (itself + other) + room_s
    names = re.findall(r"^ +[\d.]+ room/(test_\w+)\.py", ran.stdout, re.MULTILINE)
    assert names == ["test_by_another", "test_itself", "test_waits"]
