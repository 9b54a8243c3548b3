"""Language identification: speed and labels against py3langid, accuracy, confusions."""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

from curation import langid
from tests.benchmarks.data import json_lines, shared, size
from tests.benchmarks.tables import Table
from tests.benchmarks.timing import Case, quotients, rates, spread

ENGLISH = ("blog", "biomedical", "government", "books", "legal")
OTHERS = {"lang_de": "de", "lang_fr": "fr", "lang_ja": "ja", "lang_ru": "ru", "lang_zh": "zh"}
LENGTHS = (20, 50, 100, 200, 400)  # characters of a piece
STANDARD = 200  # that of the figures in the literature on short texts and of our baselines
MIN_SCORE = 0.65  # the default of `language`
MEGABYTES = 1.5  # of a kind of text: the peer takes half a second per megabyte
REPEAT = 3  # of ours per round
SHOWN = 15  # confusions

# UDHR translations whose language py3langid knows, by the names in the data. Left out: files that
# are not in the encoding they claim (Cyrillic ones), Uighur in Latin script, and Shahmukhi.
UDHR = {
    "Afaan_Oromo_Oromiffa": "om", "Afrikaans": "af", "Albanian_Shqip": "sq", "Basque_Euskara": "eu",
    "Belorus_Belaruski": "be", "Bengali": "bn", "Breton": "br", "Catalan": "ca",
    "Catalan_Catala": "ca", "Chinese_Mandarin": "zh", "Croatian_Hrvatski": "hr", "Czech": "cs",
    "Danish_Dansk": "da", "English": "en", "Estonian_Eesti": "et", "Farsi_Persian": "fa",
    "Filipino_Tagalog": "tl", "Galician_Galego": "gl", "German_Deutsch": "de",
    "HaitianCreole_Kreyol": "ht", "Hausa_Haoussa": "ha", "Hebrew_Ivrit": "he", "Hindi": "hi",
    "Hindi_web": "hi", "Hrvatski_Croatian": "hr", "Hungarian_Magyar": "hu",
    "Icelandic_Yslenska": "is", "Igbo": "ig", "Indonesian": "id", "Javanese": "jv", "Kannada": "kn",
    "Kazakh": "kk", "Kinyarwanda": "rw", "Korean_Hankuko": "ko", "Latin_Latina-v2": "la",
    "Luxembourgish_Letzebuergeusch": "lb", "Macedonian": "mk", "Malagasy": "mg",
    "Malay_BahasaMelayu": "ms", "Maltese": "mt", "Mongolian_Khalkha": "mn",
    "NigerianPidginEnglish": "pcm", "Norwegian_Norsk-Bokmal": "no", "Norwegian_Norsk-Nynorsk": "nn",
    "OccitanAuvergnat": "oc", "Polish_Polski": "pl", "Portuguese_Portugues": "pt", "Quechua": "qu",
    "Romanian": "ro", "Russian_Russky": "ru", "Sami_Lappish": "se", "Sanskrit": "sa",
    "Serbian_Srpski": "sr", "Sinhala": "si", "Slovak": "sk", "Somali": "so",
    "SouthernSotho_Sotho-Sesotho-Sutu-Sesutu": "st", "Spanish": "es", "Swahili_Kiswahili": "sw",
    "Swedish_Svenska": "sv", "Turkish_Turkce": "tr", "Ukrainian": "uk", "Uzbek": "uz",
    "Vietnamese": "vi", "Walloon_Wallon": "wa", "Xhosa": "xh", "Yoruba": "yo", "Zulu": "zu",
}  # fmt: skip

Labelled = tuple[str, str]  # language, text


def run() -> list[Table]:
    """Speed, then accuracy over UDHR and other text."""
    udhr = list(_udhr())
    other = [(code, row["text"]) for name, code in OTHERS.items() for row in _rows(name, 2)]
    english = [("en", row["text"]) for name in ENGLISH for row in _rows(name, 8)]
    return [_speed(udhr, other, english), _accuracy(udhr, [*other, *english]), _confusions(udhr)]


def _rows(name: str, step: int) -> Iterable[dict[str, str]]:
    path = shared("text", f"{name}.jsonl.zst")
    return (row for i, row in enumerate(json_lines(path)) if i % step == 0)


