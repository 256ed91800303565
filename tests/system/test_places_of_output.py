"""Where a command is to write is looked at before the hours that its work takes, not after."""

import os

import pytest

COMMANDS = {
    "evaluate --json": ("evaluate", "absent.ts", "--json"),
    "evaluate --report": ("evaluate", "absent.ts", "--report"),
    "calibrate --out": ("calibrate", "absent.ts", "absent.csv", "--out"),
    "watch --json": ("watch", "absent.ts", "--line", "0,0,9,9", "--json"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_place_that_cannot_be_written_to_is_refused_before_the_video_is_looked_at(run, command, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    (tmp_path / "shut").mkdir(mode=0o500)
    places = {"folder": "is a folder", "file/figures.json": "is a file, and no folder"}
    if os.geteuid():  # root may write everywhere
        places["shut/figures.json"] = "no permission"
    for place, why in places.items():
        ran = run(*command, tmp_path / place)
        assert ran.code != 0
        told = " ".join(ran.err.split())
        assert f"{command[-1]} " in told
        assert why in told
        assert "absent" not in told
    assert (tmp_path / "file").read_text() == "kept"
    # A folder that is not there yet is no fault, and is not made for the asking.
    ran = run(*command, tmp_path / "new" / "figures.json")
    assert "absent" in ran.err
    assert not (tmp_path / "new").exists()


def test_watch_refuses_a_file_where_its_folder_is_to_be(run, tmp_path):
    (tmp_path / "file").write_text("kept")
    ran = run("watch", "absent.ts", "--line", "0,0,9,9", "--out", tmp_path / "file")
    assert ran.code != 0
    assert "--out" in ran.err
    assert "absent" not in ran.err
