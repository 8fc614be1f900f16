import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseReference, pushImage } from '../index.ts'
import { openTestPlace, toTestOptions, writeTestImage } from './testing/image.ts'
import { openTestRegistry } from './testing/registry.ts'
import { parseWarnings } from './warning.ts'

describe('parseWarnings()', () => {
  for (const [header, wanted] of [
    [undefined, []],
    ['299 - "Your token expires soon."', ['Your token expires soon.']],
    ['299 - "one, two", 299 - "three"', ['one, two', 'three']],
    ['299 - "say \\"hello\\""', ['say "hello"']],
    ['299 - "a\u001b[2Jb\r\nc"', ['a [2Jb c']],
    ['110 - "Response is stale"', []],
    ['299 - ""', []],
    ['299 - "never closed', []],
  ] as const) {
    it(`reads ${JSON.stringify(header)}`, () => assert.deepEqual(parseWarnings(header), wanted))
  }
})

describe('pushImage()', () => {
  it('tells what the registry warns of, once', async () => {
    await using registry = await openTestRegistry()
    await using place = await openTestPlace()
    registry.faults.push((_, response) => {
      response.setHeader('warning', ['299 - "this repository moves"', '299 - "to another place"'])
      return false
    })
    const image = await writeTestImage(place.layout, [9, 10])
    const warnings: string[] = []
    const options = { ...toTestOptions(place.folder), onWarning: (text: string) => void warnings.push(text) }
    const target = parseReference(`${registry.host}/team/forecast:1`)
    await pushImage(place.layout, image.digest, target, options, new AbortController().signal)
    assert.deepEqual(warnings, [
      `${registry.host} says: this repository moves`,
      `${registry.host} says: to another place`,
    ])
  })
})
