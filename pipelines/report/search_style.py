"""What a search's page adds to the style sheet: a ramp from the best to the worst, and marks."""

from __future__ import annotations

# Dark teal to pale orange, told apart in lightness too, so that they read without hue.
_LIGHT = "--q0:#0b5566;--q1:#3c8fa0;--q2:#9bb8b4;--q3:#e3b285;--q4:#d98a5f;--mark:#b3186d"
_DARK = "--q0:#8fe6f7;--q1:#4fa9ba;--q2:#5d7f80;--q3:#8a6a4a;--q4:#a85a36;--mark:#ff8fc4"
_RULES = """
.broad>.scroll>svg{display:block;width:100%;min-width:760px;max-width:none}
.broad>.scroll{margin:0 0 6px}
.run{stroke-width:1.1;stroke-opacity:.6;fill-opacity:.9}path.run,path.mark{fill:none}
circle.run{stroke:var(--paper);stroke-width:.8;stroke-opacity:1}
.mark{stroke-width:2.6}.best{stroke:var(--ink);background:var(--ink)}
.natural{stroke:var(--soft);background:var(--soft)}path.natural{stroke-dasharray:6 4}
.chosen{fill:var(--mark);background:var(--mark)}.mark.chosen,.ring.chosen{stroke:var(--mark)}
.ring{fill:none;stroke-width:2.2}.curve.best{stroke:var(--ink);stroke-width:2;background:none}
.barred{fill:var(--paper);stroke:var(--c0);stroke-width:1.4}
span.barred{border:2px solid var(--c0)}span.guess{border:2px solid var(--mark)}
.key.barred,.key.guess{border-radius:99px}
.noise{fill:var(--c1);fill-opacity:.18;background:var(--c1)}
.turn{stroke:var(--soft);stroke-opacity:.35}
.error{stroke:var(--soft);stroke-width:1.2}
.guess{fill:var(--paper);stroke:var(--mark);stroke-width:1.8}
span.cap{background:var(--ink)}td svg .threshold{stroke-width:2}
.worse.key{background:var(--bad)}.words{display:block;min-width:18em}
.glance{grid-template-columns:repeat(auto-fill,minmax(min(100%,220px),1fr))}
"""


def search_style() -> str:
    """CSS after that of every page."""
    ramp = "".join(
        f".q{i}{{fill:var(--q{i});stroke:var(--q{i});background:var(--q{i})}}" for i in range(5)
    )
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}"
    return "".join([f":root{{{_LIGHT}}}", dark, ramp, _RULES])
