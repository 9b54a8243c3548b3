"""The compiled walk of py3langid's model gives the library's labels."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from curation.config import build
from curation.errors import UserError
from curation.filters.language import Language, identify
from curation.process import PlannedStage, process

SENTENCES = {
    "en": "The farmer turned the soil early in the morning and waited for the rain to come.",
    "de": "Der Bauer pflügte am frühen Morgen den Boden und wartete auf den Regen.",
    "fr": "Le fermier a retourné la terre tôt le matin et il attendait que la pluie vienne.",
    "es": "El agricultor removió la tierra por la mañana y esperó a que llegara la lluvia.",
    "it": "Il contadino ha rivoltato la terra la mattina presto e ha aspettato la pioggia.",
    "pt": "O agricultor revirou a terra de manhã cedo e ficou à espera de que a chuva viesse.",
    "nl": "De boer ploegde 's ochtends vroeg de grond om en wachtte op de regen.",
    "pl": "Rolnik przekopał ziemię wcześnie rano i czekał, aż spadnie deszcz.",
    "cs": "Zemědělec brzy ráno zoral půdu a čekal, až přijde déšť.",
    "ru": "Крестьянин рано утром вспахал землю и стал ждать дождя.",
    "uk": "Селянин рано вранці зорав землю і чекав, поки піде дощ.",
    "el": "Ο αγρότης όργωσε τη γη νωρίς το πρωί και περίμενε να έρθει η βροχή.",
    "tr": "Çiftçi sabah erkenden toprağı sürdü ve yağmurun gelmesini bekledi.",
    "fi": "Maanviljelijä kynti pellon varhain aamulla ja odotti sateen tuloa.",
    "hu": "A gazda kora reggel felszántotta a földet, és várta, hogy jöjjön az eső.",
    "ar": "حرث الفلاح الأرض في الصباح الباكر وانتظر هطول المطر.",
    "he": "האיכר חרש את האדמה מוקדם בבוקר וחיכה שהגשם יגיע.",
    "hi": "किसान ने सुबह जल्दी ज़मीन जोती और बारिश का इंतज़ार किया।",
    "th": "ชาวนาไถดินแต่เช้าตรู่และรอให้ฝนตก",
    "ja": "農夫は朝早く土を耕し、雨が降るのを待った。",
    "ko": "농부는 아침 일찍 땅을 갈고 비가 오기를 기다렸다.",
    "zh": "农民一大早就翻了地，等着下雨。",
    "vi": "Người nông dân cày đất từ sáng sớm và chờ mưa đến.",
}
ODD = [
    "THE FARMER TURNED THE SOIL AND WAITED FOR RAIN",  # capitals are lower-cased first
    "LE FERMIER A RETOURNÉ LA TERRE",
    "cafe\u0301 de\u0301ja\u0300 vu a\u0300 Paris l'e\u0301te\u0301",  # not composed
    "Der Boden and the rain et la terre y la lluvia",
    "def main():\n    return {'soil': 1, 'rain': [2, 3]}\n",
    "Straße ΤΟΥ ΑΓΡΌΤΗ ΟΔΥΣΣΕΎΣ",
    "ΟΔΥΣΣΕΥΣ ΚΑΙ ΠΗΝΕΛΟΠΗ",
    "ok",
    "a" * 5000,
    "x\u2028y\u00a0z soil and rain",
    "😀 soil 🎉 rain 👨‍👩‍👧",
    "Њива је чекала кишу",
    "EN: 1234 / DE: 5678",
]


@pytest.fixture(scope="module")
def library() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def found(texts: list[str]) -> list[tuple[str, float]]:
    labels, scores = identify(pa.chunked_array([texts], pa.string()))
    return list(zip(labels.to_pylist(), scores.to_pylist(), strict=True))


@pytest.mark.parametrize("code", SENTENCES)
def test_language_plain_sentence_is_recognised(code: str) -> None:
    label, score = found([SENTENCES[code]])[0]
    assert label == code
    assert score > 0.3


def test_language_labels_and_scores_equal_the_library(library: LanguageIdentifier) -> None:
    texts = [*SENTENCES.values(), *ODD]
    texts += [s[:n] for s in SENTENCES.values() for n in (3, 8, 20)]
    texts += [" ".join(SENTENCES.values()), *(s.upper() for s in SENTENCES.values())]
    for text, (label, score) in zip(texts, found(texts), strict=True):
        expected, confidence = library.classify(text)
        if score == 0:  # no feature of the model: the library is undecided among all
            assert label == "und"
            assert confidence < 0.02
        else:
            assert label == expected, text
            # A final sigma becomes another lower-case letter in the library: a feature or two.
            close = 0.1 if text.isupper() and "Σ" in text else 1e-4
            assert score == pytest.approx(confidence, abs=close)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "1", "\u2028", "\x01"])
def test_language_text_unknown_to_the_model_is_und(text: str) -> None:
    assert found([text]) == [("und", 0.0)]


def test_language_no_texts_gives_no_labels() -> None:
    assert found([]) == []


def test_language_unknown_code_is_an_error_naming_known_codes() -> None:
    with pytest.raises(UserError) as error:
        Language(keep=("en", "klingon")).check()
    assert "'klingon'" in str(error.value)
    assert all(code in str(error.value) for code in SENTENCES)


@pytest.mark.parametrize("score", [-0.1, 1.1])
def test_language_impossible_score_is_an_error(score: float) -> None:
    with pytest.raises(UserError, match="min_score"):
        build(Language, {"min_score": score}, where="r.yaml")


def run(documents: Callable[..., pa.Table], stage: Language) -> tuple[list[str], dict[str, str]]:
    """Languages kept; reason per language dropped."""
    table = documents([*SENTENCES.values(), ""])
    kept, dropped, _ = process(table, [PlannedStage("language", stage)])
    reasons = zip(dropped["language"].to_pylist(), dropped["drop_reason"].to_pylist(), strict=True)
    return kept["language"].to_pylist(), dict(reasons)


def test_language_keep_null_and_no_score_keeps_all(documents: Callable[..., pa.Table]) -> None:
    kept, dropped = run(documents, Language(keep=None, min_score=None))
    assert kept == [*SENTENCES, "und"]
    assert dropped == {}


def test_language_keep_null_still_asks_for_the_score(documents: Callable[..., pa.Table]) -> None:
    kept, dropped = run(documents, Language(keep=None, min_score=1e-6))
    assert kept == list(SENTENCES)
    assert dropped == {"und": "min_score"}


def test_language_keeps_the_listed_codes_only(documents: Callable[..., pa.Table]) -> None:
    kept, dropped = run(documents, Language(keep=("de", "ja"), min_score=None))
    assert kept == ["de", "ja"]
    assert set(dropped.values()) == {"keep"}


def test_language_drop_shows_label_and_list(documents: Callable[..., pa.Table]) -> None:
    stage = Language(keep=("en", "de"))
    _, dropped, _ = process(documents([SENTENCES["fr"]]), [PlannedStage("language", stage)])
    row = dropped.to_pylist()[0]
    assert (row["drop_reason"], row["drop_value"], row["drop_threshold"]) == ("keep", "fr", "en,de")


def test_language_score_at_threshold_keeps_and_above_drops(
    documents: Callable[..., pa.Table],
) -> None:
    text = "Der Boden and the rain"
    label, score = found([text])[0]
    outcomes: list[Any] = []
    for threshold in (score, min(score + 1e-9, 1.0)):
        stage = Language(keep=(label,), min_score=threshold)
        kept, dropped, _ = process(documents([text]), [PlannedStage("language", stage)])
        outcomes.append((len(kept), dropped["drop_reason"].to_pylist()))
    assert outcomes == [(1, []), (0, ["min_score"])]
