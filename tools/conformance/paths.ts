import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Asked } from './client.ts'
import { ROOT } from './parts.ts'

/** One path of the table in docs/serving.md, and what stands in the column of the place. */
interface Documented {
  readonly method: string
  readonly path: string
  readonly cell: string
}

/**
 * Asks every path of HTTP that docs/serving.md has in its table: what it marks is there, whatever it says to a body of
 * nothing; what it calls refused is refused.
 */
export async function checkDocumentedPaths(place: 'server' | 'gateway', url: string, model: string): Promise<Asked> {
  console.log(`=== paths of docs/serving.md → ${place}`)
  let failed = 0
  // Loading and unloading is asked by clients that put the model back.
  const documented = readDocumented(place, model).filter(({ cell }) => cell === 'refused' || !cell.startsWith('with'))
  for (const { method, path, cell } of documented) {
    const answer = await fetch(url + path, { method, ...(method === 'POST' && { body: '{}' }) })
    await answer.arrayBuffer()
    const isRight =
      cell === 'refused' ? answer.status >= 400 && answer.status < 500 : ![404, 405, 501].includes(answer.status)
    if (!isRight) failed += 1
    console.log(`${isRight ? '✔' : '✖'} ${method} ${path}: ${answer.status}, documented as "${cell}"`)
  }
  return documented.length > 0 ? { passed: documented.length - failed, failed } : { passed: 0, failed: 1 }
}

function readDocumented(place: 'server' | 'gateway', model: string): readonly Documented[] {
  const text = readFileSync(join(ROOT, 'docs', 'serving.md'), 'utf8')
  const rows = [...text.matchAll(/^\|[^|]*\| ((?:[^|\\]|\\.)*) \| ([^|]*) \| ([^|]*) \|/gm)]
  const reader = new PathReader(model)
  return rows.flatMap(([, paths = '', server = '', gateway = '']) =>
    reader.read(paths).map(path => ({ ...path, cell: place === 'server' ? server : gateway })),
  )
}

/** Reads `GET /a` `/b[/c|/d]`, `POST /e/NAME:f`, `…:g`: a method holds until the next, `…` stands for what was before. */
class PathReader {
  readonly #model: string
  #method = ''
  #before = ''

  constructor(model: string) {
    this.#model = model
  }

  read(cell: string): readonly Omit<Documented, 'cell'>[] {
    const found = [...cell.replaceAll('\\|', '|').matchAll(/`(?:(GET|POST) )?([/…][^`]*)`/g)]
    return found.flatMap(([, verb = this.#method, pattern = '']) => {
      if (verb === '' || /^\/[a-z.]+\.[A-Z]/.test(pattern)) return []
      const before = this.#before
      const start = before.endsWith(']') ? before : before.slice(0, before.lastIndexOf(pattern[1] ?? ''))
      const whole = pattern.startsWith('…') ? start + pattern.slice(1) : pattern
      this.#method = verb
      this.#before = whole
      // With everything that may be left out, and without.
      const forms = [whole.replaceAll(/\[([^\]|]*)[^\]]*\]/g, '$1'), whole.replaceAll(/\[[^\]]*\]/g, '')]
      return [...new Set(forms)].map(path => ({
        method: verb,
        path: path.replaceAll('NAME', this.#model).replaceAll(/\bN\b/g, '1'),
      }))
    })
  }
}
