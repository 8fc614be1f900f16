import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { parseDigest, parseVariantName } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import type { TargetState } from '../../deploy/index.ts'
import { type EntryRule, promote, rollback, toNewMember } from './commands.ts'
import { toPlan, toRacePairs, toRoutes, toWeights } from './deployed.ts'
import {
  clear,
  crown,
  type Deployment,
  findSame,
  giveShare,
  isPlaced,
  listChallengers,
  place,
  release,
  settle,
  toDeployment,
  type Wish,
  withdraw,
} from './deployment.ts'
import { isChallenger, toSlot } from './member.ts'

const EMPTY: Deployment = { epoch: 0, live: [], pending: [], leaving: [] }
const digest = (version: number) => parseDigest(`sha256:${version.toString(16).padStart(64, '0')}`)
const all = () => 3
const none = () => 0

type Ask = { version: number; name?: string; how?: 'shadow' | 'ramp' | number }
const wish = ({ version, name, how }: Ask): Wish => ({
  version,
  digest: digest(version),
  variant: name === undefined ? undefined : parseVariantName(name),
  challenger: how === undefined ? undefined : typeof how === 'number' ? { mode: 'split', weight: how } : { mode: how },
})
const RULE: EntryRule = { champion: undefined, ramp: [0.05, 0.2, 0.5] }

/** Applies a deploy command the way the deployer does, with the id as an argument. */
function deploy(deployment: Deployment, ask: Ask, id: number): Deployment {
  const member = toNewMember(deployment, wish(ask), RULE)
  if (isPlaced(deployment, member)) return deployment
  return place(deployment, { ...member, id: findSame(deployment, member)?.id ?? id })
}

/** Champion a (id 1) with challenger b (id 2), both ready. */
function raced(how: Ask['how'] = 'shadow'): Deployment {
  const first = deploy(EMPTY, { version: 1 }, 1)
  return settle(deploy(first, { version: 2, name: 'b', how }, 2), all, 1)
}

const summary = ({ live }: Deployment): string =>
  live.map(member => `${member.name}@${member.version} ${member.role} ${member.weight}`).join(', ')

describe('place()', () => {
  it('makes the first version the champion at once', () => {
    assert.equal(summary(deploy(EMPTY, { version: 1 }, 1)), 'a@1 champion 1')
  })

  it('keeps a challenger out of the routes until a replica is ready', () => {
    const waiting = deploy(deploy(EMPTY, { version: 1 }, 1), { version: 2, name: 'b', how: 'shadow' }, 2)
    assert.equal(summary(settle(waiting, none, 1)), 'a@1 champion 1')
    assert.equal(summary(settle(waiting, all, 1)), 'a@1 champion 1, b@2 shadow 0')
  })

  it('keeps the old champion until every replica of the new one is ready', () => {
    const waiting = deploy(deploy(EMPTY, { version: 1 }, 1), { version: 2 }, 2)
    const partly = settle(waiting, id => (id === 1 ? 3 : 2), 3)
    assert.equal(summary(partly), 'a@1 champion 1')
    const wholly = settle(waiting, all, 3)
    assert.equal(summary(wholly), 'a@2 champion 1')
    assert.deepEqual(
      wholly.leaving.map(member => member.version),
      [1],
    )
    assert.deepEqual(release(wholly, [1]).leaving, [])
  })

  it('takes the first ready replica where the old champion has none', () => {
    const waiting = deploy(deploy(EMPTY, { version: 1 }, 1), { version: 2 }, 2)
    assert.equal(summary(settle(waiting, id => (id === 2 ? 1 : 0), 3)), 'a@2 champion 1')
  })

  it('changes a challenger from shadow to split without a new variant', () => {
    const split = settle(deploy(raced(), { version: 2, name: 'b', how: 0.25 }, 9), all, 1)
    assert.equal(summary(split), 'a@1 champion 0.75, b@2 split 0.25')
    assert.equal(listChallengers(split)[0]?.id, 2)
    assert.deepEqual(toWeights(split), { 1: 0.75, 2: 0.25 })
  })

  it('takes a pending redeploy back when the live version is deployed again', () => {
    const first = deploy(EMPTY, { version: 1 }, 1)
    const back = deploy(deploy(first, { version: 2 }, 2), { version: 1 }, 3)
    assert.deepEqual(back, first)
  })
})

