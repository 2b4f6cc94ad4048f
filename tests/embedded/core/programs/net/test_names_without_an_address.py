"""The command by which the grader tells a name without an address from silence, run in the shell of a probe."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from grader.embedded.core.dnsrecords import DnsReply, Record
from grader.embedded.core.kernel import Event
from grader.observe.reach import Found, found_by
from tests.embedded.core.programs.fake_host import AGNHOST, RESOLV_CONF, FakeHost


class InTheProbe:
    """A carrier whose only vantage is a probe's shell."""

    def __init__(self, probe: FakeHost) -> None:
        self.probe = probe

    def get(self, path: str, query: Mapping[str, str], timeout: float) -> bytes:
        assert path == "shell"
        return json.dumps({"output": self.probe.run(AGNHOST, "sh", "-c", query["cmd"], limit=timeout).both}).encode()


@pytest.mark.parametrize("silent", ["", "corp.example.", "nothere.", "svc.cluster.local."])
@pytest.mark.parametrize("known", ["", "corp.example.", "nothere.", "svc.cluster.local."])
def test_silence_outside_the_cluster_is_no_address_and_inside_it_is_not_known(
    probe: FakeHost, monkeypatch: pytest.MonkeyPatch, silent: str, known: str
) -> None:
    within = probe.dns

    async def dns(name: str, type: str, server: str | None = None) -> DnsReply:
        assert name.startswith("nothere.")
        domain = name.removeprefix("nothere.") or name
        if domain == silent:
            await Event().wait()
        if domain == known:
            return DnsReply("NOERROR", (Record(name, "A", 30, "192.0.2.1"),))
        return await within(name, type, server)

    monkeypatch.setattr(probe, "dns", dns)
    probe.files["/etc/resolv.conf"] = RESOLV_CONF.replace("\nname", " corp.example\nname").encode()
    told = found_by(InTheProbe(probe), "nothere")
    if silent == "svc.cluster.local.":
        assert told is Found.UNKNOWN  # the cluster's own DNS leaves it open
    elif known in ("", silent):
        assert told is Found.NOWHERE
    else:
        assert told is (Found.LATE if (silent, known) == ("corp.example.", "nothere.") else Found.UNKNOWN)
