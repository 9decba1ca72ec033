"""The page's style: the system's fonts, two palettes, one column that becomes several.

Every pair of colors has the contrast that WCAG 2.2 AA requires; a browser test measures it.
"""

from typing import Final

from .markup import Markup

STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #fff; --ink: #14181d; --soft: #565f6b; --line: #dde1e7;
  --link: #0b5cad; --track: #e4e8ee; --fill: #2f6fb5; --peak: #14181d;
  --pass: #14683a; --pass-back: #e2f3e8; --fail: #a61b22; --fail-back: #fce7e7;
  --unknown: #7a4d00; --unknown-back: #fbf0d9;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101317; --card: #181c22; --ink: #e9ecf0; --soft: #a3adb9; --line: #2b323b;
    --link: #86bdf7; --track: #2a313a; --fill: #6aa9ea; --peak: #e9ecf0;
    --pass: #7fd6a2; --pass-back: #15301f; --fail: #ff9d98; --fail-back: #3d1a1c;
    --unknown: #f0c46c; --unknown-back: #37290d;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html {
  font: clamp(100%, .55vw + .56rem, 137.5%)/1.5 system-ui, -apple-system, "Segoe UI", Roboto,
    "Noto Sans", "Liberation Sans", sans-serif;
  scroll-padding-top: 1rem; text-size-adjust: 100%; -webkit-text-size-adjust: 100%;
}
body {
  margin: 0 auto; max-width: 74rem; padding: 0 clamp(1rem, 3vw, 2.5rem) 3rem;
  background: var(--page); color: var(--ink); font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere;
}
h1, h2, h3, h4, p, ul, ol, dl, dd { margin: 0; padding: 0; font-weight: inherit; }
ul, ol { list-style: none; }
h1 { font-size: clamp(1.6rem, 4.2vw, 2.4rem); font-weight: 650; line-height: 1.15;
  letter-spacing: -.015em; }
h2 { font-size: 1.25rem; font-weight: 650; letter-spacing: -.005em; }
h3 { font-size: 1rem; font-weight: 600; }
h4 { font-size: .9375rem; }
a { color: var(--link); text-underline-offset: .28em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px; }
code { font-family: var(--mono); font-size: .875em; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.skip { position: absolute; left: 1rem; top: -4rem; padding: .5rem .75rem; background: var(--card);
  z-index: 1; }
.skip:focus { top: .5rem; }
.icon { width: 1em; height: 1em; flex: none; fill: none; stroke: currentColor; stroke-width: 2.4;
  stroke-linecap: round; stroke-linejoin: round; }

header { display: grid; gap: 1.25rem 2rem; padding: clamp(1.5rem, 4vw, 2.5rem) 0 1.25rem; }
.kicker, .standing p, .intro, .remark, .live, footer, .notes, .used + dl, .path span
  { color: var(--soft); }
.kicker, .standing p { font-size: .8125rem; margin-bottom: .35rem; }
.name > p:last-child { margin-top: .5rem; text-wrap: pretty; }
.standing { display: flex; flex-wrap: wrap; gap: .75rem 1.5rem; }
.notice { flex: 1 1 100%; max-width: 34rem; padding: .6rem .8rem; border: 1px solid var(--line);
  border-left: .3rem solid var(--fill); border-radius: .6rem; background: var(--card); }
.standing .notice { color: var(--ink); font-size: .9375rem; margin: 0; }
.verdicts { display: flex; flex-wrap: wrap; gap: .5rem; }
.verdicts a { display: flex; align-items: center; gap: .6rem; padding: .45rem .5rem .45rem .8rem;
  border: 1px solid var(--line); border-radius: .6rem; background: var(--card);
  color: inherit; text-decoration: none; }
.verdicts a:hover { border-color: var(--soft); }
.badge { display: inline-flex; align-items: center; gap: .35em; padding: .1em .55em .1em .4em;
  border-radius: .4rem; font-size: .875rem; font-weight: 600; line-height: 1.5;
  white-space: nowrap; }
.pass { color: var(--pass); background: var(--pass-back); }
.fail { color: var(--fail); background: var(--fail-back); }
.unknown { color: var(--unknown); background: var(--unknown-back); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .9375rem; }
nav a { display: inline-block; padding: .2rem 0; }

main > section { padding-top: clamp(1.75rem, 4vw, 2.5rem); }
#usage { padding-top: 0; }
.bar { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between;
  gap: .25rem 1rem; }
.live { display: flex; align-items: center; gap: .75rem; font-size: .875rem; }
#status::before { content: ""; display: inline-block; width: .5rem; height: .5rem;
  margin-right: .5rem; border-radius: 50%; border: 1px solid var(--soft); }
#status[data-state=on]::before { background: var(--pass); border-color: var(--pass); }
#status[data-state=off]::before { background: var(--unknown); border-color: var(--unknown); }
button { font: inherit; color: var(--ink); background: var(--card); padding: .2rem .75rem;
  border: 1px solid var(--line); border-radius: .4rem; cursor: pointer; }
button:hover { border-color: var(--soft); }
[hidden] { display: none !important; }

