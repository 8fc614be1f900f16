import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const folder = join(import.meta.dirname, '..', 'src', 'judge')
/** What has no formula of others: rules of a race, words, and what only counts, keeps or hands on. */
const WITHOUT_FORMULA: ReadonlySet<string> = new Set([
  ...['emptyBlocks', 'addToBlocks', 'toBlocks', 'toUsed', 'toTop', 'emptyWeightedBlocks', 'addToWeightedBlocks'],
  ...['emptyCap', 'addToCap', 'applyCap', 'toCapped', 'isAtCap', 'toCapProgress', 'foldExtremes', 'toFarthest'],
  ...['toDominance', 'toPlainJoint', 'isComparable'],
  ...['remove', 'removeJoint', 'variance', 'toPairCount', 'toMissing', 'toLabelledShare', 'toPlanText', 'toLoss'],
  ...['toLossTerms', 'toSize', 'toLossRange', 'toGuardrails', 'toRequestsWanted'],
  ...['judgeRace', 'decide', 'isDecided', 'weigh'],
  ...['toRaceRule', 'toReach', 'toReason', 'toShort', 'toPercent', 'addLook', 'isDrifting', 'toStandingState'],
  ...['toEmptyOrdered', 'addToOrdered', 'toOrderedEvidence', 'fillMissing', 'toLogGap'],
])

interface Documented {
  readonly name: string
  readonly docstring: string
}

function listFunctions(): readonly Documented[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    file => /^[a-z-]+(\/[a-z-]+)?\.ts$/.test(file) && !/^(testing|replay)\/|(^|\/)(gates?|split-gates)\.ts$/.test(file),
  )
  return files.flatMap(file => {
    const text = readFileSync(join(folder, file), 'utf8')
    const found = text.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\nexport (?:async )?function (\w+)/g)
    return [...found].map(([, docstring = '', name = '']) => ({
      name,
      docstring: docstring.replaceAll(/\s*\n \* ?/g, ' '),
    }))
  })
}

/** The number of a theorem or an equation, or the equation itself. */
const EQUATION = /(Theorem|Proposition|section|equation|definition) \d|=|≥/
const SOURCE = /Source: (.*?)(?: @\w|\*\/|$)/

function isCited(docstring: string, known: ReadonlySet<string>): boolean {
  const source = SOURCE.exec(docstring)?.[1]
  if (source === undefined) return false
  const [, other] = /^as `(\w+)`/.exec(source) ?? []
  if (other !== undefined) return known.has(other)
  return /NIST DLMF \d/.test(source) || (/\b(19|20)\d\d\b/.test(source) && EQUATION.test(source))
}

describe('the formulas of src/judge', () => {
  const functions = listFunctions()
  const known = new Set(functions.map(({ name }) => name))
  for (const { name, docstring } of functions) {
    if (WITHOUT_FORMULA.has(name)) continue
    it(`${name}() cites a paper and its equation`, () => {
      assert.ok(
        isCited(docstring, known),
        `${docstring}\n\nwanted "Source: …" with a year, and the equation or its number`,
      )
    })
  }

  it('are all looked at: what is left out exists', () => {
    for (const name of WITHOUT_FORMULA) assert.ok(known.has(name), name)
  })
})
