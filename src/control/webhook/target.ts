import type { Project } from '../../config/index.ts'
import { UsageError } from '../../core/errors.ts'
import type { WebhookTarget } from './webhook.node.ts'

/** Finds the URL of the webhook in the environment; undefined where none is configured. @throws WEBHOOK (a UsageError) */
export function toWebhookTarget(
  { serve }: Pick<Project, 'serve'>,
  env: Readonly<Record<string, string | undefined>>,
): WebhookTarget | undefined {
  const { webhook, format } = serve.alerts
  if (webhook === undefined) return undefined
  const url = env[webhook]?.trim() ?? ''
  if (url === '') throw toUnusable(`the environment has no ${webhook}`, webhook)
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw toUnusable(`${webhook} holds no URL that begins with https:// or http://`, webhook)
  }
  return { url, format }
}

function toUnusable(why: string, variable: string): UsageError {
  return new UsageError('WEBHOOK', `Cannot send alerts: ${why}, where serve.alerts.webhook looks for the URL`, {
    fix: `Set ${variable} for the process that runs "regatta up", or take serve.alerts.webhook out of regatta.yaml`,
  })
}
