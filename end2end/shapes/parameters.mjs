// Derives the names of Stripe's parameters, for the endpoints that Portico has, from the types of npm `stripe`, so that the
// API can tell what is not supported from what does not exist. Writes server/src/api/parameters.txt, which is committed.
// usage: node shapes/parameters.mjs [--check]     with --check, fails if the file is not what would be written
import { readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const here = dirname(fileURLToPath(import.meta.url))
const api = join(here, '../../server/src/api')
const file = join(api, 'parameters.txt')
const sdk = realpathSync(join(here, '../node_modules/stripe'))
const { version } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8'))
const resources = join(sdk, 'esm/resources')

// A parameter that nobody reads is refused by its own name, so what is inside it needs no names.
const DEEPEST = 4
const WHOLE = new Set(['metadata', 'payment_method_data', 'payment_method_options', 'mandate_data', 'expand'])

/** `/v1/customers/${encodeURIComponent(id)}` as a route: `/v1/customers/{}`. */
const plain = path => path.replace(/\$\{[^}]*\}|\{[^}]*\}/g, '{}')

const ours = new Map()
for (const [, method, path] of readFileSync(join(api, 'mod.rs'), 'utf8').matchAll(/^ {4}(GET|POST|DELETE) +"(\/v1\/[^"]*)" =>/gm)) {
  ours.set(`${method} ${plain(path)}`, `${method} ${path}`)
}

/** Method and path of each function of a resource, read from the SDK's own code: `CustomerResource.create`. */
function endpoints(source) {
  const found = new Map()
  let name = ''
  let operation = ''
  for (const line of readFileSync(source, 'utf8').split('\n')) {
    name = /^export class (\w+)/.exec(line)?.[1] ?? name
    operation = /^ {4}(\w+)\(.*\) \{$/.exec(line)?.[1] ?? operation
    const [, method, path] = /_makeRequest\('(\w+)', [`']([^`']+)[`']/.exec(line) ?? []
    if (method) found.set(`${name}.${operation}`, `${method} ${plain(path)}`)
  }
  return found
}

const modules = readdirSync(resources, { recursive: true })
  .filter(name => name.endsWith('.js'))
  .map(name => ({ types: join(resources, name.replace(/js$/, 'd.ts')), endpoints: endpoints(join(resources, name)) }))
  .filter(module => [...module.endpoints.values()].some(endpoint => ours.has(endpoint)))

const program = ts.createProgram(modules.map(module => module.types), {
  strict: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: [],
})
const checker = program.getTypeChecker()

/** The names in an object of parameters, and in the objects inside it; a list's elements count as the list. */
function names(type, path, found) {
  for (const part of type.isUnion() ? type.types : [type]) {
    if (checker.isArrayType(part)) names(checker.getTypeArguments(part)[0], path, found)
    else if (part.flags & ts.TypeFlags.Object && !checker.getIndexInfoOfType(part, ts.IndexKind.String) && !isDecimal(part)) {
      for (const property of checker.getPropertiesOfType(part)) {
        const inside = [...path, property.name]
        found.add(inside.join('.'))
        if (inside.length < DEEPEST && !WHOLE.has(property.name)) names(checker.getTypeOfSymbol(property), inside, found)
      }
    }
  }
  return found
}
const isDecimal = type => [type.aliasSymbol, type.symbol].some(symbol => symbol?.name.startsWith('Decimal'))

const all = new Map()
for (const module of modules) {
  for (const symbol of checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(module.types)))) {
    if (!(symbol.flags & ts.SymbolFlags.Class)) continue
    for (const operation of checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))) {
      const endpoint = ours.get(module.endpoints.get(`${symbol.name}.${operation.name}`))
      if (!endpoint) continue
      for (const signature of checker.getTypeOfSymbol(operation).getCallSignatures()) {
        const params = signature.getParameters().find(parameter => parameter.name === 'params')
        if (params) all.set(endpoint, names(checker.getTypeOfSymbol(params), [], all.get(endpoint) ?? new Set()))
      }
    }
  }
}

const blocks = [...all.keys()].sort().map(endpoint => [endpoint, ...[...all.get(endpoint)].sort()].join('\n'))
const text = `npm stripe ${version}, by ${relative(join(here, '../..'), fileURLToPath(import.meta.url))}\n\n${blocks.join('\n\n')}\n`
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('parameters.txt is not current: run `node shapes/parameters.mjs` and read the diff')
    process.exit(1)
  }
} else {
  writeFileSync(file, text)
  console.log(`${blocks.length} endpoints of npm stripe ${version}`)
}
