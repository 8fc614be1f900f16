import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { toTextResponse } from '../../core/http/http.ts'
import { listenHttp } from '../../core/http/server.node.ts'
import type { Health, Target, TargetState } from '../index.ts'
import { ask, deploy, isReady, openPlace, pick, toPlan, until } from './testing/place.ts'

const soon = (): AbortSignal => AbortSignal.timeout(60_000)

/** Collects every different health that a process has from now on. */
function watchHealth(target: Target, name: string): Health[] {
  const seen: Health[] = []
  target.observe(state => {
    const health = [state.gateway, ...state.replicas].find(process => process.name === name)?.health
    if (health !== undefined && seen.at(-1) !== health) seen.push(health)
  })
  return seen
}

function isFailing(name: string, code: string): (state: TargetState) => boolean {
  return state => {
    const { health } = pick(state, name)
    return health.state === 'failing' && health.code === code
  }
}

function toReason(state: TargetState, name: string): string {
  const { health } = pick(state, name)
  return health.state === 'failing' ? health.reason : `${name} is ${health.state}`
}

describe('a process that fails', async () => {
  const place = await openPlace()
  const { a } = place.digests
  after(async () => await place[Symbol.asyncDispose]())

  it('is named with its signal until it is ready again, as somebody who polls the state sees it', async () => {
    await using target = await place.open({ timings: { quickRestartMs: 250 } })
    const before = await deploy(target, toPlan([['a', 1, 1, a, 2]]))
    const { pid } = pick(before, 'a-1')
    const seen = watchHealth(target, 'a-1')
    process.kill(pid ?? 0, 'SIGKILL')
    const polled: string[] = []
    while (!(seen.at(-1)?.state === 'ready' && seen.length > 1)) {
      polled.push(toReason(target.state(), 'a-1'))
      await sleep(50, undefined, { signal: soon() })
    }
    assert.deepEqual(
      seen.map(health => health.state),
      ['failing', 'ready'],
    )
    assert.ok(polled.filter(text => text.startsWith('a-1 was killed by SIGKILL')).length >= 4, polled.join('\n'))
    const state = target.state()
    assert.equal(pick(state, 'a-1').restarts, 1)
    assert.notEqual(pick(state, 'a-1').pid, pid)
    assert.equal(pick(state, 'a-2').pid, pick(before, 'a-2').pid)
    assert.equal(pick(state, 'a-2').restarts, 0)
    const [failed] = place.events.filter(event => event.kind === 'failed')
    assert.equal(failed?.process, 'a-1')
    assert.equal(failed?.code, 'KILLED')
  })

  it('is named with its exit code and the last words of its log', async () => {
    await using target = await place.open()
    const before = await deploy(target, toPlan([['a', 1, 1, a, 1]]))
    await ask(before, 'a-1', '/chatter?text=All%20is%20well')
    const seen = watchHealth(target, 'a-1')
    await ask(before, 'a-1', '/crash').catch(() => 'the connection ends')
    const state = await until(target, isFailing('a-1', 'EXITED'))
    assert.equal(toReason(state, 'a-1'), 'a-1 exited with code 3; its log ends with:\nAll is well\nOut of luck')
    await until(target, isReady('a-1'))
    assert.deepEqual(
      seen.map(health => health.state),
      ['failing', 'ready'],
    )
  })

  it('is restarted after waits that double up to a bound, and says what it told of its model', async () => {
    await using target = await place.open({ server: 'broken-model' })
    await target.apply(toPlan([['a', 1, 1, a, 1]]), soon())
    const seen = watchHealth(target, 'a-1')
    const state = await until(target, state => pick(state, 'a-1').restarts === 4)
    const reason = 'a-1 failed: Cannot load the model: expected ONNX; its log ends with:\nReading the model'
    assert.equal(toReason(state, 'a-1'), reason)
    const waits = seen.flatMap(health => (health.state === 'failing' ? [health.retryAt - health.since] : []))
    assert.deepEqual(waits.slice(0, 4), [50, 100, 150, 150])
    assert.ok(seen.every(health => health.state !== 'ready'))
    assert.equal(pick(state, 'a-1').url, undefined)
  })

  it('is ready by its probe alone: not by its word, and no longer where the probe is refused', async () => {
    await using target = await place.open({ server: 'shy', timings: { probeTimeoutMs: 30_000 } })
    await target.apply(toPlan([['a', 1, 1, a, 1]]), soon())
    const begun = await until(target, state => state.replicas.every(replica => replica.url !== undefined))
    await sleep(200)
    assert.equal(pick(target.state(), 'a-1').health.state, 'starting')
    await ask(begun, 'a-1', '/accept')
    await until(target, isReady('a-1'))
    await ask(begun, 'a-1', '/refuse')
    const state = await until(target, isFailing('a-1', 'NOT_READY'))
    assert.match(toReason(state, 'a-1'), /^a-1 3 readiness probes in a row were refused: HTTP 503 no replica yet;/)
    await ask(begun, 'a-1', '/accept')
    const end = await until(target, isReady('a-1'))
    assert.deepEqual([pick(end, 'a-1').pid, pick(end, 'a-1').restarts], [pick(begun, 'a-1').pid, 0])
  })

  it('is killed and started again where it never becomes ready', async () => {
    await using target = await place.open({ server: 'never-ready', timings: { startTimeoutMs: 500 } })
    await target.apply(toPlan([['a', 1, 1, a, 1]]), soon())
    const state = await until(target, state => pick(state, 'a-1').restarts === 1)
    assert.equal(toReason(state, 'a-1'), 'a-1 was not ready within 500 ms; it wrote no log')
  })

  it('is killed and started again where nothing answers its probes', async () => {
    await using target = await place.open({ timings: { probeTimeoutMs: 100 } })
    const before = await deploy(target, toPlan([['a', 1, 1, a, 1]]))
    process.kill(pick(before, 'a-1').pid ?? 0, 'SIGSTOP')
    const silent = await until(target, isFailing('a-1', 'UNRESPONSIVE'))
    assert.equal(pick(silent, 'a-1').restarts, 0)
    assert.match(toReason(silent, 'a-1'), /3 readiness probes in a row had no answer: no answer within 100 ms/)
    const state = await until(target, isReady('a-1'))
    assert.equal(pick(state, 'a-1').restarts, 1)
  })

  it('says that its command is missing', async () => {
    const server = ['/nonexistent/regatta-server']
    await using target = await place.open({ commands: { server, gateway: server } })
    await target.apply(toPlan([['a', 1, 1, a, 1]]), soon())
    const state = await until(target, isFailing('a-1', 'SPAWN'))
    assert.match(toReason(state, 'a-1'), /^a-1 could not be started: spawn \/nonexistent\/regatta-server ENOENT/)
    assert.equal(pick(state, 'a-1').pid, undefined)
  })

  it('says that the port of the gateway is in use, and takes it once it is free', async () => {
    const other = await listenHttp(async () => toTextResponse(200, 'another program'), { port: 0 })
    await using target = await place.open({ httpPort: other.port })
    await target.apply(toPlan([]), soon())
    const state = await until(target, isFailing('gateway', 'PORT_IN_USE'))
    const wanted = `gateway failed: Cannot listen on port ${other.port}: another program uses it`
    assert.ok(toReason(state, 'gateway').startsWith(wanted), toReason(state, 'gateway'))
    await other[Symbol.asyncDispose]()
    const end = await until(target, isReady())
    assert.equal(end.gatewayUrl, `http://127.0.0.1:${other.port}`)
  })

  it('keeps its port where it is the gateway', async () => {
    await using target = await place.open()
    const before = await deploy(target, toPlan([]))
    process.kill(before.gateway.pid ?? 0, 'SIGKILL')
    await until(target, isFailing('gateway', 'KILLED'))
    const state = await until(target, isReady())
    assert.equal(state.gatewayUrl, before.gatewayUrl)
  })

  it('is stopped at once while it waits for its restart', async () => {
    await using target = await place.open({
      server: 'broken-model',
      timings: { minRestartMs: 60_000, maxRestartMs: 60_000 },
    })
    await target.apply(toPlan([['a', 1, 1, a, 1]]), soon())
    await until(target, isFailing('a-1', 'MODEL'))
    await target.apply(toPlan([]), soon())
    await until(target, isReady())
  })

  it('has no effect on anything by messages that nobody knows', async () => {
    await using target = await place.open()
    const before = await deploy(target, toPlan([['a', 1, 1, a, 1]]))
    await ask(before, 'a-1', '/babble')
    const toUnknown = () => place.events.find(event => event.kind === 'message-unknown')
    // The answer and the message come by two channels, in any order.
    for (const end = soon(); toUnknown() === undefined; await sleep(5)) end.throwIfAborted()
    assert.deepEqual(toUnknown(), { kind: 'message-unknown', process: 'a-1', text: "{ kind: 'gossip' }" })
    assert.deepEqual(target.state(), before)
  })
})
