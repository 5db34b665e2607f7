"""How it shows that the other side speaks another protocol than this one."""

from __future__ import annotations

from typing import Optional

#: How an alert begins (RFC 8446, 5.1), and a status line (RFC 9112, 4).
_BEGINNINGS = {
    b"\x15\x03": "the server speaks TLS (give the client tls=tls_context())",
    b"HTTP/": "this port speaks HTTP; give that of the native protocol",
}


def other_protocol(beginning: bytes) -> Optional[str]:
    """What to say of a port whose first answer begins so; none where it may be an answer, which is a JSON object."""
    for start, meaning in _BEGINNINGS.items():
        if beginning.startswith(start):
            return meaning
    text = beginning.lstrip(b" \t\r\n")
    if not text or text.startswith(b"{") or any(start.startswith(beginning) for start in _BEGINNINGS):
        return None
    return f"this port speaks another protocol than Docket's: it begins with {text[:16]!r}"
