"""`ps`, `ip`, `ifconfig`, `netstat`, `ss`: what the container's own processes and addresses are."""

from __future__ import annotations

from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext


async def ps(context: ProgramContext) -> int:
    """`ps [aux|-ef]`: all of them, in any case."""
    if not {letter for word in context.args for letter in word} <= set("-aAdefluxw"):
        raise options.refuse(context, next(word for word in context.args).lstrip("-")[:1], "ps [-o COL1,COL2=HEADER]")
    busybox = context.image.flavour == "busybox"
    context.print("PID   USER     TIME  COMMAND" if busybox else "    PID TTY          TIME CMD")
    for pid, process in sorted(context.host.processes.running().items()):
        command = " ".join(process.argv)
        context.print(f"{pid:5} root      0:00 {command}" if busybox else f"{pid:7} ?        00:00:00 {command}")
    return 0


async def kill(context: ProgramContext) -> int:
    """`kill [-SIGNAL] pid…`: what the shell's own does."""
    from grader.embedded.core.programs.shell import session as shell_session

    return await shell_session.main(context.with_(argv=["sh", "-c", 'kill "$@"', "kill", *context.args]))


_IP_OPTIONS = frozenset({"-4", "-c", "-family", "inet"})


async def ip(context: ProgramContext) -> int:
    """`ip addr`, `ip route`, `ifconfig`."""
    address = context.host.ip
    network = address.rpartition(".")[0]
    if context.name == "ifconfig":
        if unknown := [word for word in context.args if word not in {"-a", "eth0", "lo"}]:
            raise context.fail(1, f"ifconfig: {unknown[0]}: error fetching interface information: Device not found")
        context.print(
            "eth0      Link encap:Ethernet",
            f"          inet addr:{address}  Bcast:{network}.255  Mask:255.255.255.0",
            "          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1",
            "",
            "lo        Link encap:Local Loopback",
            "          inet addr:127.0.0.1  Mask:255.0.0.0",
            "          UP LOOPBACK RUNNING  MTU:65536  Metric:1",
            "",
        )
        return 0
    wanted, *rest = [word for word in context.args if word not in _IP_OPTIONS] or ["addr"]
    if wanted.startswith("-") or not any(name.startswith(wanted) for name in ("address", "route", "link")):
        raise context.fail(1, f"ip: invalid argument '{wanted}' to 'ip'")
    if rest not in ([], ["show"], ["list"], ["ls"], ["show", "eth0"], ["show", "dev", "eth0"]):
        raise context.fail(2, f"ip: the embedded cluster has no 'ip {' '.join([wanted, *rest])}'")
    if wanted.startswith("r"):
        context.print(
            f"default via {network}.1 dev eth0 ",
            f"{network}.0/24 via {network}.1 dev eth0 src {address} ",
            f"{network}.1 dev eth0 scope link src {address} ",
        )
        return 0
    lines = (
        "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000",
        "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00",
        "    inet 127.0.0.1/8 scope host lo",
        "       valid_lft forever preferred_lft forever",
        "2: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue qlen 1000",
        f"    inet {address}/24 brd {network}.255 scope global eth0",
        "       valid_lft forever preferred_lft forever",
    )
    link = wanted.startswith("l")
    context.print(*(line for line in lines if not link or not line.startswith(("    inet", "       valid"))))
    return 0


async def netstat(context: ProgramContext) -> int:
    """`netstat -ltn`, `ss -ltn`: the ports the container's servers said they listen on."""
    longs = {"listening": "l", "tcp": "t", "numeric": "n", "processes": "p", "programs": "p", "all": "a"}
    options.read(context, "ltnpaue46H", longs, usage="netstat [-ral] [-tuwx] [-enWp]")
    ports = sorted(port for process in context.host.processes.running().values() for port in process.ports)
    if context.name == "ss":
        context.print("State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess")
        context.print(*(f"LISTEN 0      4096   {f'*:{port}':>18}            *:*          " for port in ports))
        return 0
    context.print(
        "Active Internet connections (only servers)",
        "Proto Recv-Q Send-Q Local Address           Foreign Address         State       ",
        *(f"tcp        0      0 {f'0.0.0.0:{port}':<23} {'0.0.0.0:*':<23} {'LISTEN':<12}" for port in ports),
    )
    return 0
