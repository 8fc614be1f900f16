import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RegattaError } from '../../core/errors.ts'
import type { Engine, EngineRun } from './engine.ts'
import { openPool } from './pool.node.ts'

/** An engine whose runs end when told to. */
function openFake(name: string) {
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => {})
  const runs = new Set<PromiseWithResolvers<EngineRun>>()
  const state = { isClosed: false, isLost: false }
  const engine: Engine = {
    inputs: [],
    outputs: [],
    lanes: 1,
    parallelRuns: 2,
    lost: lost.promise,
    async run() {
      if (state.isLost) throw toLoss(name)
      const run = Promise.withResolvers<EngineRun>()
      runs.add(run)
      return await run.promise
    },
    async [Symbol.asyncDispose]() {
      state.isClosed = true
    },
  }
  return {
    name,
    engine,
    state,
    running: () => runs.size,
    end() {
      for (const run of runs) run.resolve({ outputs: new Map(), computeMs: 1 })
      runs.clear()
    },
    lose() {
      const error = toLoss(name)
      state.isLost = true
      for (const run of runs) run.reject(error)
      runs.clear()
      lost.reject(error)
    },
  }
}

const toLoss = (name: string): RegattaError => new RegattaError('ENGINE_LOST', `${name} is gone`)

type Fake = ReturnType<typeof openFake>

function openFakes(size: number, canOpen: (count: number) => boolean = () => true) {
  const fakes: Fake[] = [openFake('1')]
  const troubles: string[] = []
  const [first] = fakes
  assert.ok(first)
  const pool = openPool(first.engine, {
    size,
    onTrouble: text => troubles.push(text),
    async open() {
      if (!canOpen(fakes.length)) throw new Error('no memory')
      const fake = openFake(String(fakes.length + 1))
      fakes.push(fake)
      return fake.engine
    },
  })
  return { pool, fakes, troubles, run: () => pool.run(new Map(), []) }
}

const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('openPool()', () => {
  it('opens the others behind the first, and gives work to who has least', async () => {
    const { pool, fakes, run } = openFakes(3)
    assert.equal(pool.lanes, 1)
    await settle()
    assert.deepEqual([pool.lanes, pool.parallelRuns], [3, 6])
    const runs = [run(), run(), run(), run()]
    await settle()
    assert.deepEqual(
      fakes.map(fake => fake.running()),
      [2, 1, 1],
    )
    for (const fake of fakes) fake.end()
    await Promise.all(runs)
    await pool[Symbol.asyncDispose]()
    assert.ok(fakes.every(fake => fake.state.isClosed))
  })

  it('replaces one that is lost; its runs reject, later ones wait for the other', async () => {
    const { pool, fakes, troubles, run } = openFakes(1)
    const failing = run()
    await settle()
    fakes[0]?.lose()
    await assert.rejects(failing, { code: 'ENGINE_LOST' })
    const next = run()
    await settle()
    assert.deepEqual([fakes.length, fakes[1]?.running(), troubles], [2, 1, ['1 is gone']])
    fakes[1]?.end()
    assert.equal((await next).computeMs, 1)
    assert.equal(pool.lanes, 1)
  })

  it('gives up where none can be opened', async () => {
    const { pool, fakes, run, troubles } = openFakes(1, () => false)
    fakes[0]?.lose()
    await settle()
    await assert.rejects(run(), { code: 'ENGINE_LOST', message: 'No thread of the model can be opened: no memory' })
    await assert.rejects(pool.lost, { code: 'ENGINE_LOST' })
    assert.deepEqual(troubles, ['1 is gone', 'Cannot open another thread of the model: no memory'])
  })

  it('goes on with fewer where others run', async () => {
    const { pool, run, fakes } = openFakes(2, () => false)
    await settle()
    const running = run()
    await settle()
    fakes[0]?.end()
    await running
    assert.equal(pool.lanes, 1)
  })

  it('gives up where they are lost again and again, but not where runs succeed between', async () => {
    const { pool, fakes, run } = openFakes(1)
    const loseLast = async (): Promise<void> => {
      fakes.at(-1)?.lose()
      await settle()
    }
    for (let at = 0; at < 5; at += 1) await loseLast()
    const good = run()
    await settle()
    fakes.at(-1)?.end()
    await good
    for (let at = 0; at < 6; at += 1) await loseLast()
    await assert.rejects(pool.lost, { message: /^6 threads of the model ended one after another/ })
    await assert.rejects(run(), { code: 'ENGINE_LOST' })
  })

  it('answers no run once it is closed', async () => {
    const { pool, fakes, run } = openFakes(1)
    await pool[Symbol.asyncDispose]()
    fakes[0]?.lose()
    await settle()
    await assert.rejects(run(), { code: 'ENGINE_LOST' })
    assert.equal(fakes.length, 1)
  })
})
