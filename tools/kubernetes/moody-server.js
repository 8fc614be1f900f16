/* A model server for tests that does what it is told: slow, failing or wrong. It answers three times what it is given. */
import { createServer } from 'node:http'

const mood = { delayMs: 0, delayShare: 0, failShare: 0, weight: 3 }

createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const send = (status, value) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  if (request.url === '/mood') return send(200, Object.assign(mood, JSON.parse(body)))
  if (!request.url.endsWith(':predict')) return send(200, {})
  if (Math.random() < mood.delayShare) await new Promise(resolve => setTimeout(resolve, mood.delayMs))
  if (Math.random() < mood.failShare) return send(500, { error: 'in a bad mood' })
  send(200, { predictions: JSON.parse(body).instances.map(([x]) => [mood.weight * x]) })
}).listen(8501)
process.on('SIGTERM', () => process.exit())
