"""What is a value by its form becomes a wildcard; what is a word stays."""

from __future__ import annotations

import time

import pytest

from logs_service.patterns.masking import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Found child 8605 in slot 8", "Found child <*> in slot <*>"),
        ("Received block blk_-160 of size 91178 from /10.250.10.6", "Received block blk_<*> of size <*> from <*>"),
        ("jk2_init() ok, ssh2 on eth0 of port22", "jk2_init() ok, ssh2 on eth0 of port<*>"),
        ("took 1.2 KB (12 bytes) in 35ms", "took <*> in <*>"),
        ("attempt_1445_0020_m_000001_0 done", "attempt_<*> done"),
        ("rhost=example.host.net  user=root", "rhost=<*> user=<*>"),
        ("connection from 1.2.3.4 () at Fri Jun 17 20:55:06 2005", "connection from <*> at <*>"),
        ("open C:\\Windows\\a.dll failed", "open <*> failed"),
        ("loading /usr/lib/x.so: denied", "loading <*>: denied"),
        ("id 6f1e2d3c-aaaa-bbbb-cccc-0123456789ab gone", "id <*> gone"),
        ("proxy.example.edu.hk:5070 close", "<*> close"),
        ("Fan speeds ( 3552 **** 3375 3515 )", "Fan speeds ( <*> )"),
        ("PSU status ( on off )", "PSU status ( <*> )"),
        ('key "View Lock" held', 'key "<*>" held'),
        ("one of 'a', 'b', 'c'", "one of '<*>'"),
        ("for 145 seconds in [2.3]", "for <*> seconds in [<*>]"),
        ("headroom=<memory:0, vCores:-27>", "headroom=<memory:<*>, vCores:<*>>"),
        ("Can't find it, don't ask", "Can't find it, don't ask"),
        ("enabled = true, ws=null", "enabled = <*>, ws=<*>"),
        ("mail <EMAIL> of <USER:ab12> at <IP>", "mail <*> of <*> at <*>"),
        ('"GET /a/b?x=1 HTTP/1.1" 200 12', '"GET <*> HTTP/<*>" <*>'),
        ("java.net.NoRouteToHostException thrown", "java.net.NoRouteToHostException thrown"),
        ("load/store alignment and read-only", "load/store alignment and read-only"),
        ("state is FATAL, code deadbeef11", "state is FATAL, code <*>"),
    ],
)
def test_values_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert mask(masked) == masked


@pytest.mark.parametrize("piece", ["1", "a", "a.", "/", "a/", "=", "'", '"', ":", "[", "<*>", "ab12", "a-", "\\", " 1"])
def test_no_text_makes_masking_slow(piece: str) -> None:
    started = time.process_time()

    mask(piece * 2048)

    assert time.process_time() - started < 1
