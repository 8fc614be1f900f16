import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RaceJson, StatusJson, TruthCountsJson } from '../../src/control/index.ts'
import { ask } from './client.ts'
import { makePlace, type Place, toProjectYaml } from './place.ts'

const TRAIN = `node ${join(import.meta.dirname, 'train-table.ts')}`
/** Requests after which something must have happened. */
const MOST_REQUESTS = 4000
const CHUNK = 200

/** A deployment of tables on processes of this machine, whose requests have the truth 2x + noise. */
export class Ramps implements AsyncDisposable {
  readonly #place: Place
  #gateway = ''
  #sent = 0

  /** Deploys a champion; `race` stands under `race:` in regatta.yaml. */
  static async start(race: string, params: readonly string[]): Promise<Ramps> {
    const yaml = toProjectYaml({ train: TRAIN, race }).replace('weight: 1', 'off: 0, broken: 0, slow: 0')
    const ramps = new Ramps(makePlace(yaml))
    await ramps.release(params)
    ramps.#gateway = (await ramps.#place.json<{ gateway: string }>(['deploy'])).gateway
    return ramps
  }

  private constructor(place: Place) {
    this.#place = place
  }

  /** What the gateway answers for x. */
  async ask(x: number): Promise<number | undefined> {
    return (await ask(this.#gateway, x)).predictions[0]?.[0]
  }

  /** Trains and packs a version with these parameters. */
  async release(params: readonly string[]): Promise<void> {
    await this.#place.json(['train', ...params.flatMap(param => ['--set', param])])
    await this.#place.json(['pack'])
  }

  async deploy(...args: readonly string[]): Promise<void> {
    await this.#place.json(['deploy', ...args])
  }

  /** Sends requests until the races look as wanted, and says how many it took. */
  async sendUntil(wanted: (races: readonly RaceJson[]) => boolean, isTruthKnown = true): Promise<number> {
    const from = this.#sent
    for (;;) {
      const races = await this.races()
      if (wanted(races)) return this.#sent - from
      assert.ok(this.#sent - from < MOST_REQUESTS, JSON.stringify(races, null, 1))
      await this.#sendChunk(isTruthKnown)
    }
  }

  async races(): Promise<readonly RaceJson[]> {
    return (await this.#read<{ races: readonly RaceJson[] }>('/api/v1/races')).races
  }

  async status(): Promise<StatusJson> {
    return await this.#read<StatusJson>('/api/v1/status')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place[Symbol.asyncDispose]()
  }

  /** Sends requests, 8 at once; where the truth is known, it is reported of those answered. */
  async #sendChunk(isTruthKnown: boolean): Promise<void> {
    const numbers = Array.from({ length: CHUNK }, (_, at) => this.#sent + at)
    this.#sent += CHUNK
    const lines: string[] = []
    const worker = async (): Promise<void> => {
      for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
        const value = 2 * (number % 10) + Math.sin(number * 12.9898) / 2
        const answer = await ask(this.#gateway, number % 10).catch(() => undefined)
        if (answer !== undefined) lines.push(JSON.stringify({ prediction: answer.prediction, value }))
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    if (!isTruthKnown) return
    const file = join(this.#place.folder, 'truths.ndjson')
    writeFileSync(file, lines.join('\n'))
    await this.#place.json<TruthCountsJson>(['truth', file])
  }

  async #read<document>(path: string): Promise<document> {
    const record: unknown = JSON.parse(readFileSync(join(this.#place.folder, '.regatta', 'local', 'up.json'), 'utf8'))
    const { controlUrl } = record as { controlUrl: string }
    return (await (await fetch(`${controlUrl}${path}`)).json()) as document
  }
}
