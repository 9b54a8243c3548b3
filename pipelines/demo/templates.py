"""Page shells with the boilerplate that sites have; a site keeps one shell and one wording.

Placeholders: title, site, nav (links to the site's other pages), crumbs, side, body, notice,
footer, year.
"""

from __future__ import annotations

from string import Template

from pipelines.demo.page import draw

_SCRIPT = """<script>
window.siteData = {"site": "$site", "ready": false};
document.addEventListener("DOMContentLoaded", function () { window.siteData.ready = true; });
</script>"""

_SEMANTIC = Template(
    """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>$title | $site</title>
<style>body { margin: 0; font-family: sans-serif } nav a { padding: 4px }</style>
</head>
<body>
<header class="site-header"><a href="/">$site</a>
<nav class="main-nav"><ul>
$nav
</ul></nav></header>
<div class="breadcrumb" role="navigation">$crumbs</div>
<div class="page"><main id="content"><article><section>
<h1>$title</h1>
$body
</section></article></main></div>
<aside class="sidebar"><h2>On this site</h2><ul>
$side
</ul></aside>
<div class="cookie-banner" id="cookie-consent">$notice <button>Accept</button></div>
<footer class="site-footer"><p>&copy; $year $site. $footer</p></footer>
"""
    + _SCRIPT
    + """
</body></html>
"""
)

_DIVS = Template(
    """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>$site: $title</title>
<link rel="stylesheet" href="/static/main.css">
"""
    + _SCRIPT
    + """
</head>
<body>
<div id="cookie-notice" class="cookie">$notice</div>
<div id="header" class="header"><div class="logo">$site</div>
<div id="menu" class="menu navigation"><ul class="nav">
$nav
</ul></div></div>
<div class="breadcrumbs">$crumbs</div>
<div id="wrapper">
<div id="sidebar" class="sidebar"><h3>Related pages</h3><ul>
$side
</ul></div>
<div id="main" class="content"><div class="inner">
<h1>$title</h1>
$body
</div></div></div>
<div id="footer" class="footer">Copyright $year $site. $footer</div>
</body></html>
"""
)

_MANUAL = Template(
    """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>$title &mdash; $site manual</title>
<style>.sphinxsidebar { float: left; width: 230px } pre { background: #eee }</style>
</head>
<body>
<nav class="related" role="navigation" aria-label="related navigation"><h3>Navigation</h3><ul>
$nav
</ul></nav>
<div class="document"><div class="documentwrapper"><div class="bodywrapper">
<nav class="breadcrumbs" aria-label="breadcrumbs">$crumbs</nav>
<div class="body" role="main"><section>
<h1>$title</h1>
$body
</section></div></div></div>
<div class="sphinxsidebar" role="navigation"><h3>Contents</h3><ul>
$side
</ul></div></div>
<footer class="footer" role="contentinfo">&copy; Copyright $year, $site. $footer</footer>
<div class="cookie-consent" role="dialog">$notice</div>
"""
    + _SCRIPT
    + """
</body></html>
"""
)

_SHELLS = (_SEMANTIC, _DIVS, _MANUAL)

NOTICES = (
    "We use cookies to make this site work and to count visits.",
    "This website stores cookies on your computer. By browsing on, you agree to our policy.",
    "Cookies help us deliver these pages. Change your preferences at any time.",
    "Your privacy matters: choose which cookies we may store.",
)

FOOTERS = (
    "All rights reserved. Built with an imaginary generator.",
    "Terms of use apply. Found a mistake? Tell us.",
    "Hosted with care. Last built this week.",
    "Follow the project, subscribe to the newsletter, read the imprint.",
)


def shell_of(host: str) -> Template:
    """The shell that all pages of a site share."""
    return _SHELLS[draw(0, "shell", host) % len(_SHELLS)]
