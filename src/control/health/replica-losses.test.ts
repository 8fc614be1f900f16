import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toNormal, toUniform } from '../../judge/testing/random.ts'
import { toRequestId } from '../testing/place.ts'
import { type ReplicaLabel, type ReplicaLoss, ReplicaLosses } from './replica-losses.ts'

const label = (number: number, replica: string, loss: number, variant = 1): ReplicaLabel => {
  return { request: toRequestId(number), variant, replica, loss }
}
const find = (losses: ReplicaLosses, name: string): ReplicaLoss | undefined =>
  losses.read().find(({ replica }) => replica === name)
/** Requests that three replicas answer by turns; `bad` loses so many times as much. */
const fill = (losses: ReplicaLosses, from: number, count: number, bad: string | undefined, times = 3): void => {
  for (let at = from; at < from + count; at += 1) {
    const replica = ['a', 'b', 'c'][at % 3] ?? ''
    losses.note([label(at, replica, (1 + Math.abs(Math.sin(at * 12.9898))) * (replica === bad ? times : 1))])
  }
}

describe('ReplicaLosses', () => {
  it('tells a replica that loses more from its peers by a few labels', () => {
    const losses = new ReplicaLosses()
    fill(losses, 0, 90, 'b')
    const [a, b] = [find(losses, 'a'), find(losses, 'b')]
    assert.ok(b !== undefined && b.share > 0.95 && b.shareAtLeast > 0.5, JSON.stringify(b))
    assert.ok(b.meanLoss > 2 * b.meanLossOfPeers)
    assert.ok(a !== undefined && a.shareAtLeast < 0.5, JSON.stringify(a))
  })

  it('pairs neighbours of one variant alone, and no replica with itself', () => {
    const losses = new ReplicaLosses()
    losses.note([label(1, 'a', 1), label(2, 'a', 1), label(3, 'z', 9, 2), label(4, 'b', 2), label(5, 'b', 2)])
    assert.deepEqual([find(losses, 'a')?.pairs, find(losses, 'b')?.pairs, find(losses, 'z')], [1, 1, undefined])
  })

  it('counts one label of a request, and none that comes again or late', () => {
    const losses = new ReplicaLosses()
    const labels = [label(2, 'b', 2), label(1, 'a', 1), label(2, 'b', 9)]
    losses.note(labels)
    losses.note([label(0, 'a', 5), ...labels])
    losses.note([label(3, 'a', 1)])
    assert.deepEqual([find(losses, 'b')?.pairs, find(losses, 'b')?.meanLoss], [1, 2])
  })

  it('says nothing by losses that are equal', () => {
    const losses = new ReplicaLosses()
    for (let at = 0; at < 100; at += 1) losses.note([label(at, at % 2 === 0 ? 'a' : 'b', 1)])
    assert.deepEqual([find(losses, 'a')?.pairs, find(losses, 'a')?.share], [0, 0.5])
  })

  it('forgets how a replica was once there is enough of how it is', () => {
    const losses = new ReplicaLosses()
    fill(losses, 0, 3000, undefined)
    fill(losses, 3000, 3000, 'c')
    assert.ok((find(losses, 'c')?.shareAtLeast ?? 0) > 0.5)
    fill(losses, 6000, 3000, undefined)
    assert.ok((find(losses, 'c')?.shareAtLeast ?? 1) < 0.5)
  })

  it('accuses hardly ever one that is like its peers, looked at all the time, whatever the tails', () => {
    const uniform = toUniform(11)
    const normal = toNormal(uniform)
    let accused = 0
    for (let run = 0; run < 200; run += 1) {
      const losses = new ReplicaLosses()
      const far = new Set<string>()
      for (let at = 0; at < 300; at += 1) {
        // Difficulty drifts, and losses are log-normal.
        losses.note([label(at, `r${Math.floor(uniform() * 4)}`, Math.exp(at / 50 + 2 * normal()))])
        if (at % 10 > 0) continue
        for (const { replica, shareAtLeast } of losses.read()) if (shareAtLeast > 0.5) far.add(replica)
      }
      accused += far.size
    }
    // Of 800 replicas, the bound lets 0.8 be.
    assert.ok(accused <= 1, `${accused} of 800`)
  })
})
