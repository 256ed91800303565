"""Whether evidence is whole: every file as the manifest says, and the manifest as it was signed."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from vision.errors import EvidenceError
from vision.evidence import FORMAT, MANIFEST, NAME, SIGNATURE, file_sha256, signature_bytes

__all__ = ["signature_problems", "verify_evidence"]


def verify_evidence(
    folder: str | Path, *, public_key: Ed25519PublicKey | None = None, source_file: str | Path | None = None
) -> list[str]:
    """What is wrong with a folder of evidence: one line a problem, none when it is whole.

    Parameters
    ----------
    folder
        As `write_evidence` left it.
    public_key
        Whose signature to demand. Without it a signature that is there must still fit the manifest, which shows
        damage, but anyone could have made it.
    source_file
        The recording, to compare with the hash in the manifest.
    """
    folder = Path(folder)
    try:
        content = (folder / MANIFEST).read_bytes()
        manifest = json.loads(content)
        files = dict(manifest["files"])
        listed = {str(name): (str(entry["sha256"]), int(entry["bytes"])) for name, entry in files.items()}
        source_hash = manifest["source"]["sha256"]
    except OSError as error:
        return [f"{MANIFEST}: cannot be read ({error.strerror})"]
    except (ValueError, KeyError, TypeError) as error:
        return [f"{MANIFEST}: is damaged ({type(error).__name__})"]
    if manifest.get("format") != FORMAT:
        return [f"{MANIFEST}: format {manifest.get('format')!r} is not {FORMAT}"]
    problems = [p for name, entry in sorted(listed.items()) if (p := _file_problem(folder, name, *entry))]
    present = {path.name for path in folder.iterdir()} - {MANIFEST, SIGNATURE}
    problems += [f"{name}: is not in the manifest" for name in sorted(present - set(listed))]
    problems += _signature_problems(folder, content, public_key)
    if source_file is not None and source_hash is None:
        problems.append(f"{source_file}: the clip is of a live stream, of which there is no recording to compare")
    elif source_file is not None:
        try:
            same = file_sha256(Path(source_file)) == source_hash
        except EvidenceError as error:
            problems.append(str(error))
        else:
            problems += [] if same else [f"{source_file}: is not the recording that the clip was cut from"]
    return problems


def _signature_problems(folder: Path, content: bytes, public_key: Ed25519PublicKey | None) -> list[str]:
    path = folder / SIGNATURE
    if not path.exists():
        return [] if public_key is None else [f"{SIGNATURE}: is missing: the manifest is not signed"]
    try:
        written = path.read_bytes()
    except OSError as error:
        return [f"{SIGNATURE}: is damaged ({type(error).__name__})"]
    return signature_problems(written, content, public_key)


def signature_problems(written: bytes, manifest: bytes, public_key: Ed25519PublicKey | None = None) -> list[str]:
    """What is wrong with a signature over a manifest: one line a problem, none when it holds.

    Parameters
    ----------
    written
        The signature's file.
    manifest
        The manifest's file.
    public_key
        Whose it has to be; None takes that of any key, which the file names.
    """
    try:
        record = json.loads(written)
        named = Ed25519PublicKey.from_public_bytes(base64.b64decode(record["public_key"], validate=True))
        signature = base64.b64decode(record["signature"], validate=True)
    except (ValueError, KeyError, TypeError) as error:
        return [f"{SIGNATURE}: is damaged ({type(error).__name__})"]
    if public_key is not None and named.public_bytes_raw() != public_key.public_bytes_raw():
        return [f"{SIGNATURE}: was made with another key"]
    try:
        named.verify(signature, manifest)
    except InvalidSignature:
        return [f"{SIGNATURE}: does not fit {MANIFEST}: one of them was changed"]
    if written != signature_bytes(named.public_bytes_raw(), signature):
        return [f"{SIGNATURE}: says the same in other bytes than were written: it was changed"]
    return []


def _file_problem(folder: Path, name: str, sha256: str, size: int) -> str | None:
    if not NAME.fullmatch(name):
        return f"{MANIFEST}: lists {name!r}, which is no file of this folder"
    path = folder / name
    if not path.is_file() or path.is_symlink():
        return f"{name}: is missing"
    if path.stat().st_size != size:
        return f"{name}: has {path.stat().st_size} bytes instead of {size}"
    try:
        return None if file_sha256(path) == sha256 else f"{name}: was changed (its hash differs from the manifest's)"
    except EvidenceError as error:
        return str(error)
