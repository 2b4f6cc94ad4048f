from __future__ import annotations

import pytest

from tests.embedded.core.programs.fake_host import FakeHost, Result


def sh(host: FakeHost, script: str, image: str = "busybox:1.37") -> Result:
    return host.run(image, "sh", "-c", script)


@pytest.mark.parametrize("letters", ["", "z"])
def test_a_folder_goes_through_an_archive_whole(probe: FakeHost, letters: str) -> None:
    made = "mkdir -p /tmp/a/empty; echo one >/tmp/a/one; mkdir -p /tmp/a/b; echo two >/tmp/a/b/two; mkdir /tmp/to;"
    done = sh(
        probe,
        f"{made} cd /tmp; tar c{letters}f - a | tar -x{letters}mf - -C /tmp/to; cat /tmp/to/a/one /tmp/to/a/b/two",
    )
    assert (done.code, done.out) == (0, "one\ntwo\n")
    assert sh(probe, "ls /tmp/to/a").out == "b\nempty\none\n"


def test_kubectl_cp_sends_an_archive_to_the_working_directory(probe: FakeHost) -> None:
    unpack = "tar --no-same-permissions --no-same-owner -xmf - </tmp/f.tar"
    done = sh(probe, f"echo x >/tmp/f; tar cf /tmp/f.tar /tmp/f; rm /tmp/f; {unpack}; cat /tmp/f")
    assert (done.code, done.out, done.err) == (0, "x\n", "tar: removing leading '/' from member names\n")


def test_what_is_not_there_is_told_and_the_rest_comes(probe: FakeHost) -> None:
    done = sh(probe, "echo x >/tmp/f; cd /tmp; tar cf t f nowhere; echo $?; tar tf t")
    assert done.out == "1\nf\n"
    assert done.err == "tar: nowhere: No such file or directory\ntar: error exit delayed from previous errors\n"


def test_what_is_no_archive_is_refused(probe: FakeHost) -> None:
    done = sh(probe, "echo nonsense | tar xf -; tar xf /nowhere; tar f x")
    assert done.code == 1
    assert done.err.splitlines() == [
        "tar: invalid tar magic",
        "tar: can't open '/nowhere': No such file or directory",
        "tar: must specify one of: ctx",
    ]
