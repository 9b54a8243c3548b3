"""spaCy's tokens, as its rules make them and, where it is installed, as it makes them itself."""

import random
from typing import Any

import pytest

from curation.text import ALPHA, PIECE, WORD
from tests.corpora import prose
from tests.curation.spacy_words import flagged_spacy_words, spacy_words

# Texts, and spaCy's tokens with a bar between them.
TOKENS = [
    # marks come off both ends, one by one; full stops together
    ('("Well," he said.)', '(|"|Well|,|"|he|said|.|)'),
    ("!!!! ____ ##a **b**", "!|!|!|!|_|_|_|_|#|#|a|*|*|b|*|*"),
    ("so... ..x .... … x...y", "so|...|..|x|....|…|x|...|y"),
    ("“No”—‘yes’ — –", "“|No”—‘yes|’|—|–"),
    ("-B @me /dev ~x \\a .pdf", "-B|@me|/dev|~x|\\a|.pdf"),
    ("+5 +x 5+ C++ =a% §2", "+5|+|x|5|+|C++|=|a%|§|2"),
    ("• ☺ ☺a a☺b €5 5€ $x x$", "•|☺|☺|a|a|☺|b|€|5|5|€|$|x|x$"),
    # what splits inside
    (
        "and-so 20-day CIFAR-10 a--b a---b a----b",
        "and|-|so|20|-|day|CIFAR-10|a|--|b|a|---|b|a----b",
    ),
    ("a—b a——b 1–3 c–d x~y", "a|—|b|a|——|b|1–3|c|–|d|x|~|y"),
    ("x=y a/b 1/2 4/x a:b 10:30 <b>c</b>", "x|=|y|a|/|b|1/2|4|/|x|a|:|b|10:30|<|b|>|c</b|>"),
    ("One.Two one.two One.TWO 6.Other", "One|.|Two|one.two|One|.|TWO|6.Other"),
    ("a,b a,5 1,000.50", "a|,|b|a,5|1,000.50"),
    ("1987-88 5*6 2^8 3+4 a+b 5--6", "1987|-|88|5|*|6|2|^|8|3|+|4|a+b|5|-|-6"),
    ("f(x) a)(b [1] x[2]y 401(k)", "f(x|)|a)(b|[|1|]|x[2]y|401(k|)"),
    # contractions and the like
    ("don't Don’t DON'T can't won't n't", "do|n't|Do|n’t|DON'T|ca|n't|wo|n't|n't"),
    ("he's HE'S it’s the dogs' 's 'S", "he|'s|HE|'S|it|’s|the|dogs|'|'s|'S"),
    ("I'll you've they'd We're I'm hang'd", "I|'ll|you|'ve|they|'d|We|'re|I|'m|hang'd"),
    ("could've O'Neill's rock'n'roll o'clock", "could|'ve|O'Neill|'s|rock'n'roll|o'clock"),
    ("cannot Gonna gotta cannots", "can|not|Gon|na|got|ta|cannots"),
    # full stops that stay
    ("Mr. St. U.S. e.g. i.e., a. B. Ph.D.", "Mr.|St.|U.S.|e.g.|i.e.|,|a.|B.|Ph.D."),
    ("USA. it. 5. été. Éa. x). %.", "USA|.|it|.|5|.|été|.|Éa|.|x|)|.|%|."),
    ("(Jan. 5), Calif.; mr.", "(|Jan.|5|)|,|Calif.|;|mr|."),
    # units
    ("5km 400g 50% 5kmx 3D 5s 8mm,", "5|km|400|g|50|%|5kmx|3D|5s|8|mm|,"),
    # addresses
    (
        "http://www.a.com/b?c=d, see www.x-y.org/a-b and a-b@c.com.",
        "http://www.a.com/b?c=d|,|see|www.x-y.org/a-b|and|a-b@c.com|.",
    ),
    ("a.b/c-d file-a.tar.gz a-b:c", "a.b|/|c|-|d|file-a.tar.gz|a|-|b|:|c"),
    ("and/or w/o he/she", "and/or|w/o|he|/|she"),
    # other scripts
    ("中文。字 naïve, Ünïted’s", "中文。字|naïve|,|Ünïted|’s"),
    ("a\u00a0b\u2028c\r\n\td", "a|b|c|d"),
]


@pytest.mark.parametrize(("text", "expected"), TOKENS)
def test_spacy_tokens_of_text(text: str, expected: str) -> None:
    assert spacy_words([text]) == [expected.split("|")]


def test_spacy_tokens_of_nothing() -> None:
    assert spacy_words(["", " ", "\n\n", "a"]) == [[], [], [], ["a"]]


def test_spacy_tokens_are_words_if_datatrove_has_no_symbol_of_them() -> None:
    words = {"a", "5", "½", "•", "€", "°", "x.", "©", "a.b", "‹"}
    symbols = {"...", "—", "“", "!", "$", "@", "।", "。", "''", "►", "\x01", "?"}
    for string in words | symbols:
        ((token, flags),) = flagged_spacy_words([string])[0]
        assert token == string
        assert bool(flags & WORD) is (string in words)


def test_spacy_tokens_letters_and_beginnings_of_pieces() -> None:
    found = flagged_spacy_words(["(don't 5km 1/2 x... ½)"])[0]
    letters = [token for token, flags in found if flags & ALPHA]
    assert letters == ["do", "n't", "km", "x"]
    begin = [token for token, flags in found if flags & PIECE]
    assert begin == ["(", "5", "1/2", "x", "½"]


def test_spacy_tokens_do_not_depend_on_the_texts_beside() -> None:
    texts = [text for text, _ in TOKENS]
    assert spacy_words(texts) == [spacy_words([text])[0] for text in texts]


@pytest.mark.parametrize(
    "part", ["!", "-", "=", ".", "a.", "a/", "a@", "'", "://", "(a)", "—", "1-"]
)
def test_spacy_tokens_of_endless_piece(part: str) -> None:
    text = "a" + part * 100_000
    assert "".join(spacy_words([text])[0]) == text


@pytest.fixture(scope="module")
def spacy() -> Any:
    return pytest.importorskip("spacy").blank("en")


@pytest.mark.parametrize(("text", "expected"), TOKENS)
def test_spacy_itself_makes_the_same_tokens(spacy: Any, text: str, expected: str) -> None:
    assert [token.text for token in spacy(text) if token.text.strip()] == expected.split("|")


FRAGMENTS = [
    *("a", "B", "5", "the", "don't", "’s", "'s", "...", "…", ".", ",", "-", "--", "—", "/", ":"),
    *("(", ")", '"', "“", "”", "http://", "www.", "x.org", "@", "#", "$", "%", "+", "*", "_", "="),
    *("é", "中", "☺", "km", "Mr.", "U.S", " ", " ", " ", "\n", "!", "?", "&", "`", "€", "½"),
]


def test_spacy_itself_makes_nearly_the_same_tokens_of_generated_texts(spacy: Any) -> None:
    """Text after text of bare punctuation: what differs are emoticons and exceptions in a piece."""
    draw = random.Random(5)
    texts = ["".join(draw.choices(FRAGMENTS, k=draw.randint(1, 12))) for _ in range(3000)]
    texts += [prose(seed) for seed in range(20)]
    found = spacy_words(texts)
    same = 0
    for text, tokens in zip(texts, found, strict=True):
        assert "".join(tokens) == "".join(text.split())
        same += tokens == [token.text for token in spacy(text) if token.text.strip()]
    assert same > 0.95 * len(texts)
