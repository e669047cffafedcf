"""Lines to try whydrop with; the addresses are those that documents use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """A paste to begin with."""

    title: str
    paste: str


EXAMPLES: Mapping[str, Example] = {
    "asa": Example(
        "Cisco ASA: no connection",
        "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 "
        "flags SYN ACK on interface outside",
    ),
    "idle": Example(
        "FortiGate: a silent database connection",
        'date=2024-03-03 time=10:15:54 devname="fw1" logid="0001000014" type="traffic" subtype="local" level="notice" '
        "srcip=192.0.2.20 srcport=40112 dstip=198.51.100.40 dstport=1433 proto=6 action=deny "
        'msg="no session matched"\n'
        "The pool's connections are idle for an hour and then break; a retry works at once.",
    ),
    "reset": Example(
        "Palo Alto: reset from server",
        "1,2024/03/03 10:15:54,001801000001,TRAFFIC,end,2305,2024/03/03 10:15:54,192.0.2.10,198.51.100.7,0.0."
        "0.0,0.0.0.0,allow-web,,,web-browsing,vsys1,trust,untrust,ethernet1/1,ethernet1/2,default,2024/03/03 "
        "10:15:54,33760,1,51515,443,0,0,0x1c,tcp,allow,1500,900,600,12,2024/03/03 10:14:00,114,any,0,123456,0"
        "x0,10.0.0.0-10.255.255.255,United States,0,6,6,tcp-rst-from-server",
    ),
    "words": Example(
        "In your own words",
        "Our firewall drops SYN ACK packets from 192.0.2.10 port 443 to 198.51.100.7.\n"
        "There are two lines to the Internet. It never worked.",
    ),
}
