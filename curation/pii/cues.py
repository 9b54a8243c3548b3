"""Words before a number that say what it is."""

from __future__ import annotations

import string

from curation.jit import leaf
from curation.pii.chars import BYTES, LETTER, LOWER, byte_table, contains, hash_lower, word_hashes
from curation.text import Bytes, Hashes

WINDOW, MAX_WORDS = 60, 4  # bytes and words looked back

# A dotted number after one of these counts software, sections or the like.
VERSIONS = word_hashes(
    """
    version versions ver v vers release releases rel revision rev build firmware driver kernel
    update upgrade patch edition software snapshot tag tagged milestone
    section sections sec sect chapter ch clause clauses paragraph paragraphs para article articles
    art appendix annex schedule exhibit table figure fig equation eq theorem lemma proposition
    corollary definition subsection subclause abschnitt kapitel ziffer absatz oid
    """
)
# Nor is a low one after one of these an address (`fixed in 1.5.4.1`).
RANGES = word_hashes("in since until before than")
# A dotted number near one of these is an address, though it begins as low as versions do.
HOSTS = word_hashes(
    """
    ip ips ipv inet address addresses addr host hosts hostname localhost server servers dns
    nameserver nameservers resolver resolvers ping pinging pinged traceroute tracert nslookup dig
    whois curl wget ssh telnet ftp gateway router routers subnet subnets netmask network firewall
    proxy vpn peer peers client clients port listen listening bind connect connected
    connecting connection connections login logged request requests visitor visitors blocked
    banned attack attacks attacker spammer adresse dirección 地址 主机 服务器
    """
)
# A number after one of these is a telephone's.
PHONES = word_hashes(
    """
    tel telephone telephones telefon telefone telefono teléfono téléphone tél telecopy telecopier
    telecopie télécopie telefax telefaxnummer telefonnummer phone phones phn ph fon fax faxes faxed
    facsimile facs mobile mobil mob móvil movil celular cell cellphone cellular handy gsm call
    calling dial hotline helpline whatsapp sms pager voicemail landline tty tdd toll switchboard
    rufnummer tlf tlfn puhelin telefoon телефон тел факс
    电话 電話 手机 手機 传真 傳真 热线 熱線 携帯 전화 팩스 휴대폰
    """
)

BETWEEN, NUMBERS = 1, 2  # what a look back passes over: light punctuation; other numbers
PASSES = byte_table({BETWEEN: " \t\r\n.,:;#()-/*'=&?!\"]", NUMBERS: string.digits})


@leaf
def is_version(data: Bytes, at: int, floor: int) -> bool:
    """Whether the word before `at` announces a version or a section."""
    return _follows(data, at, floor, VERSIONS)


@leaf
def is_host(data: Bytes, start: int, stop: int, begin: int, end: int) -> bool:
    """Whether one of the four words before data[start:stop] or the one behind is about networks."""
    distance = _distance(data, start, begin, HOSTS, BETWEEN | NUMBERS)
    if distance:
        return distance == 1 or not _follows(data, start, begin, RANGES)
    while stop < end and PASSES[data[stop]] & BETWEEN:
        stop += 1
    at = stop
    while at < end and BYTES[data[at]] & LOWER:  # in capitals begins a title or a sentence
        at += 1
    return contains(HOSTS, hash_lower(data, stop, at))


@leaf
def _follows(data: Bytes, at: int, floor: int, words: Hashes) -> bool:
    """Whether one of `words` stands right before `at`."""
    start, stop = word_before(data, at, max(floor, at - WINDOW), BETWEEN)
    return stop > start and contains(words, hash_lower(data, start, stop))


@leaf
def words_to_phone(data: Bytes, at: int, floor: int) -> int:
    """How many words before `at` the nearest one about telephones stands: 1 to 4; 0 for none."""
    return _distance(data, at, floor, PHONES, BETWEEN)


@leaf
def _distance(data: Bytes, at: int, floor: int, words: Hashes, passes: int) -> int:
    """How many words before `at` the nearest of `words` stands; 0 for none."""
    lowest = max(floor, at - WINDOW)
    for distance in range(1, MAX_WORDS + 1):
        start, stop = word_before(data, at, lowest, passes)
        if start == stop:
            return 0
        if contains(words, hash_lower(data, start, stop)) or _ends_in(data, start, stop, words):
            return distance
        at = start
    return 0


@leaf
def _ends_in(data: Bytes, start: int, stop: int, words: Hashes) -> bool:
    """Whether one of `words` ends a run of characters written without spaces."""
    if data[stop - 1] < 0x80:
        return False
    for size in (6, 9):  # two or three characters
        if stop - size > start and contains(words, hash_lower(data, stop - size, stop)):
            return True
    return False


@leaf
def word_before(data: Bytes, at: int, lowest: int, passes: int) -> tuple[int, int]:
    """(start, end) of the word before `at`, with nothing between but characters of `passes`.

    (at, at) if something else stands there, such as the bracket of a placeholder.
    """
    stop = at
    while stop > lowest:
        size = 1 if PASSES[data[stop - 1]] & passes else _punctuation(data, stop, lowest)
        if not size:
            break
        stop -= size
    start = stop
    while start > lowest and _is_letter(data, start, lowest):
        start -= 1
    return (start, stop) if start < stop else (at, at)


@leaf
def _is_letter(data: Bytes, at: int, lowest: int) -> bool:
    """Whether a byte of a letter ends at `at`."""
    if data[at - 1] < 0x80:
        return bool(BYTES[data[at - 1]] & LETTER)
    return _punctuation(data, at, lowest) == 0


@leaf
def _punctuation(data: Bytes, at: int, lowest: int) -> int:
    """The bytes of a mark or space beyond ASCII that ends at `at`, 0 if there is none."""
    if at - 2 >= lowest and data[at - 2] == 0xC2:  # U+0080 to U+00BF: no-break space, bullet
        return 2
    if at - 3 < lowest:
        return 0
    lead, second, last = data[at - 3], data[at - 2], data[at - 1]
    if lead == 0xE2 and second == 0x80 and last <= 0x9F:  # U+2000 to U+201F: spaces, dashes, quotes
        return 3
    if lead == 0xE3 and second == 0x80:  # U+3000 to U+303F: CJK punctuation
        return 3
    full = lead == 0xEF and second == 0xBC and (last <= 0x8F or 0x9A <= last <= 0xA0)
    return 3 if full else 0  # the full-width forms of ASCII punctuation
