// Derives the names of Stripe's parameters, for the endpoints that Portico has, from the types of npm `stripe`, so that the
// API can tell what is not supported from what does not exist. Writes server/src/api/parameters.txt, which is committed.
// usage: node shapes/parameters.mjs [--check]     with --check, fails if the file is not what would be written
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import { endpoints, plain, resourcesThat, version } from './sdk.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const api = join(here, '../../server/src/api')
const file = join(api, 'parameters.txt')

// A parameter that nobody reads is refused by its own name, so what is inside it needs no names.
const DEEPEST = 4

const ours = new Map()
for (const [, method, path] of readFileSync(join(api, 'mod.rs'), 'utf8').matchAll(/^ {4}(GET|POST|DELETE) +"(\/v1\/[^"]*)" =>/gm)) {
  ours.set(`${method} ${plain(path)}`, `${method} ${path}`)
}

const blocks = []
for (const [endpoint, { params }] of endpoints(resourcesThat(call => ours.has(call)))) {
  const names = [...params].filter(name => name.split('.').length <= DEEPEST)
  if (ours.has(endpoint)) blocks.push([ours.get(endpoint), ...names.sort()].join('\n'))
}
const text = `npm stripe ${version}, by ${relative(join(here, '../..'), fileURLToPath(import.meta.url))}\n\n${blocks.sort().join('\n\n')}\n`
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('parameters.txt is not current: run `node shapes/parameters.mjs` and read the diff')
    process.exit(1)
  }
} else {
  writeFileSync(file, text)
  console.log(`${blocks.length} endpoints of npm stripe ${version}`)
}