describe('toNewMember()', () => {
  const rows: [name: string, from: Deployment, ask: Ask, code: string][] = [
    ['a challenger beside nothing', EMPTY, { version: 2, name: 'b', how: 'shadow' }, 'NO_CHAMPION'],
    ['a challenger without a name', raced(), { version: 3, how: 'shadow' }, 'REQUEST'],
    ["a challenger under the champion's name", raced(), { version: 3, name: 'a', how: 'shadow' }, 'NAME_TAKEN'],
    ['shares that leave the champion none', raced(0.6), { version: 3, name: 'c', how: 0.4 }, 'SHARES_TAKEN'],
    ["a champion under the challenger's name", raced(), { version: 3, name: 'b' }, 'NAME_TAKEN'],
  ]
  for (const [name, from, ask, code] of rows) {
    it(`refuses ${name}`, () => {
      assert.throws(() => toNewMember(from, wish(ask), RULE), { code })
    })
  }

  it('refuses a ramp without steps', () => {
    const ask = wish({ version: 3, name: 'c', how: 'ramp' })
    assert.throws(() => toNewMember(raced(), ask, { ...RULE, ramp: [] }), { code: 'RAMP_NONE' })
  })

  it('counts the larger share of a challenger that is about to change', () => {
    const shrinking = deploy(raced(0.6), { version: 2, name: 'b', how: 0.1 }, 9)
    assert.throws(() => toNewMember(shrinking, wish({ version: 3, name: 'c', how: 0.5 }), RULE), {
      code: 'SHARES_TAKEN',
    })
  })

  it('calls the first variant by the name of the configuration', () => {
    assert.equal(toNewMember(EMPTY, wish({ version: 1 }), { ...RULE, champion: parseVariantName('main') }).name, 'main')
  })
})

describe('several challengers', () => {
  /** Beside champion a: shadow b, and c with a fifth of the requests. */
  const crowd = settle(deploy(raced(), { version: 3, name: 'c', how: 0.2 }, 3), all, 1)

  it('race the champion side by side', () => {
    assert.equal(summary(crowd), 'a@1 champion 0.8, b@2 shadow 0, c@3 split 0.2')
    assert.deepEqual(
      toRacePairs(crowd).map(({ a, b, design }) => [a.name, b.name, design]),
      [
        ['a', 'b', 'paired'],
        ['a', 'c', 'split'],
      ],
    )
  })

  it('go on against the next champion', () => {
    const promoted = promote(crowd, parseVariantName('c'), all)
    assert.equal(summary(promoted), 'c@3 champion 1, b@2 shadow 0, a@1 standby 0')
    assert.deepEqual(
      toRacePairs(promoted).map(({ a, b }) => [a.name, b.name]),
      [['c', 'b']],
    )
    assert.equal(summary(rollback(promoted, all)), 'a@1 champion 1, b@2 shadow 0, c@3 standby 0')
  })

  it('need a name to be promoted', () => {
    assert.throws(() => promote(crowd, undefined, all), { code: 'CHALLENGERS_SEVERAL' })
  })

  it('are replaced by name', () => {
    assert.equal(
      summary(settle(deploy(crowd, { version: 4, name: 'c', how: 'shadow' }, 4), all, 1)),
      'a@1 champion 1, b@2 shadow 0, c@4 shadow 0',
    )
  })
})

