import type { OutcomeCursor, Store, StoredOutcome, StoredVariant } from '../../store/index.ts'
import type { OutcomeJson } from '../api/outcomes.ts'
import { toControlError } from '../errors.ts'

/** Outcomes that are read at once. */
const PAGE = 1000

const encoder = new TextEncoder()

/**
 * Opens the outcomes of a race as lines of JSON, read page by page as they are taken; those that come in meanwhile may
 * be among them. @throws RACE_UNKNOWN
 */
export async function openOutcomes(
  store: Pick<Store, 'readOutcomes' | 'readRace' | 'readVariants'>,
  id: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const race = /^[1-9]\d{0,14}$/.test(id) ? Number(id) : 0
  const first = await store.readOutcomes(race, undefined, PAGE)
  if (first.length === 0 && (await store.readRace())?.id !== race) {
    throw toControlError(
      'RACE_UNKNOWN',
      `Cannot find outcomes of race "${id}"`,
      'GET /api/v1/race tells the number of the running race, or of the last one',
    )
  }
  const variants = new Map((await store.readVariants()).map(variant => [variant.id, variant]))
  return toPages(first, after => store.readOutcomes(race, after, PAGE), variants, signal)
}

async function* toPages(
  first: readonly StoredOutcome[],
  readNext: (after: OutcomeCursor) => Promise<readonly StoredOutcome[]>,
  variants: ReadonlyMap<number, StoredVariant>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let page = first
  for (let last = page.at(-1); last !== undefined && !signal.aborted; last = page.at(-1)) {
    yield encoder.encode(page.map(outcome => `${JSON.stringify(toOutcomeJson(outcome, variants))}\n`).join(''))
    page = page.length < PAGE ? [] : await readNext(last)
  }
}

function toOutcomeJson(outcome: StoredOutcome, variants: ReadonlyMap<number, StoredVariant>): OutcomeJson {
  const { request, row, series, targetAt, prediction, truth, loss, served, propensity, epoch, pinned, champion } =
    outcome
  const variant = variants.get(outcome.variant)
  if (variant === undefined) throw new Error(`The database has an answer of variant ${outcome.variant}, unknown to it`)
  return {
    request,
    row,
    variant: variant.name,
    version: variant.version,
    at: toIso(outcome.at),
    series: series ?? null,
    targetAt: targetAt === undefined ? null : toIso(targetAt),
    prediction,
    truth,
    loss: loss ?? null,
    served,
    propensity,
    epoch,
    input: toBody(outcome.input),
    output: toBody(outcome.output),
    entity: outcome.entity ?? null,
    covariate: outcome.covariate ?? null,
    pinned,
    champion,
  }
}

/** A row as the store wrote it. */
function toBody(text: string | undefined): unknown {
  return text === undefined ? null : JSON.parse(text)
}

function toIso(at: number): string {
  return new Date(at).toISOString()
}
