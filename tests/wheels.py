"""Wheels of a few bytes, and the lines that a lock has for them."""

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path


def a_wheel(
    folder: Path, name: str, version: str = "1.0", scripts: Mapping[str, str] | None = None
) -> str:
    """Write one with a module of its name and with programs; its requirement, with its hash."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    for script, text in (scripts or {}).items():
        files[f"{name}-{version}.data/scripts/{script}"] = text
    record = "".join(f"{path},{_digest(text)},{len(text)}\n" for path, text in files.items())
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inside, text in (files | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
            member = zipfile.ZipInfo(inside)
            member.external_attr = 0o100755 << 16  # a program stays one
            wheel.writestr(member, text)
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
