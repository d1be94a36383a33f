"""Which IP addresses belong to the public internet, by a table of our own.

Python's `ipaddress` says what a registry calls "globally reachable". Here the question is another: may a stranger's
list have this machine ask there? Metadata services of clouds lie in networks that pass for public, some special
networks are missing from older tables, and IPv6 has many ways to carry an IPv4 address.

Sources: IANA's special-purpose address registries for IPv4 and IPv6, IANA's IPv6 global unicast assignments (nothing
outside of 2000::/3 is assigned to anybody), and the clouds' own documents.
"""

import ipaddress
from ipaddress import IPv4Address, IPv6Address

_SPECIAL_IPV4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, RFC 791
        "10.0.0.0/8",  # private, RFC 1918
        "100.64.0.0/10",  # shared by customers of a carrier, RFC 6598; Alibaba's metadata at 100.100.100.200
        "127.0.0.0/8",  # this machine
        "168.63.129.16/32",  # Azure's WireServer
        "161.26.0.0/16",  # IBM Cloud's services, for its machines alone
        "166.8.0.0/14",  # likewise
        "169.254.0.0/16",  # link-local, RFC 3927; the metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments, RFC 6890; Oracle's metadata at 192.0.0.192
        "192.0.2.0/24",  # documentation, RFC 5737
        "192.31.196.0/24",  # AS112, RFC 7535
        "192.52.193.0/24",  # AMT, RFC 7450
        "192.88.99.0/24",  # 6to4 relays, deprecated by RFC 7526
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112, RFC 7534
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "198.51.100.0/24",  # documentation
        "199.36.153.4/30",  # Google's APIs as a private network sees them
        "199.36.153.8/30",
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast
    )
)
_ASSIGNED_IPV6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, RFC 2928: Teredo, ORCHID, benchmarks, AMT, AS112
        "2001:db8::/32",  # documentation, RFC 3849
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # 6bone, given back by RFC 3701
        "3fff::/20",  # documentation, RFC 9637
    )
)
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
# RFC 6052; the prefixes of RFC 8215 and of single networks tell no place to look at
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_6TO4 = ipaddress.IPv6Network("2002::/16")
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214: bits 64 to 95, before the IPv4 address


def is_private(ip: str) -> bool:
    """Whether an IP address is not one of the public internet: this machine, its network, a cloud's own services,
    multicast, what is reserved, deprecated, or for documents.

    IPv6 addresses that carry an IPv4 one, as IPv4-mapped, NAT64, 6to4 and ISATAP do, are judged by the one they carry,
    too.

    Raises:
        ValueError: for what is no IP address.
    """
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, IPv4Address):
        return any(address in network for network in _SPECIAL_IPV4)
    carried = _carried(address)
    if carried is not None and is_private(str(carried)):
        return True
    if address in _MAPPED or address in _NAT64:
        return False
    return address not in _ASSIGNED_IPV6 or any(address in network for network in _SPECIAL_IPV6)


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address within an IPv6 one, where its form says that there is one."""
    bits = int(address)
    if address in _6TO4:
        return IPv4Address((bits >> 80) & 0xFFFFFFFF)
    if address in _MAPPED or address in _NAT64 or (bits >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(bits & 0xFFFFFFFF)
    return None
