/**
 * The page's script as JavaScript text. It reads the stream of events with `fetch`, since `EventSource` sends no
 * token; everything that came from outside is set as text, never as HTML.
 */
export const SCRIPT = String.raw`import { toChart, toFigure } from '/chart.js'

const SILENCE_MS = 30000
const RETRY_MS = 2000
const MOST_POINTS = 400
const byId = id => document.getElementById(id)
let token = sessionStorage.getItem('regatta-token') || ''
const races = new Map()
let chosen = 0
let race = 0
let points = []
let drawing = false

function headers() {
  return token === '' ? {} : { authorization: 'Bearer ' + token }
}

/** Follows the events, and connects anew when they end or fall silent. */
async function follow() {
  for (;;) {
    const silent = new AbortController()
    let timer = setTimeout(() => silent.abort(), SILENCE_MS)
    try {
      const response = await fetch('/api/v1/events', { headers: headers(), signal: silent.signal })
      if (response.status === 401 || response.status === 403) return askToken(await response.json())
      if (!response.ok) throw new Error('control answered ' + response.status)
      byId('login').hidden = true
      let text = ''
      for await (const chunk of readText(response.body)) {
        clearTimeout(timer)
        timer = setTimeout(() => silent.abort(), SILENCE_MS)
        const blocks = (text + chunk).split('\n\n')
        text = blocks.pop()
        for (const block of blocks) await take(block)
      }
      throw new Error('control closed the connection')
    } catch (error) {
      byId('state').textContent = 'control is away (' + error.message + '); trying again'
    } finally {
      clearTimeout(timer)
    }
    await new Promise(resolve => setTimeout(resolve, RETRY_MS))
  }
}

async function* readText(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

function askToken(answer) {
  byId('login').hidden = false
  byId('refused').textContent = token === '' ? '' : answer.error.message
  byId('state').textContent = 'a token is needed'
  byId('token').focus()
}

byId('login').addEventListener('submit', event => {
  event.preventDefault()
  token = byId('token').value
  sessionStorage.setItem('regatta-token', token)
  void follow()
})

/** Takes one event in. */
async function take(block) {
  const data = block.split('\n').find(line => line.startsWith('data: '))
  if (data === undefined) return
  const event = JSON.parse(data.slice(6))
  if (event.kind === 'status') showStatus(event.status)
  if (event.kind === 'race') await takeRace(event.race)
}

function showStatus(status) {
  document.title = status.deployment + ' · regatta'
  byId('name').textContent = status.deployment
  const isEmpty = status.variants.length === 0
  byId('state').textContent = isEmpty ? 'nothing is deployed' : status.ready ? 'ready' : 'not ready'
  byId('state').className = status.ready ? 'ready' : ''
  const dropped = status.gateway.droppedRecords
  byId('gateway').textContent = 'epoch ' + status.epoch + (status.gateway.url ? ', gateway ' + status.gateway.url : '') +
    (dropped > 0 ? ', ' + dropped + ' records dropped' : '')
  const rows = status.variants.flatMap(variant =>
    variant.replicas.map(replica => toProcessRow(replica, variant.name + ' v' + variant.version, variant.role, variant.weight)))
  byId('processes').replaceChildren(toProcessRow(status.gateway.process, '', '', 0), ...rows)
}

function toProcessRow(one, variant, role, weight) {
  const share = weight > 0 ? Math.round(weight * 1000) / 10 + ' %' : ''
  const row = toRow([one.name, variant, role, share, one.state, one.restarts, one.reason || ''])
  row.cells[4].className = one.state
  return row
}

function toRow(texts) {
  const row = document.createElement('tr')
  for (const text of texts) row.insertCell().textContent = text
  return row
}

/** Keeps the races that run, or the last one; shows the one that was chosen, else the first. */
async function takeRace(now) {
  for (const [id, other] of races) if (other.ended !== null && id !== now.race) races.delete(id)
  if (now.ended === null || [...races.keys()].every(id => id === now.race)) races.set(now.race, now)
  else races.delete(now.race)
  await showChosen()
}

async function showChosen() {
  const shown = races.get(chosen) || races.values().next().value
  if (shown === undefined) return
  byId('races').hidden = races.size < 2
  byId('races').replaceChildren(...[...races.values()].map(one => toChoice(one, one === shown)))
  await showRace(shown)
}

function toChoice(one, isShown) {
  const button = document.createElement('button')
  button.textContent = one.variants[1].name + ': ' + toHeadline(one)
  button.setAttribute('aria-pressed', String(isShown))
  button.addEventListener('click', () => {
    chosen = one.race
    void showChosen()
  })
  return button
}

async function showRace(now) {
  const isOther = now.race !== race
  race = now.race
  const { verdict, decision } = now
  byId('race').hidden = false
  setText('verdict', toHeadline(now))
  byId('verdict').className = 'verdict ' + verdict.state
  setText('reason', verdict.reason)
  byId('drift').hidden = !now.drift
  setText('drift', now.drift ? 'Drift: the live data of now contradict the decision of ' + decision.at : '')
  byId('arms').replaceChildren(...now.variants.map(arm => toRow([
    arm.role + ' ' + arm.name + ' v' + arm.version, toFigure(arm.meanLoss), arm.labels, arm.predictions,
    Object.entries(arm.params).map(([key, value]) => key + ' ' + value).join(', '),
  ])))
  showFacts(now)
  byId('gates').replaceChildren(...verdict.gates.map(gate => {
    const item = document.createElement('li')
    item.textContent = (gate.passed ? '✓ passed: ' : '✗ waiting: ') + gate.name + ', ' + gate.detail
    return item
  }))
  byId('guardrails').replaceChildren(...now.guardrails.map(({ name, state, detail }) => {
    const item = document.createElement('li')
    item.className = state
    item.textContent = name + ' ' + state + ': ' + detail
    return item
  }))
  if (isOther) await loadSeries(now.race)
  else addPoint(verdict)
  draw(now.alpha)
}

/** A live region is read out when it is set: it is set only when it has changed. */
function setText(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text
}

function toHeadline({ verdict, variants, ended }) {
  const [a, b] = variants
  const words = {
    'promote-B': b.name + ' is better', 'keep-A': a.name + ' stays', equivalent: a.name + ' and ' + b.name + ' are equivalent',
    'warming-up': 'too early to say', 'keep-racing': 'no difference is certain yet', inconclusive: 'not decided',
  }
  return words[verdict.state] + (ended === null ? '' : ' (the race has ended: ' + ended.how + ')')
}

function showFacts({ verdict, truths, task, loss, design, decision, ramp, events, notes }) {
  const facts = [
    ['Improvement of B', toFigure(verdict.estimate) + ' [' + toFigure(verdict.lower) + ', ' + toFigure(verdict.upper) + ']'],
    ['Labels', verdict.labels], ...notes.map(({ name, detail }) => [name[0].toUpperCase() + name.slice(1), detail]),
    ['Task', task + ', ' + loss + ' loss, ' + design],
    ['Truths', Object.entries(truths).map(([name, count]) => name + ' ' + count).join(', ')],
    ['Ramp', ramp === null ? 'none' : ramp.steps.map(step => toFigure(step * 100) + ' %').join(', ') + ', now ' +
      toFigure(ramp.weight * 100) + ' %' + (ramp.waitsFor === null ? '' : ', waits for ' + ramp.waitsFor)],
    ['Done', events.length === 0 ? 'nothing' : events.map(({ at, kind, detail }) => at + ' ' + kind + ': ' + detail).join('; ')],
    ['Decided', decision === null ? 'not yet' : decision.at + ' at ' + decision.labels + ' labels'],
  ]
  byId('facts').replaceChildren(...facts.flatMap(([name, text]) => {
    const term = document.createElement('dt')
    const detail = document.createElement('dd')
    term.textContent = name
    detail.textContent = text
    return [term, detail]
  }))
}

async function loadSeries(id) {
  const response = await fetch('/api/v1/race/series?race=' + id, { headers: headers() })
  points = response.ok ? (await response.json()).points : []
}

function addPoint(verdict) {
  const last = points[points.length - 1]
  if (verdict.estimate === null || (last && last.n === verdict.labels && last.estimate === verdict.estimate)) return
  points = points.filter(point => point.n < verdict.labels)
  if (points.length >= MOST_POINTS) points = points.filter((_, at) => at % 2 === 0)
  const { labels: n, estimate, lower, upper } = verdict
  points.push({ n, estimate, lower, upper })
}

function draw(alpha) {
  if (drawing) return
  drawing = true
  requestAnimationFrame(() => {
    drawing = false
    byId('chart').innerHTML = toChart(points)
    setText('caption', points.length < 2 ? 'The chart begins with the second label.' :
      'Improvement of B over A by labels, with its ' + toFigure((1 - alpha) * 100) +
      ' % confidence sequence: above zero B is better. It may be looked at as often as you like.')
  })
}

void follow()
`
