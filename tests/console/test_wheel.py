"""A wheel of the package has the console in it, on a machine without Node too."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
IGNORED = shutil.ignore_patterns("node_modules", "built", ".built.part", "__pycache__", "openapi.json", "schema.d.ts")


def test_a_wheel_brings_the_console_though_the_machine_has_no_node(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "vedette.py", "vedette_pytest.py"):
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "api", source / "api", ignore=IGNORED)
    programs = tmp_path / "programs"  # all that a build asks of the machine: a shell, and none of them Node
    programs.mkdir()
    for name in ("sh", "env"):
        (programs / name).symlink_to(shutil.which(name) or name)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.path.insert(0, 'api/console/building'); import backend; backend.build_wheel(sys.argv[1])",
            str(tmp_path),
        ],
        cwd=source,
        env={"PATH": str(programs), "HOME": str(tmp_path), "npm_config_cache": str(Path.home() / ".npm")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "api/console/built/index.html" in names
    assert any(name.startswith("api/console/built/index-") and name.endswith(".js.gz") for name in names)
    assert not [name for name in names if "node_modules" in name or name.endswith((".ts", ".tsx"))]
