"""Generated texts that hold every class of character, and what joins or separates them."""

from hypothesis import strategies as st

ALPHABET = (
    "abZ95٣éßЖאعन한´'’‘.,_-…!?#。؟中文かカーﾊกຂកက々𠀀😀😁🏽㊥Ⅷ²½ʼ〆 "
    "\u0301\u0308\u3099\u0e48\ufe0f\u200d\u200b\u00ad\ufeff\ufffd\uffff\U0010ffff"
    "\x00\x01\x02\x03\x04\x05\x06\x7f\x80\x84\x85\xa0\u2028\u3000\u1680\n\r\t\x0b\x1f"
)
FRAGMENTS = [*ALPHABET, "don't", "l’été", "3.14", "1,000", "x_1", "e.g.", "...", "\n\n", "  "]

strings = st.one_of(
    st.text(),
    st.text(st.sampled_from(ALPHABET), max_size=40),
    st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join),
)
