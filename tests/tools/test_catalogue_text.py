"""What the text lint reads of the catalogues, and the words that it holds them to."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from grader.paths import content_root

ROOT = content_root()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("text")
    subprocess.run([sys.executable, str(ROOT / "tools" / "catalogue_text.py"), str(target)], check=True)
    return target


def test_sentences_are_paragraphs_and_labels_are_headings(written: Path) -> None:
    labels = (written / "labels.md").read_text(encoding="utf-8")
    assert "## `verdict.pass`\n\n### 合格\n" in labels
    assert "## `notebook.stopped`\n\n見るのをやめました。\n" in labels


def found(text: str) -> set[str]:
    """The words of the dictionary that would be put in place of what stands in a text."""
    rules = yaml.safe_load((ROOT / "site" / "prh.yml").read_text(encoding="utf-8"))["rules"]
    return {rule["expected"] for rule in rules if re.search(rule["pattern"].strip("/"), text)}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("課題を始める", "演習"),
        ("Notebookを開く", "ノートブック"),
        ("第3回を読む", "レッスン"),
        ("種類がClusterIPのService", "タイプ"),
        ("ヘッドレスServiceを作る", "Headless Service"),
        ("readiness probeを書く", "readinessProbe"),
        ("空きを見付ける", "見つ"),
        ("1が正しければ引けます", "名前を解決できます"),
        ("準備中のPodに客を届けない", "通信を届け"),
    ],
)
def test_the_dictionary_has_one_word_for_one_thing(said: str, meant: str) -> None:
    assert meant in found(said)


@pytest.mark.parametrize(
    "said", ["配布用の課題", "「ヘッドレスService」", "Readiness ProbeおよびStartup Probe", "ポートは2種類ある"]
)
def test_the_dictionary_lets_other_things_keep_their_words(said: str) -> None:
    assert not found(said)


def test_the_developers_page_keeps_to_the_same_words() -> None:
    assert not found((ROOT / "README.md").read_text(encoding="utf-8").replace("Kubernetes Services", ""))
