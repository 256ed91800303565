"""Writes the OpenAPI document that the console's typed client is generated from, where its source is."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from api import Settings, create_app

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        document = create_app(Settings(Path(folder))).openapi()
    (Path(__file__).resolve().parents[1] / "web" / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
