import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'

const root = resolve(import.meta.dirname, '..')
const EDGE_MODULES = /^node:(fs|net|http|http2|child_process|timers|sqlite|worker_threads)\b/

/** Room → rooms it may import, from the table under "Rooms of `src/`" in ARCHITECTURE.md. */
function parseRooms(markdown: string): ReadonlyMap<string, readonly string[]> {
  const section = markdown.slice(markdown.indexOf('## Rooms of'))
  const rows = [...section.matchAll(/^\| ([a-z]+) \|[^|]*\|([^|]*)\|$/gm)].filter(row => row[1] !== 'room')
  return new Map(rows.map(row => [row[1] ?? '', (row[2] ?? '').trim().split(' ').filter(Boolean)]))
}

function listSources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => join(folder, path))
}

function listImports(path: string): string[] {
  const text = readFileSync(path, 'utf8')
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(match => match[1] ?? '')
}

const src = join(root, 'src')
const rooms = parseRooms(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'))
const sources = listSources(src)

/** `oci/tar.ts` → `oci`; the two halves of deploy count as rooms where they import each other. */
const roomOf = (path: string): string => relative(src, path).split('/')[0] ?? ''
const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.includes('/testing/')

describe('rooms of src/', () => {
  it('are the rooms of the table in ARCHITECTURE.md', () => {
    const folders = readdirSync(src, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => entry.name)
    assert.deepEqual([...rooms.keys()].sort(), folders.sort())
  })

  for (const path of sources.filter(path => !isTest(path))) {
    const name = relative(src, path)
    const imports = listImports(path)

    it(`${name} imports only what its room may`, () => {
      const allowed = rooms.get(roomOf(path)) ?? []
      const wrong = imports
        .filter(target => target.startsWith('.'))
        .filter(target => {
          const file = resolve(dirname(path), target)
          const room = roomOf(file)
          if (room === roomOf(path)) return false
          if (!allowed.includes(room)) return true
          // Another room is entered by its door; core has none, its files are the doors.
          return room !== 'core' && !/^(index|api|main|messages)\.ts$/.test(relative(join(src, room), file))
        })
      assert.deepEqual(wrong, [])
    })

    if (!/(\.node|\/main)\.ts$/.test(path)) {
      it(`${name} is pure: no files, sockets, processes or clocks`, () => {
        const text = readFileSync(path, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
        assert.deepEqual(
          imports.filter(target => EDGE_MODULES.test(target)),
          [],
        )
        assert.doesNotMatch(text, /(?<![.\w])process\.|\bDate\.now\(|\bMath\.random\(|\bnew Date\(\)/)
      })
    }
  }

  it('deploy/local and deploy/kube do not know each other, and only deploy names them', () => {
    const wrong = sources.flatMap(path =>
      listImports(path)
        .filter(target => target.startsWith('.'))
        .map(target => resolve(dirname(path), target))
        .filter(file => /\/deploy\/(local|kube)\//.test(file) && !path.includes('/src/deploy/'))
        .map(file => `${relative(root, path)} → ${relative(root, file)}`),
    )
    assert.deepEqual(wrong, [])
  })
})
