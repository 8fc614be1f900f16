import type { HttpResponse } from '../../core/http/http.ts'
import { toTextResponse } from '../../core/http/http.ts'
import { CHART } from './chart.ts'
import { HTML } from './html.ts'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'

/** A file of the page. */
export interface PageFile {
  readonly type: string
  readonly text: string
}

/** The files of the race page: plain HTML, CSS and JavaScript as text, so that a bundle holds them. */
export const PAGE_FILES = {
  html: { type: 'text/html; charset=utf-8', text: HTML },
  script: { type: 'text/javascript; charset=utf-8', text: SCRIPT },
  chart: { type: 'text/javascript; charset=utf-8', text: CHART },
  style: { type: 'text/css; charset=utf-8', text: STYLE },
} as const satisfies Record<string, PageFile>

/** Nothing but the page's own files, and no frame around it. Source: CSP Level 3. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The answer that is a file of the page. */
export function toPageResponse({ type, text }: PageFile): HttpResponse {
  const response = toTextResponse(200, text, type)
  return { ...response, headers: { ...response.headers, 'content-security-policy': POLICY } }
}
