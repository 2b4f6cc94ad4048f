"""Make `.venv` with exactly the locked packages. Needs only Python >= 3.11; does nothing where all is in place.

    python3 tools/install.py learner     what a learner needs (make start)
    python3 tools/install.py dev         everything: tests, classroom, site (make test)

pip installs uv and the builder of the editable install (hash-checked), uv installs the lock file (hash-checked) in a
fraction of pip's time. Of two that run at once, the second waits for the first. A `.venv` that
was not finished is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMP = VENV / "installed.json"
LOCK = ROOT / ".venv.lock"
MINIMUM = (3, 11)
INTERRUPTED = 130


def fingerprint(kind: str) -> str:
    """What an installation depends on, as one hash."""
    parts = [ROOT / "requirements" / "install.txt", ROOT / "requirements" / f"{kind}.txt", ROOT / "pyproject.toml"]
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()


def installed() -> dict[str, str]:
    """The fingerprints of what `.venv` holds, by kind."""
    try:
        return dict(json.loads(STAMP.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def pip_setting(name: str) -> str:
    """One setting of the person's pip (a mirror, say), "" where there is none: uv does not read pip's files."""
    command = [str(BIN / "python"), "-m", "pip", "config", "get", f"global.{name}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else ""


def run(*command: str) -> None:
    """Run one step; on failure say which one and what to try, and stop."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "VIRTUAL_ENV": str(VENV)}
    if index := os.environ.get("PIP_INDEX_URL") or pip_setting("index-url"):
        environment.setdefault("UV_DEFAULT_INDEX", index)
    if certificates := os.environ.get("PIP_CERT") or pip_setting("cert"):
        environment.setdefault("SSL_CERT_FILE", certificates)
    if subprocess.run(command, env=environment, check=False).returncode:
        sys.exit(
            "何が  Pythonパッケージをインストールできませんでした。\n"
            f"どこで {' '.join(command)}\n"
            "次に  上のエラーを確認してください。プロキシーの内側では、環境変数HTTPS_PROXYやpipの設定(pip config)を"
            "済ませてから、同じコマンドをもう一度実行します。途中までの結果は残ります。"
        )


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other installation runs; the system ends that with the process, whatever ended it."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(LOCK, "w", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("• 別の端末がインストールをしています。終わるまで待ちます", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def make_venv() -> None:
    """Make an empty `.venv`. Exits with a message where it cannot, as Debian's Python without python3-venv."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    reason = "ensurepipがありません。" if importlib.util.find_spec("ensurepip") is None else ""
    if not reason:
        print("• .venvを作成しています", flush=True)
        try:
            import venv

            venv.create(VENV, with_pip=True, clear=VENV.exists())
        except (ImportError, OSError, subprocess.CalledProcessError) as error:
            reason = str(error)
    if reason:
        sys.exit(
            "何が  Pythonの仮想環境(.venv)を作成できませんでした。\n"
            f"どこで {sys.executable}(Python {version}): {reason}\n"
            f"次に  DebianやUbuntuでは、sudo apt install python{version}-venv を実行してから、"
            "もう一度同じコマンドを実行します。"
            "ほかの環境では、make PYTHON=python3.12 start のように別のPythonを指定してください。"
        )


def main(kind: str) -> None:
    """Bring `.venv` up to the lock files. Exits with a message in Japanese where it cannot."""
    if sys.version_info < MINIMUM:
        sys.exit(
            f"何が  Python {MINIMUM[0]}.{MINIMUM[1]}以降が必要です。\n"
            f"どこで {sys.executable} はPython {sys.version.split()[0]}です。\n"
            "次に  新しいPythonをインストールするか、make PYTHON=python3.12 start のように場所を指定してください。"
        )
    try:
        with alone():
            install(kind)
    except KeyboardInterrupt:
        print(
            "\n何が  インストールを中断しました。\n"
            f"どこで {VENV}\n"
            "次に  同じコマンドをもう一度実行してください。ダウンロードした分は、そのときに使われます。",
            file=sys.stderr,
        )
        sys.exit(INTERRUPTED)


def install(kind: str) -> None:
    """Install what is missing of a kind."""
    done = installed()
    wanted = fingerprint(kind)
    if done.get(kind) == wanted or (kind == "learner" and done.get("dev") == fingerprint("dev")):
        return
    if not (BIN / "python").exists() or not STAMP.exists():
        make_venv()
    print(f"• パッケージをインストールしています(requirements/{kind}.txt)", flush=True)
    python = str(BIN / "python")
    quiet = () if sys.stdout.isatty() else ("--quiet",)
    run(python, "-m", "pip", "install", *quiet, "--require-hashes", "-r", str(ROOT / "requirements" / "install.txt"))
    uv = str(BIN / "uv")
    lock = str(ROOT / "requirements" / f"{kind}.txt")
    run(uv, "pip", "install", *quiet, "--require-hashes", "-r", lock)
    run(uv, "pip", "install", *quiet, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    temporary = STAMP.with_suffix(".tmp")
    temporary.write_text(json.dumps({**done, kind: wanted}), encoding="utf-8")
    temporary.replace(STAMP)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in {"learner", "dev"}:
        sys.exit(__doc__)
    main(sys.argv[1])
