"""What curl tells of a transfer beside its body (src/tool_progress.c, src/tool_writeout.c)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

METER = (
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
    "                                 Dload  Upload   Total   Spent    Left  Speed\n"
)


@dataclass
class Facts:
    """What --write-out can tell of a transfer; the names are curl's."""

    http_code: int = 0
    remote_ip: str = ""
    remote_port: int = 0
    local_ip: str = ""
    url_effective: str = ""
    content_type: str = ""
    size_download: int = 0
    num_redirects: int = 0
    num_connects: int = 0
    time_namelookup: float = 0.0
    time_connect: float = 0.0
    time_total: float = 0.0
    exitcode: int = 0
    errormsg: str = ""
    method: str = "GET"
    http_version: str = "0"
    redirect_url: str = ""


def meter(size: int) -> str:
    """One line of the progress meter after so many bytes."""
    percent = 100 if size else 0
    return (
        f"\r{percent:3}  {size:4}  {percent:3}  {size:4}    0     0  {size * 100:5}      0"
        " --:--:-- --:--:-- --:--:--     0"
    )


def write_out(form: str, facts: Facts) -> str:
    """Fill in the variables of a --write-out format."""
    values: dict[str, str] = {}
    for name, value in vars(facts).items():
        values[name] = f"{value:.6f}" if isinstance(value, float) else str(value)
    values["http_code"] = values["response_code"] = f"{facts.http_code:03}"
    values["time_starttransfer"] = values["time_pretransfer"] = values["time_connect"]
    values["time_appconnect"] = values["time_redirect"] = "0.000000"
    values["scheme"] = urlsplit(facts.url_effective).scheme or "http"
    result, rest = "", form
    while rest:
        if rest.startswith("%{"):
            name, brace, rest = rest[2:].partition("}")
            result += values.get(name, "") if brace else f"%{{{name}"
        elif rest.startswith("%%"):
            result, rest = f"{result}%", rest[2:]
        elif rest[0] == "\\" and rest[1:2] in set("nrt"):
            result, rest = result + {"n": "\n", "r": "\r", "t": "\t"}[rest[1]], rest[2:]
        else:
            result, rest = result + rest[0], rest[1:]
    return result
