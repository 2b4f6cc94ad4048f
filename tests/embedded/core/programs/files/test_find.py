from __future__ import annotations

import pytest

from tests.embedded.core.programs.fake_host import FakeHost, Result

BUSYBOX, DEBIAN = "busybox:1.37", "nginx:1.29"


@pytest.fixture
def box(probe: FakeHost) -> FakeHost:
    probe.files |= {
        "/data/a.txt": b"a\n",
        "/data/b.log": b"",
        "/data/sub/c.txt": b"c\n",
        "/data/sub/deep/d.TXT": b"d\n",
    }
    return probe


def find(host: FakeHost, arguments: str, image: str = BUSYBOX) -> Result:
    return host.run(image, "sh", "-c", f"find {arguments}")


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ("/data", "/data /data/a.txt /data/b.log /data/sub /data/sub/c.txt /data/sub/deep /data/sub/deep/d.TXT"),
        ("/data/ -name 'data'", "/data/"),
        ("/data -name '*.txt'", "/data/a.txt /data/sub/c.txt"),
        ("/data -iname '*.txt' -type f", "/data/a.txt /data/sub/c.txt /data/sub/deep/d.TXT"),
        ("/data -type d", "/data /data/sub /data/sub/deep"),
        ("/data -mindepth 1 -maxdepth 1", "/data/a.txt /data/b.log /data/sub"),
        ("/data -path '*/sub/*' -type f", "/data/sub/c.txt /data/sub/deep/d.TXT"),
        ("/data -type f ! -name '*.txt'", "/data/b.log /data/sub/deep/d.TXT"),
        ("/data -name a.txt -o -name b.log", "/data/a.txt /data/b.log"),
        ("/data \\( -name a.txt -o -name c.txt \\) -print", "/data/a.txt /data/sub/c.txt"),
        ("/data -name sub -prune -o -type f -print", "/data/a.txt /data/b.log"),
        ("/data -type f -empty", "/data/b.log"),
        ("/data -name '*.txt' -exec cat {} \\;", "a c"),
        ("/data -name '*.txt' -exec echo found {} +", "found /data/a.txt /data/sub/c.txt"),
        ("/data -name a.txt -exec false \\; -print", ""),
    ],
)
@pytest.mark.parametrize("image", [BUSYBOX, DEBIAN])
def test_find(box: FakeHost, image: str, arguments: str, found: str) -> None:
    result = find(box, arguments, image)
    assert (result.code, result.err) == (0, "")
    assert result.out.split() == found.split()


def test_find_begins_where_it_stands(box: FakeHost) -> None:
    assert box.run(BUSYBOX, "sh", "-c", "cd /data/sub; find -name c.txt; find . -name d.TXT").out == (
        "./c.txt\n./deep/d.TXT\n"
    )


@pytest.mark.parametrize(
    ("arguments", "image", "err"),
    [
        (
            "/data -mtime 1",
            BUSYBOX,
            "find: unrecognized: -mtime\nBusyBox v1.37.0 multi-call binary.\n\nUsage: find [-HL]",
        ),
        ("/data -mtime 1", DEBIAN, "find: unknown predicate `-mtime'\n"),
        ("/data -name", BUSYBOX, "find: -name requires an argument\n"),
        ("/data -name", DEBIAN, "find: missing argument to `-name'\n"),
        ("/data -type x", BUSYBOX, "find: invalid argument 'x' to '-type'\n"),
        ("/data -exec echo {}", BUSYBOX, "find: -exec requires an argument\n"),
        ("/nosuch", BUSYBOX, "find: /nosuch: No such file or directory\n"),
        ("/nosuch", DEBIAN, "find: ‘/nosuch’: No such file or directory\n"),  # noqa: RUF001 - GNU's quotation marks
    ],
)
def test_find_refuses_with_its_words(box: FakeHost, arguments: str, image: str, err: str) -> None:
    result = find(box, arguments, image)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(err)