describe('a ramp', () => {
  const first = raced('ramp')

  it('begins with its first share, and is moved and taken back', () => {
    assert.equal(summary(first), 'a@1 champion 0.95, b@2 split 0.05')
    const second = giveShare(first, 2, 0.2)
    assert.equal(summary(second), 'a@1 champion 0.8, b@2 split 0.2')
    const gone = withdraw(second, 2)
    assert.equal(summary(gone), 'a@1 champion 1')
    assert.deepEqual([gone.epoch - first.epoch, gone.leaving.map(({ name }) => name)], [2, ['b']])
  })

  it('is the same at every share, and another way to race than a share by hand', () => {
    const second = giveShare(first, 2, 0.2)
    assert.deepEqual(deploy(second, { version: 2, name: 'b', how: 'ramp' }, 9), second)
    const byHand = settle(deploy(second, { version: 2, name: 'b', how: 0.2 }, 9), all, 1)
    assert.deepEqual([byHand.live[1]?.ramp, byHand.live[1]?.id], [undefined, 2])
  })

  it('lets the next version follow one that is taken back', () => {
    const next = deploy(first, { version: 3, name: 'b', how: 'ramp' }, 3)
    assert.equal(summary(settle(withdraw(next, 2), all, 1)), 'a@1 champion 0.95, b@3 split 0.05')
  })

  it('is over when its challenger is promoted', () => {
    assert.equal(promote(first, undefined, all).live[0]?.ramp, undefined)
  })
})

describe('promote() and rollback()', () => {
  it('swap champion and challenger, and back', () => {
    const promoted = promote(raced(0.2), undefined, all)
    assert.equal(summary(promoted), 'b@2 champion 1, a@1 standby 0')
    assert.deepEqual(toRacePairs(promoted), [])
    assert.equal(summary(rollback(promoted, all)), 'a@1 champion 1, b@2 standby 0')
  })

  it('lets the former standby leave at the next promotion', () => {
    const again = settle(deploy(promote(raced(), undefined, all), { version: 3, name: 'c', how: 'shadow' }, 3), all, 1)
    const promoted = promote(again, undefined, all)
    assert.equal(summary(promoted), 'c@3 champion 1, b@2 standby 0')
    assert.deepEqual(
      promoted.leaving.map(member => member.name),
      ['a'],
    )
  })

  it('drops a champion that was on its way', () => {
    const promoted = promote(deploy(raced(), { version: 4 }, 4), undefined, all)
    assert.equal(summary(settle(promoted, all, 1)), 'b@2 champion 1, a@1 standby 0')
  })

  const first = deploy(EMPTY, { version: 1 }, 1)
  const rows: [name: string, act: () => unknown, code: string][] = [
    ['a promotion without a challenger', () => promote(first, undefined, all), 'NO_CHALLENGER'],
    ['a promotion of a stranger', () => promote(first, parseVariantName('z'), all), 'VARIANT_UNKNOWN'],
    ['a promotion of the champion', () => promote(first, parseVariantName('a'), all), 'ALREADY_CHAMPION'],
    ['a promotion before a replica is ready', () => promote(raced(), undefined, none), 'NOT_READY'],
    [
      'a promotion of a starting challenger',
      () => promote(deploy(first, { version: 2, name: 'b', how: 'shadow' }, 2), undefined, none),
      'NOT_READY',
    ],
    ['a rollback without a standby', () => rollback(raced(), all), 'NO_STANDBY'],
    ['a rollback to nothing ready', () => rollback(promote(raced(), undefined, all), none), 'NOT_READY'],
  ]
  for (const [name, act, code] of rows) {
    it(`refuses ${name}`, () => {
      assert.throws(act, { code })
    })
  }
})

