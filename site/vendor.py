"""Fetch the one script the site carries, mermaid, from the npm registry, and check it against its pinned digest.

Usage: python site/vendor.py TARGET_FILE
The registry is NPM_CONFIG_REGISTRY, else npm's own. A file that is already there and right is left alone.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import sys
import tarfile
import urllib.request
from pathlib import Path

VERSION = "11.17.2"
ARCHIVE_SHA512 = "V6K3C8EBdEsPFZXSKMJe6ppQOENxuHARr9GvHX4hh47lAbhMRD9qf4oEK7LoaRQxULMa80/qt5gHO73aCleBBg=="
MEMBER = "package/dist/mermaid.min.js"
MEMBER_SHA256 = "581ed7d74bd9048d0e3a91363927d72ef22942d7722546b27f7cc29e35390eb8"
DEFAULT_REGISTRY = "https://registry.npmjs.org"
TIMEOUT = 120


def main(target: Path) -> None:
    """Put mermaid.min.js at `target`. Raises SystemExit where the download is not what was pinned."""
    if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == MEMBER_SHA256:
        return
    registry = (os.environ.get("NPM_CONFIG_REGISTRY") or DEFAULT_REGISTRY).rstrip("/")
    url = f"{registry}/mermaid/-/mermaid-{VERSION}.tgz"
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
        archive = answer.read()
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if digest != ARCHIVE_SHA512:
        raise SystemExit(f"{url}: sha512 is {digest}, not the pinned {ARCHIVE_SHA512}")
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        member = files.extractfile(MEMBER)
        if member is None:
            raise SystemExit(f"{url} holds no {MEMBER}")
        script = member.read()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(script)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
