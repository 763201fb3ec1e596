"""The page's look: dark and light by the reader's system, tabular figures, fit for paper."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --back: #f3f5f7; --panel: #ffffff; --line: #d7dde3; --text: #16202a; --muted: #566472;
  --blue: #0b5cad; --orange: #b34f00; --blue-soft: #dbe9f8; --orange-soft: #fdeadb; --bar: #9db2c7; }
@media (prefers-color-scheme: dark) { :root { --back: #0e1318; --panel: #151c23; --line: #2c3843; --text: #e2e9ef;
  --muted: #98a7b5; --blue: #6cb4ff; --orange: #ffab5e; --blue-soft: #16324d; --orange-soft: #40270f;
  --bar: #4d6680; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); line-height: 1.45;
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 20px; }
header, section { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 14px 18px;
  margin-bottom: 14px; }
h1 { font-size: 21px; margin: 0 0 2px; }
h2 { font-size: 15px; margin: 0 0 8px; }
h3 { font-size: 13px; margin: 14px 0 4px; color: var(--muted); }
summary h2 { display: inline; margin: 0; }
summary { cursor: pointer; }
details[open] summary { margin-bottom: 8px; }
.lead { font-size: 15px; max-width: 95ch; margin: 12px 0 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 8px 18px; margin: 12px 0 0; }
.facts dt { color: var(--muted); font-size: 12px; }
.facts > div { min-width: 0; }
.facts dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.facts .small { display: block; font-weight: 400; font-size: 12px; color: var(--muted); }
.banner { background: var(--orange-soft); border: 1px solid var(--orange); border-radius: 6px; padding: 8px 14px;
  margin: 0 0 14px; }
.scroll { overflow-x: auto; }
.scroll + .scroll, figure + .scroll, .pair + .scroll { margin-top: 12px; }
figure + figure { margin-top: 12px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 3px 14px 3px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--muted); font-weight: 600; font-size: 12px; }
.figure { text-align: right; white-space: nowrap; }
th.figure { white-space: normal; }
tr.total td { font-weight: 700; border-top: 2px solid var(--muted); }
.unit, .note, .missing, figcaption { color: var(--muted); font-weight: 400; font-size: 12px; }
.note { margin: 6px 0 0; }
.missing { font-style: italic; white-space: normal; }
figure { margin: 0; min-width: 0; }
.plot { overflow-x: auto; }
.plot svg { width: 100%; min-width: 700px; height: auto; display: block; }
.pair .plot svg { min-width: 400px; max-width: 560px; }
svg text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif !important;
  font-variant-numeric: tabular-nums; }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 18px; }
@media (max-width: 900px) { .pair { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 600px) { main { padding: 8px; } header, section { padding: 10px 12px; }
  td:not(.figure):not(:first-child) { min-width: 13rem; }
  .facts { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); } }
ul { margin: 4px 0; padding-left: 20px; }
code { font: 12px ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
@media print { body { background: #fff; font-size: 11px; } main { max-width: none; padding: 0; }
  header, section { break-inside: avoid; border: 0; padding: 4px 0; }
  #children, #timeline, #fills, #quality { break-inside: auto; }
  .plot, .scroll { overflow: visible; } .plot svg, .pair .plot svg { min-width: 0; }
  tr, figure { break-inside: avoid; } thead { display: table-header-group; } }
"""