describe('a deployment', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const version = fc.integer({ min: 1, max: 4 })
  const command = fc.oneof(
    fc.record({ act: fc.constant('deploy' as const), version, name: fc.option(name, { nil: undefined }) }),
    fc.record({ act: fc.constant('shadow' as const), version, name }),
    fc.record({ act: fc.constant('split' as const), version, name, weight: fc.constantFrom(0.1, 0.5, 0.9) }),
    fc.record({ act: fc.constant('ramp' as const), version, name }),
    fc.record({ act: fc.constantFrom('share' as const, 'withdraw' as const), name }),
    fc.record({ act: fc.constant('promote' as const), name: fc.option(name, { nil: undefined }) }),
    fc.record({ act: fc.constantFrom('rollback' as const, 'release' as const, 'clear' as const) }),
    fc.record({ act: fc.constant('settle' as const), ready: fc.array(fc.integer({ min: 1, max: 12 })) }),
  )
  type Command = typeof command extends fc.Arbitrary<infer value> ? value : never

  function next(deployment: Deployment, command: Command, id: number): Deployment {
    switch (command.act) {
      case 'deploy':
        return deploy(deployment, { version: command.version, ...(command.name && { name: command.name }) }, id)
      case 'shadow':
        return deploy(deployment, { version: command.version, name: command.name, how: 'shadow' }, id)
      case 'split':
        return deploy(deployment, { version: command.version, name: command.name, how: command.weight }, id)
      case 'ramp':
        return deploy(deployment, { version: command.version, name: command.name, how: 'ramp' }, id)
      case 'share':
      case 'withdraw': {
        const challenger = listChallengers(deployment).find(({ name }) => name === command.name)
        if (challenger === undefined) return deployment
        if (command.act === 'withdraw') return withdraw(deployment, challenger.id)
        return challenger.role === 'split' && challenger.weight > 0.06
          ? giveShare(deployment, challenger.id, challenger.weight - 0.01)
          : deployment
      }
      case 'promote':
        return promote(deployment, command.name === undefined ? undefined : parseVariantName(command.name), all)
      case 'rollback':
        return rollback(deployment, all)
      case 'release':
        return release(
          deployment,
          deployment.leaving.map(member => member.id),
        )
      case 'clear':
        return clear(deployment)
      case 'settle':
        return settle(deployment, of => (command.ready.includes(of) ? 2 : 0), 2)
      default:
        return command satisfies never
    }
  }

  function check(before: Deployment, after: Deployment): void {
    const { live, pending, leaving } = after
    assert.equal(live.filter(member => member.role === 'champion').length, live.length > 0 ? 1 : 0)
    assert.equal(new Set(live.map(toSlot)).size, live.length, 'one variant in a slot')
    assert.equal(new Set(live.map(member => member.name)).size, live.length, 'one variant of a name')
    assert.equal(new Set(pending.map(toSlot)).size, pending.length, 'one pending variant for a slot')
    const champion = live.find(member => !isChallenger(member))
    assert.ok(champion === undefined || champion.weight > 0, 'the champion keeps a share')
    const sum = live.reduce((total, member) => total + member.weight, 0)
    if (live.length > 0) assert.ok(Math.abs(sum - 1) < 1e-12, `weights sum to ${sum}`)
    assert.equal(after.epoch > before.epoch, JSON.stringify(live) !== JSON.stringify(before.live), 'epoch')
    const staying = leaving.filter(member => [...live, ...pending].some(other => other.id === member.id))
    assert.deepEqual(staying, [])
    const gone = before.live.filter(member => ![...live, ...pending, ...leaving].some(other => other.id === member.id))
    assert.deepEqual(gone, [], 'a variant leaves the routes before its replicas stop')
  }

  it('keeps its rules under any commands', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), commands => {
        let deployment = EMPTY
        commands.forEach((command, at) => {
          try {
            const after = next(deployment, command, at + 1)
            if (command.act === 'clear') assert.equal(after.epoch, deployment.epoch + 1)
            else check(deployment, after)
            deployment = after
          } catch (error) {
            if (!(error instanceof RegattaError)) throw error
          }
        })
      }),
      { numRuns: 500 },
    )
  })

  it('survives as its routes', () => {
    const promoted = crown(raced(), 2)
    const state: TargetState = {
      gateway: { name: 'gateway', health: { state: 'ready', since: 0 }, pid: 1, restarts: 0 },
      gatewayUrl: 'http://127.0.0.1:1',
      gatewayGrpcUrl: undefined,
      replicas: [],
    }
    assert.deepEqual(toDeployment(toRoutes(promoted, 'm', state, {})), promoted)
  })

  it('plans each variant once', () => {
    const plan = toPlan(deploy(raced(), { version: 2, name: 'b', how: 0.5 }, 9), 'm', 2)
    assert.deepEqual(
      plan.variants.map(({ id, replicas }) => [id, replicas]),
      [
        [1, 2],
        [2, 2],
      ],
    )
  })
})
