// Makes `target/site`, the folder that the program carries: the front end and the style sheet under names that change
// with their contents (so browsers may keep them for ever), the public files, and each text compressed once, as well
// as it can be. Does nothing when nothing that it reads has changed, so that the server is not built again in vain.
//
// usage: node build/assets.mjs [--quick]     (quick: neither small nor compressed)

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants as zlib, gzip } from 'node:zlib'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '..')
const quick = process.argv[2] === '--quick'
const front = join(root, 'target/wasm')
const site = join(root, 'target/site')
const styleSheet = join(root, 'style/main.css')
const publicFiles = join(root, 'public')

const NAME = 'portico'

// The API reference is Swagger UI with a start of ours, and is carried like everything else: no page asks another server.
const swagger = join(here, 'node_modules/swagger-ui-dist')
const reference = {
  js: [join(swagger, 'swagger-ui-bundle.js'), join(here, 'reference.js')],
  css: [join(swagger, 'swagger-ui.css')],
}

// What rustc's wasm32 target may emit: named here, since a stripped module no longer says so itself.
const WASM_FEATURES = ['bulk-memory', 'bulk-memory-opt', 'multivalue', 'mutable-globals', 'nontrapping-float-to-int',
  'reference-types', 'sign-ext']

// The first versions with oklch() and color-mix(); what is younger (nesting, light-dark()) is rewritten for them. Since
// light-dark() becomes variables that go with each `color-scheme` seen here, only the style sheet may set that property.
const BROWSERS = { chrome: 111 << 16, edge: 111 << 16, firefox: 113 << 16, safari: (16 << 16) | (4 << 8), ios_saf: (16 << 16) | (4 << 8) }

const COMPRESSIBLE = new Set(['.css', '.html', '.ico', '.js', '.json', '.mjs', '.svg', '.txt', '.wasm', '.webmanifest', '.xml'])

const stop = message => { console.error(`assets: ${message}`); process.exit(1) }
const hashOf = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')
const filesIn = folder => !existsSync(folder) ? [] : readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile()).map(entry => join(entry.parentPath ?? entry.path, entry.name)).sort()

const glue = join(front, `${NAME}.js`)
const whole = join(front, `${NAME}_bg.wasm`)
const referenceFiles = Object.values(reference).flat()
for (const needed of [glue, whole, styleSheet, ...referenceFiles]) if (!existsSync(needed)) stop(`${relative(root, needed)} is missing`)
if (existsSync(join(front, 'snippets'))) stop('a dependency of app brings its own JavaScript (snippets); teach this script to carry it')

const frontFiles = filesIn(front).filter(file => ['.js', '.wasm'].includes(extname(file)))
const inputs = [...frontFiles, ...filesIn(dirname(styleSheet)), ...filesIn(publicFiles), ...referenceFiles, fileURLToPath(import.meta.url),
  join(here, 'package-lock.json')]
const fingerprint = hashOf(String(quick), ...inputs.flatMap(file => [relative(root, file), readFileSync(file)]))
const made = join(site, 'manifest.json')
if (existsSync(made) && JSON.parse(readFileSync(made)).inputs === fingerprint) process.exit(0)
console.log('assets: optimizing and compressing the site')

const next = `${site}.next`
rmSync(next, { recursive: true, force: true })
const put = (path, bytes) => { mkdirSync(dirname(join(next, path)), { recursive: true }); writeFileSync(join(next, path), bytes); return path }
const putHashed = (extension, bytes, name = NAME) => put(`pkg/${name}.${hashOf(bytes).slice(0, 8)}${extension}`, bytes)

for (const file of filesIn(publicFiles)) {
  const path = relative(publicFiles, file)
  if (path === 'manifest.json' || path.startsWith('pkg/')) stop(`public/${path} takes a name that the build uses itself`)
  put(path, readFileSync(file))
}
// The files of the front end name each other, so they share a folder whose name is the hash of them all.
const files = frontFiles.map(file => [basename(file), extname(file) === '.wasm' && !quick ? optimizedWasm(file) : readFileSync(file)])
const folder = `pkg/${hashOf(...files.flat()).slice(0, 8)}`
for (const [name, bytes] of files) put(`${folder}/${name}`, bytes)
const [js, split, wasm] = [`${folder}/${NAME}.js`, `${folder}/__wasm_split.js`, `${folder}/${NAME}_bg.wasm`]
const css = putHashed('.css', await bundledStyle())
// Their maps are not carried, so nothing points at them.
const joined = parts => parts.map(file => readFileSync(file, 'utf8')).join('\n').replace(/^\/[/*]# sourceMappingURL=.*$/gm, '')
const ofReference = Object.fromEntries(Object.entries(reference).map(([kind, files]) => [kind, putHashed(`.${kind}`, joined(files), 'reference')]))

const sizes = await Promise.all(filesIn(next).filter(file => !quick && COMPRESSIBLE.has(extname(file))).map(compress))
// Written last and uncompressed: the server's to read, not the browser's. Paths are relative to the site.
put('manifest.json', JSON.stringify({ js, split, wasm, css, reference: ofReference, inputs: fingerprint }, null, 2) + '\n')
rmSync(site, { recursive: true, force: true })
renameSync(next, site)
for (const { path, text } of sizes.filter(size => size.path.startsWith('pkg/'))) console.log(`assets: ${path}  ${text}`)

// The slowest step by far, so its result is kept for as long as the module stays the same.
function optimizedWasm(file) {
  const tool = join(here, 'node_modules/binaryen/bin/wasm-opt')
  const options = ['-Oz', ...WASM_FEATURES.map(feature => `--enable-${feature}`), '--strip-debug', '--strip-producers', '--strip-target-features']
  const kept = `${front}.optimized`
  const out = join(kept, `${basename(file, '.wasm')}.${hashOf(readFileSync(file), ...options, readFileSync(join(here, 'package-lock.json')))}.wasm`)
  if (!existsSync(out)) {
    for (const old of filesIn(kept).filter(old => basename(old).startsWith(`${basename(file, '.wasm')}.`))) rmSync(old)
    mkdirSync(kept, { recursive: true })
    execFileSync(process.execPath, [tool, ...options, file, '-o', `${out}.next`], { stdio: ['ignore', 'inherit', 'inherit'] })
    renameSync(`${out}.next`, out)
  }
  return readFileSync(out)
}

async function bundledStyle() {
  const { bundle } = await import('lightningcss')
  try {
    const { code, warnings } = bundle({ filename: styleSheet, minify: true, targets: BROWSERS })
    for (const { message, loc } of warnings) console.warn(`assets: ${relative(root, loc.filename)}:${loc.line}: ${message}`)
    return code
  } catch (error) {
    stop(`${relative(root, error.fileName ?? styleSheet)}:${error.loc?.line ?? 0}: ${error.message}`)
  }
}

// A sibling that is not smaller would only cost the browser work.
async function compress(file) {
  const bytes = readFileSync(file)
  const params = { [zlib.BROTLI_PARAM_QUALITY]: 11, [zlib.BROTLI_PARAM_LGWIN]: 24, [zlib.BROTLI_PARAM_SIZE_HINT]: bytes.length }
  const [br, gz] = await Promise.all([promisify(brotliCompress)(bytes, { params }), promisify(gzip)(bytes, { level: 9 })])
  for (const [ending, packed] of [['.br', br], ['.gz', gz]]) if (packed.length < bytes.length) writeFileSync(file + ending, packed)
  return { path: relative(next, file), text: `${bytes.length} bytes, gzip ${gz.length}, brotli ${br.length}` }
}
