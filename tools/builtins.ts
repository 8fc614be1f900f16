import { isBuiltin } from 'node:module'
import type { Plugin } from 'rolldown'
import { parseAst } from 'rolldown/parseAst'

/**
 * Takes Node's own modules by need in a bundle. An import looks at all that a module exports, and so loads much that
 * nobody wants: of the command, a third of the CPU time in which it starts.
 */
export const builtins: Plugin = {
  name: 'builtins',
  renderChunk(code) {
    let taken = code
    // From the last on, so that the places of those before it stay what they are.
    for (const node of parseAst(code).body.toReversed()) {
      if (node.type !== 'ImportDeclaration' || !isBuiltin(node.source.value)) continue
      taken = `${taken.slice(0, node.start)}${toStatement(node)}${taken.slice(node.end)}`
    }
    return { code: taken, map: null }
  },
}

type Import = Extract<ReturnType<typeof parseAst>['body'][number], { readonly type: 'ImportDeclaration' }>

/** `import all, { part as name } from 'node:x'`, without the import. */
function toStatement({ source, specifiers }: Import): string {
  const found = `process.getBuiltinModule(${JSON.stringify(source.value)})`
  const whole = specifiers.flatMap(each => (each.type === 'ImportSpecifier' ? [] : [each.local.name]))
  const parts = specifiers.flatMap(each => (each.type === 'ImportSpecifier' ? [toPart(each)] : []))
  const statements = whole.map(name => `const ${name} = ${found};`)
  return [...statements, ...(parts.length > 0 ? [`const { ${parts.join(', ')} } = ${found};`] : [])].join(' ')
}

function toPart({
  imported,
  local,
}: Extract<Import['specifiers'][number], { readonly type: 'ImportSpecifier' }>): string {
  const name = imported.type === 'Identifier' ? imported.name : JSON.stringify(imported.value)
  return name === local.name ? name : `${name}: ${local.name}`
}
