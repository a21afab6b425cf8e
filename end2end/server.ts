// Runs the built program, on free ports and an empty folder with the demo merchant in it, for as long as the tests run.
// With PORTICO_URL (and PORTICO_DEMO, what `portico demo --json` printed) set, the tests use that server instead.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const program = resolve(__dirname, '../target/release/portico')

/** What `portico demo --json` prints; `customers` maps a state ("active", "past_due", …) to an id. */
export interface Demo {
  merchant: string
  secret_key: string
  customers: Record<string, string>
}

/** For specs: the demo merchant of the server under test. */
export const demo = (): Demo => JSON.parse(process.env.PORTICO_DEMO ?? '{}')

/** For specs: the folder in which the server runs; its mails are in `data/mail/`. */
export const folder = (): string => process.env.PORTICO_TEST_FOLDER ?? ''

export default async function start() {
  if (process.env.PORTICO_URL) return
  const { url, demo, cwd, stop } = await serve('portico')
  Object.assign(process.env, { PORTICO_URL: url, PORTICO_DEMO: demo, PORTICO_TEST_FOLDER: cwd })
  return stop
}

/** A server with a demo merchant of its own, whose log is `test-results/NAME.log`; `settings` come before the usual ones. */
export async function serve(name: string, settings: Record<string, string> = {}) {
  if (!existsSync(program)) throw new Error('target/release/portico is missing: run `make build`')

  const cwd = mkdtempSync(join(tmpdir(), 'portico-end2end-'))
  const logFile = resolve(__dirname, `test-results/${name}.log`)
  const [portal, fields] = await freePorts(2)
  const url = `http://localhost:${portal}`
  const env = {
    ...withoutOurs(process.env),
    PORTICO_DATABASE_URL: `sqlite://${cwd}/portico.db`,
    PORTICO_ADDR: `127.0.0.1:${portal}`,
    PORTICO_PUBLIC_URL: url,
    PORTICO_ALLOW_PRIVATE_WEBHOOKS: 'true',
    PORTICO_FIELDS_ADDR: `127.0.0.1:${fields}`,
    ...settings,
    // All specs are one client.
    PORTICO_LOGIN_CLIENT_LIMIT: '10000/60',
    PORTICO_LOGIN_ADDRESS_LIMIT: '1000/60',
    PORTICO_LOGIN_TRY_LIMIT: '10000/60',
  }
  const demo = execFileSync(program, ['demo', '--json'], { cwd, env, encoding: 'utf8' })

  mkdirSync(resolve(logFile, '..'), { recursive: true })
  const log = openSync(logFile, 'w')
  const server = spawn(program, ['serve'], { cwd, env, stdio: ['ignore', log, log] })
  closeSync(log)
  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null) {
      const exited = once(server, 'exit')
      server.kill('SIGTERM')
      await Promise.race([exited, sleep(10_000, null, { ref: false }).then(() => server.kill('SIGKILL'))])
    }
    rmSync(cwd, { recursive: true, force: true })
  }
  for (const end = Date.now() + 30_000; !(await isReady(url)); await sleep(50)) {
    if (server.exitCode === null && server.signalCode === null && Date.now() < end) continue
    await stop()
    throw new Error(`portico serve did not become ready:\n${readFileSync(logFile, 'utf8').slice(-4000)}`)
  }

  return { url, demo, cwd, stop }
}

// The program refuses settings that it does not know, so what is meant for the tests must not reach it.
const withoutOurs = (env: NodeJS.ProcessEnv) => Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('PORTICO_')))

const isReady = (url: string) => fetch(`${url}/readyz`).then(answer => answer.ok, () => false)

async function freePorts(count: number) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => once(server, 'listening')))
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(server => once(server.close(), 'close')))
  return ports
}
