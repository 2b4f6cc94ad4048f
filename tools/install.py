"""Make `.venv` with exactly the locked packages. Needs only Python >= 3.11; does nothing where all is in place.

    python3 tools/install.py learner     what a learner needs (make start)
    python3 tools/install.py dev         everything: tests, classroom, site (make test)

With BUNDLE=FILE in the environment, everything comes from what `grader bundle` wrote, and nothing from a network.

pip installs uv and the builder of the editable install (hash-checked), uv installs the lock file (hash-checked) in a
fraction of pip's time. Of two that run at once, the second waits for the first. A `.venv` that
was not finished is made anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def offline(bundle: str) -> Iterator[tuple[str, ...]]:
    """Unpack the wheels of a bundle; give the options by which pip and uv take them, and nothing without a bundle."""
    if not bundle:
        yield ()
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            with tarfile.open(bundle) as archive:
                for member in archive:
                    content = archive.extractfile(member) if member.name.startswith("wheels/") else None
                    if content:
                        with content, Path(folder, Path(member.name).name).open("wb") as wheel:
                            shutil.copyfileobj(content, wheel)
                about = json.load(archive.extractfile("bundle.json"))
        except (OSError, KeyError, ValueError, tarfile.TarError) as error:
            sys.exit(
                "何が  まとめたファイル(BUNDLE)を読めませんでした。\n"
                f"どこで {bundle}({error})\n"
                "次に  ファイルの場所を確かめてください。途中までしか写っていないときは、もう一度写すか、"
                "インターネットにつながる環境でgrader bundleを実行して作り直します。"
            )
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        if about["python"] != here:
            sys.exit(
                f"何が  まとめたファイル(BUNDLE)は、Python {about['python']}用です。\n"
                f"どこで このコンピューターの{sys.executable}はPython {here}です。\n"
                f"次に  make PYTHON=python{about['python']} startのようにPythonを選ぶか、"
                f"インターネットにつながる環境のPython {here}でgrader bundleを実行して作り直します。"
            )
        yield ("--no-index", "--find-links", folder)


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


def packages(kind: str, wheels: tuple[str, ...]) -> None:
    """Install uv, the locked packages, and the course itself; `wheels` says where from, () for the package index."""
    python, uv = str(BIN / "python"), str(BIN / "uv")
    quiet = () if sys.stdout.isatty() else ("--quiet",)
    locks = ROOT / "requirements"
    offline = ("--offline", *wheels) if wheels else ()
    run(python, "-m", "pip", "install", *quiet, *wheels, "--require-hashes", "-r", str(locks / "install.txt"))
    # An image that keeps no __pycache__ later would compile JupyterLab and its kernels at each of their starts.
    compiled = ("--compile-bytecode",) if sys.dont_write_bytecode else ()
    run(uv, "pip", "install", *quiet, *compiled, *offline, "--require-hashes", "-r", str(locks / f"{kind}.txt"))
    run(uv, "pip", "install", *quiet, *offline, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))


@contextmanager
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
    with offline(os.environ.get("BUNDLE", "")) as wheels:
        packages(kind, wheels)
    temporary = STAMP.with_suffix(".tmp")
    temporary.write_text(json.dumps({**done, kind: wanted}), encoding="utf-8")
    temporary.replace(STAMP)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in {"learner", "dev"}:
        sys.exit(__doc__)
    main(sys.argv[1])
