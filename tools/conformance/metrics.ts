import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { aptInstall } from '../images/apt.ts'
import type { Asked } from './client.ts'

const PROMTOOL = '/usr/bin/promtool'

/** Prometheus' own linter on the page of metrics. */
export function openMetricsCheck(url: string): () => Promise<Asked> {
  return async () => {
    console.log('=== promtool check metrics')
    const problem = await findProblem(url)
    console.log(problem === undefined ? '✔ /metrics' : `✖ /metrics\n${problem}`)
    return problem === undefined ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
  }
}

async function findProblem(url: string): Promise<string | undefined> {
  if (!existsSync(PROMTOOL)) {
    const installed = aptInstall(['prometheus'])
    if ('problem' in installed) return installed.problem
  }
  const answer = await fetch(`${url}/metrics`)
  const input = await answer.text()
  if (answer.status !== 200) return `${answer.status}: ${input}`
  const { status, stderr, stdout } = spawnSync(PROMTOOL, ['check', 'metrics'], { input, encoding: 'utf8' })
  return status === 0 ? undefined : `${stdout}${stderr}`
}