def _udhr() -> Iterable[Labelled]:
    for row in _rows("langid_udhr", 1):
        if row["lang"] in UDHR and not row["id"].endswith("-Cyrillic"):
            yield UDHR[row["lang"]], row["text"]


def _pieces(documents: Iterable[Labelled], length: int) -> list[Labelled]:
    """Pieces of `length` characters, at most one per STANDARD characters."""
    step = max(length, STANDARD)
    return [
        (code, text[at : at + length])
        for code, text in documents
        for at in range(0, len(text) - length + 1, step)
    ]


def _rank(texts: list[str]) -> langid.Ranked:
    return langid.rank(pa.chunked_array([texts], pa.string()))


def _speed(udhr: list[Labelled], other: list[Labelled], english: list[Labelled]) -> Table:
    kinds = {
        "English documents": english,
        "documents in de, fr, ja, ru, zh": other,
        f"UDHR pieces of {STANDARD} characters": _pieces(udhr, STANDARD),
    }
    rows = [(name, *_against([text for _, text in found])) for name, found in kinds.items()]
    columns = ("", "texts", "MB", "MB/s per core", "py3langid", "ratio", "spread", "same labels")
    return Table("language identification, one core", columns, rows)


def _against(texts: list[str]) -> tuple[Any, ...]:
    """Texts, megabytes, our rate, py3langid's, their ratio, its spread, equal labels."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    classify = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True).classify
    texts = texts[:: max(1, round(size(texts) / MEGABYTES))]
    labels = _rank(texts).labels[:, 0]
    same = sum(label == classify(text)[0] for label, text in zip(labels, texts, strict=True))
    found = rates(
        [
            Case("ours", partial(_rank, texts), size(texts), REPEAT),
            Case("py3langid", lambda: [classify(text) for text in texts], size(texts)),
        ]
    )
    ratios = quotients(found["ours"], found["py3langid"])
    typical = (found["ours"].typical, found["py3langid"].typical, median(ratios), spread(ratios))
    return len(texts), size(texts), *typical, same


def _accuracy(udhr: list[Labelled], other: list[Labelled]) -> Table:
    rows = [(length, *_judged(udhr, length), *_judged(other, length)) for length in LENGTHS]
    heads = ("pieces", "accuracy", f"at >= {MIN_SCORE}", "share of these")
    columns = ("characters", *(f"{of} {h}" for of in ("UDHR:", "other:") for h in heads))
    about = f"UDHR: {len({code for code, _ in udhr})} languages that py3langid knows. Other: "
    about += "documents in English, German, French, Japanese, Russian, Chinese."
    score = f"At >= {MIN_SCORE}: the accuracy of those whose score `language` asks for."
    return Table("accuracy by length of the text", columns, rows, [about, score])


def _judged(documents: Iterable[Labelled], length: int) -> tuple[int, float, float, float]:
    """Pieces, their accuracy, that of those with a sufficient score, and how many these are."""
    pieces = _pieces(documents, length)
    ranked = _rank([text for _, text in pieces])
    right = ranked.labels[:, 0] == np.array([code for code, _ in pieces], object)
    sure = ranked.scores[:, 0] >= MIN_SCORE
    return len(pieces), right.mean(), right[sure].mean(), sure.mean()


def _confusions(udhr: list[Labelled]) -> Table:
    pieces = _pieces(udhr, STANDARD)
    said = _rank([text for _, text in pieces]).labels[:, 0]
    of = Counter(code for code, _ in pieces)
    pairs = Counter((code, name) for (code, _), name in zip(pieces, said, strict=True))
    wrong = [(pair, n) for pair, n in pairs.most_common() if pair[0] != pair[1]]
    rows = [(true, name, n, of[true]) for (true, name), n in wrong[:SHOWN]]
    note = f"{sum(n for _, n in wrong)} errors in {len(pieces):,} pieces, {len(wrong)} pairs."
    title = f"most frequent confusions, UDHR pieces of {STANDARD} characters"
    return Table(title, ("is", "taken for", "pieces", "of"), rows, [note])
