// What npm `stripe` calls and with which parameters, read from its own code and types.
import { readFileSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const here = dirname(fileURLToPath(import.meta.url))
const sdk = realpathSync(join(here, '../node_modules/stripe'))
export const { version } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8'))

const source = (name, ending) => join(sdk, 'esm/resources', `${name}.${ending}`)

/** A path with its ids left out: `/v1/customers/{}`. */
export const plain = path => path.replace(/\$\{[^}]*\}|\{[^}]*\}/g, '{}')

/** The resources that make a call which is wanted: `POST /v1/customers/{}`. */
export const resourcesThat = wanted =>
  readdirSync(join(sdk, 'esm/resources'), { recursive: true })
    .filter(name => name.endsWith('.js'))
    .map(name => name.replace(/\.js$/, ''))
    .filter(name => [...callsOf(name).values()].flat().some(([method, path]) => wanted(`${method} ${plain(path)}`)))

/** Every endpoint of these resources (`Customers`, `BillingPortal/Sessions`): its method, path, and parameters by dotted name. */
export function endpoints(resources) {
  const program = ts.createProgram(resources.map(name => source(name, 'd.ts')), {
    strict: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
  })
  const checker = program.getTypeChecker()
  const found = new Map()
  for (const resource of resources) {
    const calls = callsOf(resource)
    for (const symbol of checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(source(resource, 'd.ts'))))) {
      if (!(symbol.flags & ts.SymbolFlags.Class)) continue
      for (const operation of checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))) {
        for (const [method, path] of calls.get(`${symbol.name}.${operation.name}`) ?? []) {
          const key = `${method} ${plain(path)}`
          if (!found.has(key)) found.set(key, { resource, method, path: named(path), params: new Set() })
          for (const signature of checker.getTypeOfSymbol(operation).getCallSignatures()) {
            const params = signature.getParameters().find(parameter => parameter.name === 'params')
            if (params) addNames(checker, checker.getTypeOfSymbol(params), [], found.get(key).params)
          }
        }
      }
    }
  }
  return found
}

/** `/v1/customers/${encodeURIComponent(id)}` as it is written in a manual: `/v1/customers/{id}`. */
const named = path => path.replace(/\$\{(?:encodeURIComponent\()?(\w+)\)?\}/g, '{$1}')

/** What each function of a resource calls: `CustomerResource.create` → [['POST', '/v1/customers']]. */
function callsOf(resource) {
  const found = new Map()
  let name = ''
  let operation = ''
  for (const line of readFileSync(source(resource, 'js'), 'utf8').split('\n')) {
    name = /^export class (\w+)/.exec(line)?.[1] ?? name
    operation = /^ {4}(\w+)\(.*\) \{$/.exec(line)?.[1] ?? operation
    const [, method, path] = /_makeRequest\('(\w+)', [`']([^`']+)[`']/.exec(line) ?? []
    if (method) found.set(`${name}.${operation}`, [...(found.get(`${name}.${operation}`) ?? []), [method, path]])
  }
  return found
}

// A parameter is told by its own name where what is inside it is anybody's, or Stripe's products one by one.
const DEEPEST = 6
const WHOLE = new Set(['metadata', 'payment_method_data', 'payment_method_options', 'mandate_data', 'expand'])
const isDecimal = type => [type.aliasSymbol, type.symbol].some(symbol => symbol?.name.startsWith('Decimal'))

function addNames(checker, type, path, found) {
  for (const part of type.isUnion() ? type.types : [type]) {
    if (checker.isArrayType(part)) addNames(checker, checker.getTypeArguments(part)[0], path, found)
    else if (part.flags & ts.TypeFlags.Object && !checker.getIndexInfoOfType(part, ts.IndexKind.String) && !isDecimal(part)) {
      for (const property of checker.getPropertiesOfType(part)) {
        const inside = [...path, property.name]
        found.add(inside.join('.'))
        if (inside.length < DEEPEST && !WHOLE.has(property.name)) addNames(checker, checker.getTypeOfSymbol(property), inside, found)
      }
    }
  }
}
