// What the journeys share: npm stripe pointed at the server under test, and every answer held against the SDK's types on
// its way in.
import assert from 'node:assert/strict'
import { afterEach, describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Stripe from 'stripe'
import Stripe17 from 'stripe-v17'
import { problems } from '../shapes/shape.mjs'

export const { PORTICO_URL, PORTICO_KEY } = process.env
assert.ok(PORTICO_URL && PORTICO_KEY, 'PORTICO_URL and PORTICO_KEY say which server to use')
const { protocol, hostname: host, port } = new URL(PORTICO_URL)
/** Where the SDK finds the server. */
export const address = { host, port, protocol: protocol.slice(0, -1) }

// What was wrong with an answer, collected since the SDK would take an exception here for a broken connection.
export const complaints = []
/** The last answer, as it came over the wire. */
export let last

export async function checkedFetch(url, init) {
  const answer = await fetch(url, init)
  const { headers, status } = answer
  const body = await answer.clone().json().catch(() => null)
  const about = `${init.method} ${new URL(url).pathname} (${status})`
  const check = (fine, problem) => { if (!fine) complaints.push(`${about}: ${problem}`) }
  check(/^req_\w+$/.test(headers.get('request-id')), 'no Request-Id')
  check(headers.get('stripe-version') === new Headers(init.headers).get('stripe-version'), 'Stripe-Version is not echoed')
  check(answer.ok === !body?.error, 'an error is what has no 2xx, and has an envelope')
  check(answer.ok || /^(true|false)$/.test(headers.get('stripe-should-retry')), 'no Stripe-Should-Retry')
  for (const problem of problems(body)) check(false, problem)
  last = { headers, status, body }
  return answer
}

export const connect = (Sdk, key = PORTICO_KEY) => new Sdk(key, {
  ...address,
  httpClient: Sdk.createFetchHttpClient(checkedFetch),
  maxNetworkRetries: 0,
  telemetry: false,
})

/** The call is refused, and the error says all of `expected`. */
export async function refused(call, expected) {
  const error = await call.then(() => assert.fail('this was not refused'), error => error)
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(error[name], value, `${name} of: ${error.message}`)
  assert.match(error.requestId, /^req_/)
  return error
}

export async function all(list) {
  const found = []
  for await (const one of list) found.push(one)
  return found
}

export const ids = list => list.map(one => one.id)
let count = 0
export const unique = prefix => `${prefix}-${Date.now().toString(36)}-${process.pid}-${count++}`
export const DAY = 86_400

/** The same journey in each version of the SDK that is held to; it fails for an answer that is not what the SDK promises. */
export function journeys(journey) {
  for (const [name, Sdk] of [['npm stripe 23', Stripe], ['npm stripe 17', Stripe17]]) {
    describe(name, () => {
      afterEach(() => {
        const found = complaints.splice(0)
        assert.deepEqual(found, [], 'what came back is not what the SDK promises')
      })
      journey(Sdk)
    })
  }
}

/** A customer whose default method is one of the test methods. */
export async function customerWith(stripe, method, more = {}) {
  const customer = await stripe.customers.create({ name: 'Maya Lindqvist', ...more })
  const { id } = await stripe.paymentMethods.attach(method, { customer: customer.id })
  return stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: id } })
}

/** Moves a test clock, and waits until everything that was due by then is done. */
export async function advance(stripe, { id }, frozen_time) {
  let clock = await stripe.testHelpers.testClocks.advance(id, { frozen_time })
  assert.deepEqual([clock.status, clock.status_details.advancing.target_frozen_time], ['advancing', frozen_time])
  for (; clock.status === 'advancing'; await sleep(50)) clock = await stripe.testHelpers.testClocks.retrieve(id)
  assert.deepEqual([clock.status, clock.frozen_time], ['ready', frozen_time])
}

/** An answer without what the SDK adds to it. */
export async function plain(answer) {
  return JSON.parse(JSON.stringify(await answer))
}
