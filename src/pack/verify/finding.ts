import { RegattaError, toSystemCode } from '../../core/errors.ts'

/** Something about an image that is not as it must be. */
export interface Problem {
  /** Stable, such as `BLOB_DIGEST`. */
  readonly code: string
  /** What is at fault: the digest of a blob or manifest. */
  readonly culprit: string
  /** What was expected and what was found. */
  readonly what: string
}

/** Collects what verifying finds, so that one problem does not hide another. */
export interface Findings {
  readonly problems: readonly Problem[]
  add(code: string, culprit: string, what: string): void
  /** Runs a step; what is wrong with the image becomes a problem, and the step has no result then. */
  attempt<result>(culprit: string, step: () => Promise<result>): Promise<result | undefined>
}

/** Codes of errors that say something about the image itself, and nothing about the way to it. */
const ABOUT_CONTENT = /^(BLOB_\w+|DIGEST|MANIFEST|REGISTRY_DIGEST|REGISTRY_MISSING|RUN_RECORD|SBOM|TAR_FORMAT)$/
/** Of a reader of gzip or zstd. */
const ABOUT_ARCHIVE = /^(Z_|ZSTD_)/
/** Further ones are left out; the first are those that matter. */
const MAX_PROBLEMS = 1000

/** Starts without any problem. */
export function createFindings(): Findings {
  const problems: Problem[] = []
  const add: Findings['add'] = (code, culprit, what) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ code, culprit, what })
  }
  return {
    problems,
    add,
    async attempt(culprit, step) {
      try {
        return await step()
      } catch (error) {
        if (!isAboutContent(error)) throw error
        add(toSystemCode(error) ?? '', culprit, error.message)
        return undefined
      }
    },
  }
}

/** Whether an error says that content is not as it must be; others, such as of a connection, say nothing of an image. */
export function isAboutContent(error: unknown): error is Error {
  const code = toSystemCode(error) ?? ''
  return error instanceof RegattaError ? ABOUT_CONTENT.test(code) : ABOUT_ARCHIVE.test(code)
}
