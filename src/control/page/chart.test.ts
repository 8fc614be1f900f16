import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CHART } from './chart.ts'
import { HTML } from './html.ts'
import { PAGE_FILES, toPageResponse } from './index.ts'
import { SCRIPT } from './script.ts'

// What the page loads is loaded here: the text as a module.
const { toChart, toTicks, toFigure } = await import(`data:text/javascript,${encodeURIComponent(CHART)}`)
const point = (n: number) => ({ n, at: null, estimate: 1 / n, lower: 1 / n - 2, upper: 1 / n + 2 })

describe('toChart()', () => {
  it('draws band, mean and zero inside the picture, and says what it shows', () => {
    const points = Array.from({ length: 50 }, (_, at) => point(at + 1))
    const svg: string = toChart([{ ...point(1), lower: null, upper: null }, ...points.slice(1)])
    assert.match(svg, /<title id="chart-title">Improvement of B over A after 50 labels: 0\.02, bounds -1\.98 to 2\.02/)
    assert.match(svg, /class="zero"/)
    const band = /class="band" points="([^"]*)"/.exec(svg)?.[1]?.split(' ') ?? []
    const mean = /class="mean" points="([^"]*)"/.exec(svg)?.[1]?.split(' ') ?? []
    assert.deepEqual([band.length, mean.length], [98, 50])
    for (const [x = -1, y = -1] of [...band, ...mean].map(pair => pair.split(',').map(Number)))
      assert.ok(x >= 0 && x <= 800 && y >= 0 && y <= 320, `${x},${y}`)
  })

  it('draws nothing before the second label', () => {
    assert.equal(toChart([point(1)]), '')
  })

  it('draws losses that never differ', () => {
    const flat = [1, 2, 3].map(n => ({ n, at: null, estimate: 0, lower: 0, upper: 0 }))
    assert.doesNotMatch(toChart(flat), /NaN|Infinity/)
  })
})

describe('toTicks()', () => {
  it('are round and within the range', () => {
    assert.deepEqual(toTicks(-0.9, 2.1), [0, 1, 2])
    assert.deepEqual(toTicks(0, 1000), [0, 200, 400, 600, 800, 1000])
  })

  it('writes figures as people read them', () => {
    assert.equal(toFigure(null), '–')
    assert.equal(toFigure(0.123456), '0.1235')
  })
})

describe('the page', () => {
  it('has every element that its script fills', () => {
    const wanted = [...SCRIPT.matchAll(/(?:byId|setText)\('([\w-]+)'/g)].map(([, id]) => id)
    assert.ok(wanted.length > 20)
    for (const id of wanted) assert.ok(HTML.includes(`id="${id}"`), `#${id}`)
  })

  it('is a module that parses', () => {
    // Parsed, not run: it needs a document.
    const body = SCRIPT.replace(/^import .*$/m, '')
    assert.doesNotThrow(() => new Function(body))
    assert.match(SCRIPT, /^import \{ toChart, toFigure \} from '\/chart\.js'/)
  })

  it('loads nothing but its own files', () => {
    const { headers } = toPageResponse(PAGE_FILES.html)
    assert.match(headers['content-security-policy'] ?? '', /default-src 'none'; script-src 'self'/)
    for (const [, url] of HTML.matchAll(/(?:src|href)="([^"]+)"/g)) assert.match(url ?? '', /^\/page\.(js|css)$/)
    assert.doesNotMatch(HTML, /\son\w+=|style=|<script>/)
  })
})
