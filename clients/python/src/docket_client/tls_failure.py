"""What errors of connecting and of TLS say to a person."""

from __future__ import annotations

import socket
import ssl

_refusals = {
    "CERTIFICATE_REQUIRED": "it wants a client's certificate (tls_context's certificate_file and key_file)",
    "HANDSHAKE_FAILURE": "it refuses the handshake; perhaps it wants a client's certificate (tls_context's certificate_file)",
    "UNKNOWN_CA": "it does not know who has signed the client's certificate",
    "BAD_CERTIFICATE": "it does not accept the client's certificate",
    "CERTIFICATE_UNKNOWN": "it does not accept the client's certificate",
    "CERTIFICATE_EXPIRED": "the client's certificate has expired",
    "ACCESS_DENIED": "it does not accept the client's certificate",
    "DECRYPT_ERROR": "it does not accept the client's certificate",
}


def _alert(error: BaseException) -> str:
    """The alert's name in OpenSSL's reason: ``TLSV13_ALERT_CERTIFICATE_REQUIRED``."""
    reason = getattr(error, "reason", None)
    return reason.partition("_ALERT_")[2] if isinstance(error, ssl.SSLError) and isinstance(reason, str) else ""


def is_refusal_of_certificate(error: BaseException) -> bool:
    """Whether the other side has said by this that it does not accept the certificate it was shown, or misses one. A client of TLS 1.3
    hears of it when its own part of the handshake is over (RFC 8446, 4.4.2.4)."""
    return _alert(error) in _refusals


def is_of_tls(error: BaseException) -> bool:
    """Whether it is TLS that has failed, and not the connection below it. (asyncio tells of a handshake that the other side breaks off
    by a ConnectionError.)"""
    return isinstance(error, (ssl.SSLError, ssl.CertificateError)) or type(error) in (ConnectionAbortedError, ConnectionResetError)


def reason(error: BaseException) -> str:
    """Why no connection came about, or one came to its end."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        known = _refusals.get(_alert(error))
        if known is not None:
            return known
        if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
            return "the other side does not speak TLS"
        if error.reason in ("UNEXPECTED_EOF_WHILE_READING", None):
            return "the connection was closed during the TLS handshake"
        return f"TLS failed: {error.reason}"
    if isinstance(error, socket.gaierror):
        return f"there is no such host ({error.strerror})"
    # Before Python 3.10 socket.timeout is no TimeoutError, and before 3.11 asyncio's is none.
    if isinstance(error, (TimeoutError, socket.timeout)) or type(error).__name__ == "TimeoutError":
        return "timed out"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
