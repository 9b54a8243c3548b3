"""One sentence in many languages, and a fastText model of them."""

import subprocess
import sys
from pathlib import Path

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

# Another process, because fastText starts from what it finds in memory that was used before.
TRAIN = """
import random, sys
import fasttext
from tests.curation.sentences import SENTENCES
draw = random.Random(0)
with open("train.txt", "w", encoding="utf-8") as out:
    for code, sentence in SENTENCES.items():
        for _ in range(40):
            words = draw.choices(sentence.split(), k=8)
            out.write(f"{sys.argv[1]}{code} {' '.join(words)}\\n")
model = fasttext.train_supervised(
    "train.txt", label=sys.argv[1], thread=1, seed=0, epoch=20, lr=0.5, dim=16, minn=1, maxn=3,
    bucket=5000, verbose=0,
)
model.save_model("model.bin")
model.quantize(input="train.txt", verbose=0)
model.save_model("model.ftz")
"""


def train_model(folder: Path, prefix: str = "__label__") -> Path:
    """`folder` with `model.bin` and `model.ftz`, whose labels begin with `prefix`."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n{TRAIN}"
    subprocess.run([sys.executable, "-c", code, prefix], cwd=folder, check=True)
    return folder
