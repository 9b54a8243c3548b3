"""What-if: what other thresholds would have kept, from the annotations that a run has stored.

`changes` says what is asked, `rejudge` which documents move, `answer` and `sweep` what that means.
"""

from pipelines.what_if.answer import answer_text, what_if
from pipelines.what_if.sweep import curve_text, sweep

__all__ = ["answer_text", "curve_text", "sweep", "what_if"]
