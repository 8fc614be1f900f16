/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The variable by which a supervisor finds processes of its folder whose pid file it never wrote. */
export const SUPERVISOR_VARIABLE = 'REGATTA_SUPERVISOR'

// A list of what passes and not of what is held back: credentials have names that nobody can list.
const PASSED =
  /^(PATH|HOME|USER|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|LD_LIBRARY_PATH|NODE_OPTIONS|NODE_COMPILE_CACHE|NODE_EXTRA_CA_CERTS|OMP_NUM_THREADS)$/

/** The environment of a child: what it needs of the supervisor's, the supervisor's mark, and `own`. */
export function toChildEnvironment(inherited: Environment, mark: string, own: Environment): Environment {
  return {
    ...Object.fromEntries(Object.entries(inherited).filter(([name]) => PASSED.test(name))),
    ...own,
    ORT_DISABLE_TELEMETRY: '1',
    [SUPERVISOR_VARIABLE]: mark,
  }
}
