"""The page's one style sheet: light and dark, wide and narrow, screen and paper."""

from __future__ import annotations

_LIGHT = """
--paper:#faf9f6;--sheet:#fff;--ink:#24231f;--soft:#6a675f;--hair:#dedad0;--track:#ebe8e0;
--kept:#2a7a8c;--gone:#d0512f;--other:#e9b7a1;--good:#3f7f3a;--bad:#b83c22;--even:#77736a;
--c0:#2a7a8c;--c1:#d39a2c;--c2:#8a5a8c;--c3:#7a9a3f;--c4:#5d89c9;--c5:#8c8577;color-scheme:light
"""
_DARK = """
--paper:#171614;--sheet:#201f1c;--ink:#ece9e1;--soft:#a5a196;--hair:#3a3833;--track:#2d2b27;
--kept:#58adbf;--gone:#ea7350;--other:#84503d;--good:#86c47f;--bad:#f08a6c;--even:#a5a196;
--c0:#58adbf;--c1:#e0b252;--c2:#bd8cc0;--c3:#a6c568;--c4:#8fb2e8;--c5:#aaa497;color-scheme:dark
"""
_PAGE = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main,header,nav ul{max-width:1080px;margin:0 auto;padding:0 20px}
header{padding-top:40px}
header p{margin:0;color:var(--soft)}
h1,h2,h3,h4,dd,dt,figcaption,summary,li,p{overflow-wrap:anywhere}
td,th{overflow-wrap:break-word}
h1{font-size:2rem;line-height:1.2;margin:.1em 0 .3em;letter-spacing:-.015em}
h2{font-size:1.35rem;margin:0 0 .6em;letter-spacing:-.01em}
h3{font-size:1.05rem;margin:1.8em 0 .5em}
h4{font-size:.9rem;margin:1.6em 0 .5em;color:var(--soft);font-weight:600}
main>section{border-top:1px solid var(--hair);padding:32px 0 28px;scroll-margin-top:44px}
main>section:first-child{border-top:0;padding-top:20px}
main>section>h3:first-of-type{margin-top:.6em}
nav{position:sticky;top:0;z-index:1;background:var(--paper);border-bottom:1px solid var(--hair)}
nav ul{display:flex;gap:20px;overflow-x:auto;list-style:none;padding-top:10px;padding-bottom:10px}
nav a{color:var(--soft);text-decoration:none;white-space:nowrap;font-size:.88rem}
nav a:hover,nav a:focus{color:var(--ink);text-decoration:underline}
.sentence{font-size:1.25rem;line-height:1.45;margin:0 0 1em;max-width:46em;text-wrap:pretty}
.alarms{margin:.4em 0 1em;padding:10px 14px 10px 32px;border-left:4px solid var(--bad);
background:var(--sheet);font-size:.92rem}
.note{color:var(--soft);font-size:.88rem;margin:.3em 0}
.glance{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:14px;
margin:0 0 26px}
.tile{background:var(--sheet);border:1px solid var(--hair);border-radius:10px;padding:14px 16px}
.tile h3{margin:0 0 .3em}
.tile p{margin:.1em 0 .4em;line-height:1.35;font-size:.88rem;color:var(--soft)}
.tile strong{font-size:1.5rem;color:var(--ink);font-variant-numeric:tabular-nums}
.tile svg{border-radius:4px;width:100%;margin-bottom:4px}
.badge{display:inline-block;border:1px solid;border-radius:99px;padding:0 9px;font-size:.8rem;
font-weight:600;color:var(--even);white-space:nowrap}
.badge.better{color:var(--good)}.badge.worse{color:var(--bad)}
"""
_BLOCKS = """
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:8px 40px}
.many{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,250px),1fr));
gap:14px 28px}
figure{margin:0 0 18px;min-width:0}
figcaption{font-size:.88rem;font-weight:600;margin-bottom:6px}
figure>svg{display:block;width:100%;max-width:540px}
.legend,.rules{list-style:none;margin:.2em 0 .9em;padding:0;font-size:.82rem;color:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:3px 18px}
.rules{margin:.1em 0 0}
.key{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px}
.scroll{overflow-x:auto;margin:14px 0 20px}
.scroll:focus-visible{outline:2px solid var(--kept);outline-offset:3px}
table{border-collapse:collapse;width:100%;font-size:.88rem}
caption{text-align:left;font-weight:600;padding-bottom:6px}
th,td{text-align:left;vertical-align:top;padding:6px 18px 6px 0;border-bottom:1px solid var(--hair)}
thead th{white-space:nowrap}
thead th{color:var(--soft);font-weight:500;vertical-align:bottom}
tbody th{font-weight:600}
.num{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.pairs{width:auto}.pairs th{font-weight:500;color:var(--soft)}
.pairs th{min-width:9em}.pairs td{overflow-wrap:anywhere}
.whole{white-space:nowrap}td svg{vertical-align:-1px;border-radius:3px}
.param{display:inline-block;margin-right:1.2em}.param b{font-weight:500;color:var(--soft)}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.8rem}
details{border:1px solid var(--hair);border-radius:8px;margin:8px 0;padding:0 14px}
summary{cursor:pointer;padding:9px 0;font-size:.92rem;color:var(--soft)}
summary b{color:var(--ink)}
details>.scroll{margin-top:2px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,290px),1fr));gap:14px;
padding-bottom:14px}
.card{background:var(--sheet);border:1px solid var(--hair);border-radius:8px;padding:12px 14px;
min-width:0;overflow:hidden}
dl{margin:0;font-size:.8rem;display:grid;gap:2px}
dl div{display:grid;grid-template-columns:5.6em 1fr;gap:8px}
dt{color:var(--soft)}dd{margin:0;unicode-bidi:isolate}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:10px 0 0;padding-top:10px;
border-top:1px solid var(--hair);line-height:1.45;overflow:hidden;unicode-bidi:isolate}
"""
_SHAPES = """
svg{display:inline-block;max-width:100%;height:auto;overflow:visible}
svg text{font-size:12px;fill:var(--ink)}
svg .tick{font-size:11px;fill:var(--soft);paint-order:stroke;stroke:var(--paper);stroke-width:3px}
svg .name{font-weight:600}
svg .value{fill:var(--soft);font-variant-numeric:tabular-nums}
svg .limit{font-size:11px;font-weight:600}
.axis,.grid{stroke:var(--hair);fill:none}
.axis{stroke:var(--soft);stroke-opacity:.6}
.zero{stroke:var(--soft);stroke-dasharray:3 3}
.threshold{stroke:var(--ink);stroke-width:1.5}
.wide{stroke-width:1;stroke:var(--soft)}
.interval{stroke-width:2.5;stroke:var(--even)}
.interval.better{stroke:var(--good)}.interval.worse{stroke:var(--bad)}
.curve{fill:none;stroke-width:1.4;stroke-linejoin:round;stroke-opacity:.85}
rect,circle{fill:var(--even)}
.track{fill:var(--track)}.tint{fill:var(--gone);fill-opacity:.09}
.stay{fill:var(--kept);background:var(--kept)}
.gone{fill:var(--gone);background:var(--gone)}
.other{fill:var(--other);background:var(--other)}
.better{fill:var(--good)}.worse{fill:var(--bad)}.tied,.neutral{fill:var(--even)}
.badge.better,.badge.worse{background:none}
.soft{fill-opacity:.55}.gone.soft{fill-opacity:.35}
.kept{stroke:var(--paper);stroke-width:.8}
"""
_MEDIA = """
@media(max-width:600px){body{font-size:15px}header{padding-top:24px}h1{font-size:1.6rem}
main,header,nav ul{padding-left:16px;padding-right:16px}.sentence{font-size:1.1rem}
td:not(.num){min-width:8.5em}svg text{font-size:13.5px}svg .tick,svg .limit{font-size:12.5px}}
@media print{nav{display:none}body{font-size:11pt;background:none}main,header{max-width:none}
details::details-content{content-visibility:visible;height:auto}
figure,.card,.tile,tr{break-inside:avoid}h2,h3,h4{break-after:avoid}.scroll{overflow:visible}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""


def style_sheet() -> str:
    """CSS for everything on the page."""
    colours = "".join(
        f".c{i}{{fill:var(--c{i});background:var(--c{i})}}.curve.c{i}{{stroke:var(--c{i});fill:none}}"
        for i in range(6)
    )
    # Paper is light whatever the screen is.
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}"
    return "".join([f":root{{{_LIGHT}}}", dark, _PAGE, _BLOCKS, _SHAPES, colours, _MEDIA])