.tiles { display: grid; gap: 1rem; margin: .9rem 0 .75rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 15.5rem), 1fr)); }
.tile { display: grid; grid-row: span 5; grid-template-rows: subgrid; row-gap: 0; }
#changes { grid-column: 1 / -1; }
.tile > h3 { grid-row: 1; }
.tile > p { grid-row: 2; }
.tile > .meter { grid-row: 3; }
.tile > .used { grid-row: 4; }
.tile > dl { grid-row: 5; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
.tile { padding: 1rem 1.1rem; }
.tile h3 { color: var(--soft); font-size: .9375rem; font-weight: 500; }
.tile > p { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .6rem; }
.limit { font-size: 1.75rem; font-weight: 650; line-height: 1.25; letter-spacing: -.015em; }
.remark { font-size: .875rem; }
.meter { margin: .7rem 0 .45rem; }
.meter svg { display: block; width: 100%; height: .6rem; border-radius: .3rem;
  background: var(--track); }
.meter rect { transition: width .4s ease-out; }
.fill { fill: var(--fill); }
.peak { fill: var(--peak); }
.meter[data-severity=none] .fill { fill: var(--soft); }
.meter[data-severity=close] .fill { fill: var(--unknown); }
.meter[data-severity=reached] .fill { fill: var(--fail); }
.used { font-size: .9375rem; }
.used:empty { display: none; }
.tile dl { padding-top: .6rem; font-size: .875rem; }
.tile dl div { display: flex; justify-content: space-between; gap: 1rem; }
.tile dt { flex: none; }
.tile dd { color: var(--ink); text-align: right; }
.tile dd span { display: inline-block; }

.intro { max-width: 52rem; margin: .25rem 0 .9rem; text-wrap: pretty; }
.card { padding: 1rem clamp(.9rem, 2vw, 1.25rem); margin-top: .9rem; }
.card h3 { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .75rem;
  font-size: 1.0625rem; }
.card h3 + p { margin-top: .35rem; }
table { width: 100%; border-collapse: collapse; text-align: left; }
th, td { padding: .6rem .75rem .6rem 0; vertical-align: top; font-weight: inherit; }
th:last-child, td:last-child { padding-right: 0; }
tr + tr > *, thead + tbody > tr > * { border-top: 1px solid var(--line); }
thead th { padding-bottom: .3rem; color: var(--soft); font-size: .8125rem; }
.facts th { width: 31%; color: var(--soft); }
.routes th { width: 38%; }
.checks { margin-top: .5rem; }
.checks th:first-child { width: 7.2rem; }
.checks .id { font-weight: 600; font-size: .9375rem; }
.notes { margin-top: .2rem; font-size: .875rem; line-height: 1.45; }
.notes code { font-size: .8125rem; }
tr:target { background: var(--unknown-back); }

details { margin-top: .75rem; border-top: 1px solid var(--line); }
.card > details:last-child { margin-bottom: -.5rem; }
.card > details + details { margin-top: .25rem; }
.card > table { margin: -.3rem 0; }
.card > * + .checks { margin: .5rem 0 0; }
#usage > details, #facts > details { border: 1px solid var(--line); border-radius: .75rem;
  background: var(--card); padding: 0 1.1rem; }
summary { padding: .6rem 0; cursor: pointer; }
summary > * { display: inline; font-weight: 500; }
summary:hover > * { text-decoration: underline; text-underline-offset: .2em; }

.path { display: flex; flex-wrap: wrap; gap: .75rem 2.5rem; margin-top: .9rem; }
.path li { position: relative; flex: 1 1 13rem; padding: .8rem 1rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .75rem; }
.path li + li::before { content: "→" / ""; position: absolute; right: 100%; top: 50%;
  width: 2.5rem; transform: translateY(-50%); text-align: center; color: var(--soft); }
.path li > * { display: block; }
.path span { font-size: .875rem; }
.path code { font-size: 1rem; font-weight: 600; }

footer { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 2rem;
  margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .875rem; }

@media (min-width: 60rem) {
  header { grid-template-columns: 1fr auto; align-items: end; }
  nav { grid-column: 1 / -1; }
  .fact { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; align-items: baseline; }
  .facts th { width: 22%; }
  .facts .notes { margin: 0; }
}
@media (max-width: 40rem) {
  .checks thead { position: absolute; clip-path: inset(50%); }
  .checks :is(tbody, tr, td) { display: block; padding: 0; border: 0; }
  .checks tr { padding: .75rem 0; }
  .checks tr + tr { border-top: 1px solid var(--line); }
  .checks .badge { margin-bottom: .3rem; }
  .path { gap: 1.75rem; }
  .facts th { width: 36%; }
  .routes th { width: 42%; }
  .path li + li::before { content: "↓" / ""; right: auto; left: 1rem; top: -.875rem; width: auto; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
@media print {
  :root { --page: #fff; --card: #fff; }
  html { font-size: 10pt; }
  nav, button, .skip, #status { display: none; }
  .tile, tr, .path li { break-inside: avoid; }
  details::details-content { content-visibility: visible; height: auto; }
}
"""

SIGNS: Final = Markup(
    '<svg class="unseen" aria-hidden="true">'
    '<symbol id="i-pass" viewBox="0 0 16 16"><path d="M3 8.5l3.3 3.3L13 5"/></symbol>'
    '<symbol id="i-fail" viewBox="0 0 16 16"><path d="M4 4l8 8M12 4l-8 8"/></symbol>'
    '<symbol id="i-unknown" viewBox="0 0 16 16">'
    '<path d="M5.4 5.6a2.7 2.7 0 1 1 4 2.3c-1 .6-1.4 1-1.4 2M8 12.9v.1"/></symbol></svg>'
)
"""The signs of the verdicts, drawn by ``use``."""

ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='4' fill='%232f6fb5'/%3E"
    "%3Cpath d='M4 11V8M8 11V4M12 11V6' stroke='white' stroke-width='2'"
    " stroke-linecap='round'/%3E%3C/svg%3E"
)
"""The icon of the tab: three bars. Without one every browser requests /favicon.ico."""
