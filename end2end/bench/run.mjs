// Measures the built program: bytes, speed beside a bare axum page that runs the same queries, memory, the edit-build loop.
// Figures with a limit fail the run when they are beyond it.
import { execFileSync } from 'node:child_process'
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'

import { changes } from './changes.mjs'
import { scale } from './scale.mjs'
import { measure } from './speed.mjs'
import { installation, isBeyond, load, memory, portico, program, report, root, signIn, start, stop, target } from './stand.mjs'

const [port, barePort] = [4310, 4311]
const here = installation(port)
const { env, host } = here

// Node's fetch hides how many bytes came; ask for brotli by hand.
function get(path, cookie) {
  const out = execFileSync('curl', ['-s', '-H', 'accept-encoding: br', '-H', 'accept: text/html', '-H', `cookie: ${cookie}`, '-H', 'sec-fetch-site: none', `http://${host}${path}`], { maxBuffer: 1 << 26 })
  return out
}

const build = () => execFileSync('cargo', ['build', '-q', '--workspace', '--bin', 'portico'], { cwd: root, env: { ...env, CARGO_TARGET_DIR: target }, stdio: 'inherit' })

function buildLoop(file, label) {
  build()
  const now = new Date()
  utimesSync(join(root, file), now, now)
  const begun = process.hrtime.bigint()
  build()
  report(`edit-build loop, ${label}`, Number(process.hrtime.bigint() - begun) / 1e9, 's', 60)
}

{
  const demo = JSON.parse(portico(here, 'demo', '--json'))
  execFileSync('cargo', ['build', '-q', '--release', '-p', 'server', '--example', 'bare'], { cwd: root, env: { ...env, CARGO_TARGET_DIR: target }, stdio: 'inherit' })
  const served = await start(here, program, ['serve'], `http://${host}/readyz`)
  const cookie = signIn(demo.portal_url)

  const html = get('/', cookie)
  const text = brotliDecompressSync(html).toString()
  const assets = [...new Set([...text.matchAll(/(?:href|src)="?(\/(?:pkg\/[^" >]+|favicon[^" >]+))"?/g)].map((m) => m[1]))]
  const bytes = Object.fromEntries(assets.map((path) => [path, get(path, cookie).length]))
  if (!assets.some((path) => path.endsWith('.wasm'))) throw new Error('the overview names no WASM')
  report('overview, everything, brotli', html.length + Object.values(bytes).reduce((a, b) => a + b, 0), 'bytes', 240_000)
  report('  its document', html.length, 'bytes')
  for (const path of assets) report(`  ${path.replace(/\.[0-9a-f]{6,}\./, '.')}`, bytes[path], 'bytes')
  // One file of code serves all pages: what a further page costs is its document, or the data of its view.
  const [subscription] = /\/subscriptions\/sub_\w+/.exec(text) ?? []
  for (const path of ['/invoices', subscription, `${subscription}/cancel`]) {
    report(`  a further page, ${path.replace(/sub_\w+/, '{id}')}`, get(path, cookie).length, 'bytes')
  }

  report('memory, idle', memory(served), 'MiB')
  const speed = await measure(`http://${host}/`, cookie)
  report('overview on a slow phone, first paint', Math.round(speed.first), 'ms', 700)
  report('  largest paint', Math.round(speed.largest), 'ms', 700)
  report('  hydrated', Math.round(speed.hydrated), 'ms', 2200)
  report('  blocking time', Math.round(speed.blocking), 'ms', 100)
  report('  layout shift', speed.shift, '', 0.01)
  const page = load(`http://${host}/`, cookie)
  report('memory, after load', memory(served), 'MiB')
  const asked = await changes(`http://${host}`, demo.secret_key)
  await stop(served)
  const bare = await start(here, join(target, 'release/examples/bare'), [`127.0.0.1:${barePort}`, env.PORTICO_DATABASE_URL, host, String(text.length)], `http://127.0.0.1:${barePort}/`)
  const baseline = load(`http://127.0.0.1:${barePort}/`, cookie)
  await stop(bare)
  report('overview, rendered', Math.round(page.rate), 'a second')
  report('bare axum page, same queries and size', Math.round(baseline.rate), 'a second')
  report('  times slower', baseline.rate / page.rate, '', 6)
  report('overview, p99 at 64 connections', page.p99, 'ms')
  report('bare axum page, p99', baseline.p99, 'ms')
  report('  times slower', page.p99 / baseline.p99, '')
  report('previews of a change', Math.round(asked.previews), 'a second')
  report('reading the subscription', Math.round(asked.reads), 'a second')
  report('  times slower', asked.reads / asked.previews, '')
  report('a change with one past invoice', asked.young, 'ms')
  report('a change with a thousand', asked.old, 'ms')
  report('  times slower', asked.old / asked.young, '', 2)

  buildLoop('app/src/pages/overview.rs', 'a page')
  buildLoop('billing/src/lib.rs', 'the books')

  await scale()
}
process.exitCode = isBeyond() ? 1 : 0
