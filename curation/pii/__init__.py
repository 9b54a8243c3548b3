"""Personal data in text: where it stands, by kind.

`find` (scan) walks the bytes of many texts once, jumps from one trigger byte to the next and hands
over to the detectors, one file each. `redact` puts placeholders in place of findings. Detectors
are hand-written automata: each reads a bounded number of bytes before and after its trigger, so
that the scan takes linear time on any input. A finding never splits a code point.

What is a letter or digit here is ASCII: addresses and numbers in other digits (`１２３`), with a
full-width `＠`, or in other scripts (`почта@пример.рф`) are not found.
"""
