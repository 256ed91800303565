"""Flight records are whole or absent."""

import csv
import errno
import os

import pytest

from geo import FileWriteError
from sim.flight_record import COLUMNS, FlightRecord

ROW = (0.2, 31.333, -110.94, 1180.5, 90.0, 1.0, -2.0, 90.0, -57.0, 3, "AUTO", 99.5)


def test_rows_come_back_under_their_columns(tmp_path):
    record = FlightRecord(tmp_path / "new", 2, 3)
    record.add(*ROW)
    path = record.write()
    assert [found.name for found in (tmp_path / "new").iterdir()] == [path.name] == ["vehicle-2-sortie-3.csv"]
    with path.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert tuple(row) == COLUMNS
    assert (float(row["lon_deg"]), row["mode"], int(row["item"])) == (-110.94, "AUTO", 3)


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileWriteError, match=r"^cannot write [^\n]*sortie-1\.csv: the disk is full[^\n]*$"):
        FlightRecord(tmp_path, 1, 1).write()
    assert list(tmp_path.iterdir()) == []
