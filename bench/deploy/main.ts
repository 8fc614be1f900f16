/*
 * What a deployment on a cluster costs: from `regatta deploy` to the first right answer of three ready replicas, beside
 * `kubectl apply` and `kubectl rollout status` of the same objects; a promotion and a rollback until the new champion
 * answers; from a trained model to its first answer; memory and CPU of gateway and control, idle and under load.
 *
 *     npm run bench:deploy -- [--rounds 5] [--json FILE]
 *
 * On the cluster of KUBECONFIG and REGATTA_TEST_REGISTRY, or on one that lies beside the repository.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { isGiven, runBeside } from '../../tools/kubernetes/beside.ts'
import { toAligned } from '../table.ts'
import { measureFootprint } from './footprint.ts'
import { measureRelease } from './release.ts'
import { type Results, toRows } from './results.ts'
import { measureRollouts, openDeployed } from './rollout.ts'
import { measureSwitches } from './switching.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'string' } },
})

if (isGiven()) await measure()
else {
  const end = await runBeside([import.meta.filename, ...process.argv.slice(2)])
  if (typeof end !== 'number') console.error(`cannot measure: ${end.problem}`)
  process.exitCode = typeof end === 'number' ? end : 1
}

async function measure(): Promise<void> {
  const rollouts = await measureRollouts(Number(values.rounds))
  await using deployed = await openDeployed()
  const footprint = await measureFootprint(deployed)
  const switches = await measureSwitches(deployed, Number(values.rounds))
  const releaseMs = await measureRelease(deployed)
  const results: Results = { schema: 'regatta/bench-deploy/v1', ...rollouts, ...switches, releaseMs, footprint }
  console.log(toAligned(['', 'measured', 'wanted', ''], toRows(results)))
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
}
