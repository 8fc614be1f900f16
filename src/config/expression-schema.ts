import { compile, isRegistered } from '@jmespath-community/jmespath'
import { z } from 'zod'
import { toErrorText } from '../core/errors.ts'
import { isObject } from '../core/json.ts'

const MAX_EXPRESSION = 1000

/** A JMESPath expression whose syntax and functions are known (jmespath.site). */
export const expression = () =>
  z.string('a JMESPath expression').check(context => {
    const problem = toExpressionProblem(context.value)
    if (problem === undefined) return
    const message = `a JMESPath expression (${problem})`
    context.issues.push({ code: 'custom', message, input: context.value })
  })

function toExpressionProblem(expression: string): string | undefined {
  if (expression.length > MAX_EXPRESSION) return `at most ${MAX_EXPRESSION} characters`
  try {
    const unknown = listFunctions(compile(expression)).find(name => !isRegistered(name))
    return unknown === undefined ? undefined : `there is no function ${unknown}()`
  } catch (error) {
    return toErrorText(error)
  }
}

function listFunctions(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(listFunctions)
  if (!isObject(node)) return []
  const own = node['type'] === 'Function' && typeof node['name'] === 'string' ? [node['name']] : []
  return [...own, ...Object.values(node).flatMap(listFunctions)]
}
