"""Page URLs in canonical form: what is left when all is gone that names no other page.

The syntax-based normalisation of RFC 3986 (6.2.2) and its scheme-based one (6.2.3): host in lower
case and in the DNS's form, no default port, percent-encoded what must be and nothing else, dot
segments resolved. Besides, as crawlers do: no scheme, user, `www.`, fragment, trailing slash,
session id or tracking parameter. Paths keep their case.

A fragment that begins with `!` is kept: it names a page (Google's AJAX crawling scheme of 2009).
"""

from __future__ import annotations

import functools
import re
from urllib.parse import quote, urlsplit

from curation.url_lists import ascii_host

MAX_URL = 1 << 16  # characters: longer ones hold data and name no page

_SCHEMES = ("", "http", "https")
_DEFAULT_PORTS = (None, 80, 443)  # under either scheme: it does not count
_IN_PATH = "!$&'()*+,;=:@/-._~%"  # what may stand there as it is: RFC 3986, 3.3
_IN_QUERY = _IN_PATH.replace("+", "") + "?"  # `+` means a space there
_PLAIN_PATH = re.compile(r"[A-Za-z0-9!$&'()*+,;=:@/._~-]*")
_TRIPLET = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_SESSION = re.compile(r";(?:jsessionid|phpsessid)=[^/;]*", re.IGNORECASE)
_AUTHORITY = re.compile(r"([a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+-]*:(?![0-9])", re.IGNORECASE)  # `mailto:`, no port

# Parameters that say where a visitor came from, not what is shown; in lower case. Most of them are
# those that AdGuard's URL tracking filter removes on all sites (AdguardFilters,
# TrackParamFilter/sections/general_url.txt). By their beginning: campaigns of Google Analytics,
# Matomo and HubSpot.
TRACKING_PREFIXES = ("utm_", "mtm_", "piwik_", "matomo_", "__hs", "_hs", "hsa_")
# By name: other campaigns of Matomo; click ids of Google, Meta, Microsoft, Yandex, X, TikTok,
# LinkedIn, Instagram, Reddit, Snapchat and Adobe; the mailers Mailchimp, Marketo, Vero and Klaviyo;
# besides, the session ids of PHP and Java.
TRACKING = frozenset(
    [
        *("pk_campaign", "pk_kwd", "pk_keyword", "pk_medium", "pk_source", "pk_content", "pk_vid"),
        *("gclid", "gclsrc", "gbraid", "wbraid", "dclid", "gad_source", "srsltid", "_ga", "_gl"),
        *("fbclid", "fb_action_ids", "fb_action_types", "fb_ref", "fb_source", "fb_comment_id"),
        *("msclkid", "yclid", "ysclid", "_openstat", "twclid", "ttclid", "li_fat_id"),
        *("igshid", "igsh", "rdt_cid", "sccid", "s_kwcid", "ef_id"),
        *("mc_cid", "mc_eid", "mkt_tok", "vero_id", "vero_conv", "_kx"),
        *("phpsessid", "jsessionid"),
    ]
)


def canonical_page(url: str | None, *, sort_query: bool = True) -> str:
    """The canonical form of a URL, without its scheme; empty for what is no URL of the web.

    Args:
        url: as found; a host with a dot will do for a scheme.
        sort_query: whether `?a=1&b=2` and `?b=2&a=1` name the same page.
    """
    url = (url or "").strip()
    bare = not _AUTHORITY.match(url)
    if len(url) > MAX_URL or (bare and _OTHER_SCHEME.match(url)):
        return ""
    try:
        parts = urlsplit(f"//{url}" if bare else url)
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:  # a host that cannot be one, or a port that is no number
        return ""
    if parts.scheme not in _SCHEMES or not host or (bare and "." not in host):
        return ""
    authority = host if port in _DEFAULT_PORTS else f"{host}:{port}"
    query = _query(parts.query, sort_query)
    fragment = f"#{parts.fragment}" if parts.fragment.startswith("!") else ""
    return f"{authority}{_path(parts.path)}{'?' if query else ''}{query}{fragment}"


@functools.lru_cache(maxsize=1 << 12)
def _host(name: str) -> str:
    host = ascii_host(name)
    return host[4:] if host.startswith("www.") and "." in host[4:] else host


def _path(path: str) -> str:
    """Without dot segments, session ids and slashes at the end."""
    path = _SESSION.sub("", _encoded(path, _IN_PATH))
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == ".." and len(segments) > 1:
            segments.pop()
        elif segment not in (".", ".."):
            segments.append(segment)
    return "/".join(segments).rstrip("/")


def _query(query: str, sort: bool) -> str:
    """Without empty and tracking parameters."""
    pairs = [_encoded(pair.replace("+", "%20"), _IN_QUERY) for pair in query.split("&") if pair]
    kept = [pair for pair in pairs if not is_tracking(pair.partition("=")[0])]
    return "&".join(sorted(kept) if sort else kept)


def is_tracking(name: str) -> bool:
    """Whether a parameter says how the page was reached."""
    name = name.lower()
    return name in TRACKING or name.startswith(TRACKING_PREFIXES)


def _encoded(part: str, safe: str) -> str:
    """Percent-encoded where it must be, in capitals, and nowhere else."""
    if _PLAIN_PATH.fullmatch(part):
        return part
    return quote(_TRIPLET.sub(_plain, part), safe=safe, errors="replace")


def _plain(found: re.Match[str]) -> str:
    """What is left of a percent sign and the digits after it."""
    if found[1] is None:
        return "%25"
    char = chr(int(found[1], 16))
    return char if _UNRESERVED.fullmatch(char) else found[0].upper()
