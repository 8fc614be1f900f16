import type { WebhookFormat } from '../../config/index.ts'
import type { Incident } from '../health/incidents.ts'

/** A message to a webhook. */
export interface WebhookBody {
  readonly contentType: string
  readonly text: string
}

/** What the message of an incident says beside it. */
export interface WebhookFacts {
  readonly deployment: string
  /** Unique; the same however often the message is sent. */
  readonly id: string
  /** Epoch ms. */
  readonly at: number
}

/**
 * Writes an incident for a webhook: `{"text"}`, which Slack and those compatible with it take, or a CloudEvent in
 * structured mode. Source: CloudEvents 1.0.2, "JSON Event Format" and "HTTP Protocol Binding", section 3.2.
 */
export function toWebhookBody(incident: Incident, facts: WebhookFacts, format: WebhookFormat): WebhookBody {
  const { deployment, id, at } = facts
  if (format === 'slack') {
    return { contentType: 'application/json', text: JSON.stringify({ text: `${deployment}: ${incident.text}` }) }
  }
  const { kind, race, text } = incident
  const event = {
    specversion: '1.0',
    id,
    source: `/regatta/${deployment}`,
    type: race === undefined ? `dev.regatta.${kind}` : `dev.regatta.race.${kind}`,
    subject: race === undefined ? `${kind}/${incident.key}` : `race/${race}`,
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    data: { kind, race, key: incident.key, text },
  }
  return { contentType: 'application/cloudevents+json; charset=utf-8', text: JSON.stringify(event) }
}
