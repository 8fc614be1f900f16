import type { Case } from './case.ts'

/** A case costs so many requests to make small at most. */
const MAX_TRIES = 400

/**
 * Makes a case small that still fails: parts of its bytes and headers are left out, halves first and single ones last,
 * as long as `fails` says so of what is left. One that does not fail again is given back as it is.
 */
export async function shrink(example: Case, fails: (example: Case) => Promise<boolean>): Promise<Case> {
  let tries = 0
  const stillFails = async (smaller: Case): Promise<boolean> => {
    tries += 1
    return tries <= MAX_TRIES && (await fails(smaller))
  }
  if (!(await stillFails(example))) return example
  let smallest = example
  if ('headers' in smallest) {
    const { headers, ...rest } = smallest
    const kept = await leaveOut(headers, some => stillFails({ ...rest, headers: some } as Case))
    smallest = { ...rest, headers: kept } as Case
  }
  const key = 'bytes' in smallest ? 'bytes' : 'body'
  const bytes: Buffer = 'bytes' in smallest ? smallest.bytes : smallest.body
  const found = smallest
  const kept = await leaveOut([...bytes], some => stillFails({ ...found, [key]: Buffer.from(some) } as Case))
  return { ...smallest, [key]: Buffer.from(kept) } as Case
}

/** The items without those that are not needed. Source: Zeller and Hildebrandt 2002, "Simplifying failure-inducing input". */
async function leaveOut<item>(
  items: readonly item[],
  isEnough: (items: readonly item[]) => Promise<boolean>,
): Promise<readonly item[]> {
  let kept = items
  for (let size = Math.ceil(items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = 0; at < kept.length; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)]
      if (await isEnough(fewer)) kept = fewer
      else at += size
    }
  return kept
}
