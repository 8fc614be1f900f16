/** The page's style: the reader's own colour scheme, and colours that differ in lightness too. */
export const STYLE = `:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #5c6670; --line: #d5dade;
  --band: #b9d3f0; --mark: #0b5cad; --good: #0f6b3a; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebee; --paper: #14171a; --soft: #9aa5b1; --line: #343b42;
  --band: #24486f; --mark: #7db8f5; --good: #6fd39b; --bad: #ff9d94 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1rem; border-bottom: 1px solid var(--line) }
h1 { margin: 0; font-size: 1.5rem }
h2 { font-size: 1.2rem; margin-bottom: 0.25rem }
h3 { font-size: 1rem; margin-bottom: 0 }
#state, figcaption, caption, dt { color: var(--soft) }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto }
caption { text-align: left }
th, td { text-align: left; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
.verdict { font-size: 1.4rem; font-weight: 600; margin: 0 }
.promote-B, .ready, .quiet { color: var(--good) }
.drift, .failing, .refused, .breached { color: var(--bad) }
figure { margin: 1rem 0 }
svg { width: 100%; height: auto; display: block }
svg text { fill: var(--soft); font-size: 12px }
.grid { stroke: var(--line) }
.zero { stroke: var(--ink); stroke-dasharray: 4 3 }
.band { fill: var(--band) }
.mean { fill: none; stroke: var(--mark); stroke-width: 2 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem }
dd { margin: 0 }
ul { padding-left: 0; list-style: none; margin-top: 0.25rem }
[aria-pressed=true] { border-color: var(--mark); font-weight: 600 }
form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin: 1rem 0 }
form[hidden] { display: none }
input, button { font: inherit; padding: 0.25rem 0.5rem }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px }
`
