"""Style sheet of the HTML report: light and dark, wide and narrow screens, and print."""

STYLE = """
:root {
  color-scheme: light dark; --page: #fff; --ink: #1c2430; --muted: #5a6573; --line: #d5dae0; --soft: #f1f3f6;
  --link: #0b5394; --good: #d9f0dd; --mixed: #fdf0c9; --bad: #fadcd9; --off: #e9ecef;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181d; --ink: #e4e8ed; --muted: #a3adb9; --line: #39424d; --soft: #1f252d;
    --link: #8cc2f5; --good: #173d22; --mixed: #453a12; --bad: #4c211e; --off: #2a3038;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 0; padding: 1rem; }
main { max-width: 72rem; margin: 0 auto; min-width: 0; }
a { color: var(--link); }
nav ol { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 0 auto; padding: 0; }
nav { max-width: 72rem; margin: 0 auto 1rem; font-size: .875rem; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
@media (min-width: 1280px) {
  body { display: grid; grid-template-columns: 13rem minmax(0, 72rem); gap: 2rem; justify-content: center; }
  nav { position: sticky; top: 1rem; align-self: start; max-height: calc(100vh - 2rem); overflow-y: auto; margin: 0; }
  nav ol { display: block; border-right: 1px solid var(--line); }
  nav li { padding: .15rem .5rem .15rem 0; line-height: 1.3; }
  main { margin: 0; }
}
h1, h2, h3 { line-height: 1.25; }
h1 { margin-top: .5rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
:is(h1, h2, h3) a { color: inherit; text-decoration: none; }
:is(h1, h2, h3) a:hover { text-decoration: underline; }
p, li { max-width: 48rem; overflow-wrap: anywhere; }
figure { margin: 1rem 0; overflow-x: auto; }
img { max-width: 100%; height: auto; background: #fff; }
.wide { overflow-x: auto; margin: 1rem 0 1.5rem; }
table { border-collapse: collapse; font-size: .8125rem; line-height: 1.35; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .3rem .45rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { background: var(--soft); vertical-align: bottom; }
td { white-space: pre-line; }
.number { text-align: right; }
td.number { white-space: pre; }
td.text { min-width: 3rem; max-width: 34rem; overflow-wrap: break-word; }
td.good { background: var(--good); }
td.mixed { background: var(--mixed); }
td.bad { background: var(--bad); }
td.off { background: var(--off); }
td.text:not(.long) { white-space: pre; }
.dt-container div.dt-layout-full > table.dataTable { width: auto; margin: 0; border-bottom: 0; }
table.dataTable > thead > tr > th.number { text-align: right; }
:root, :root.dark { --dt-html-background: var(--page); --itables-dark-color: var(--ink); }
table.dataTable caption { position: absolute; width: 1px; height: 1px; clip-path: inset(50%); overflow: hidden; }
table.dataTable > :is(thead, tbody) > tr > :is(th, td) { padding: .3rem .45rem; border-color: var(--line); }
table.dataTable > thead > tr > th div.dt-column-header { gap: .25rem; }
.dt-container div.dt-layout-row { margin: 0 0 .3rem; }
div.dt-container div.dt-layout-row:not(.dt-layout-table) div.dt-layout-cell.dt-layout-start {
  display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .75rem; margin: 0; text-align: left;
}
.dt-container .title { font-weight: 600; font-size: .8125rem; }
.dt-container .dt-buttons { margin: 0; }
.dt-container button.dt-button, .dt-container .dt-search input {
  font: inherit; font-size: .75rem; margin: 0; padding: .1rem .5rem; color: var(--ink); background: var(--soft);
  border: 1px solid var(--muted); border-radius: 4px;
}
.dt-container button.dt-button:hover { background: var(--off) !important; }
.dt-container .dt-search { display: flex; align-items: center; gap: .4rem; font-size: .75rem; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
@media (max-width: 700px) {
  img { width: 40rem; max-width: none; }
  td.long { min-width: 14rem; }
}
@media print {
  :root {
    color-scheme: light; --page: #fff; --ink: #000; --muted: #444; --line: #bbb; --soft: #f1f3f6; --link: #000;
    --good: #d9f0dd; --mixed: #fdf0c9; --bad: #fadcd9; --off: #e9ecef;
  }
  nav, .dt-search, .dt-buttons, .dt-column-order { display: none !important; }
  body { display: block; padding: 0; font-size: 10pt; }
  .wide { overflow: visible; }
  table { font-size: 7pt; }
  thead { display: table-header-group; }
  tr, figure { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
  * { print-color-adjust: exact; }
}
"""
