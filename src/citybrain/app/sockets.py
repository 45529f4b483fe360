"""Listening on IPv4 and IPv6 alike."""

import socket
from collections.abc import Sequence

from citybrain.kernel.errors import ConflictError
from citybrain.kernel.text import Text


def listen(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Bound sockets for every host; an IPv6 address is left out where the machine has no IPv6. Raises ConflictError when taken."""
    bound: list[socket.socket] = []
    for host in hosts:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        if family is socket.AF_INET6 and not _has_ipv6(host):
            continue
        bound.append(_bind(family, host, port))
    return bound


def _bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    here = socket.socket(family)
    here.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family is socket.AF_INET6:
        here.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        here.bind((host, port))
    except OSError as error:
        here.close()
        what = Text(
            f"端口 {port}（{host}）无法使用：{error.strerror}。请用 PORT= 换一个端口。",
            f"Port {port} on {host} cannot be used: {error.strerror}. Choose another with PORT=.",
        )
        raise ConflictError(what, port=port) from error
    return here


def _has_ipv6(host: str) -> bool:
    if not socket.has_ipv6:
        return False
    try:
        with socket.socket(socket.AF_INET6) as trial:
            trial.bind((host, 0))
    except OSError:
        return False
    return True
