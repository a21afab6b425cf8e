// A merchant's receiver of webhooks in Node: every delivery verified by npm stripe, as it is now and as it was at version 17,
// and by npm standardwebhooks, with one secret; also after that was rotated.
// usage: PORTICO_URL=http://localhost:3000 PORTICO_KEY=sk_test_… node journeys/webhooks.mjs
// The server must run with PORTICO_ALLOW_PRIVATE_WEBHOOKS=true.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import Stripe from 'stripe'
import Stripe17 from 'stripe-v17'
import { connect, unique } from './client.mjs'

const MANY = process.env.PORTICO_TEST_SCALE === 'release' ? 10_000 : 300
const stripe = connect(Stripe)

/** A receiver that keeps what it was sent, and answers as `answer` says. */
async function receiver(answer = () => 200) {
  const sent = []
  const server = createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const delivery = { headers: request.headers, body: Buffer.concat(chunks) }
    sent.push(delivery)
    response.writeHead(answer(delivery)).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${server.address().port}/hooks`, sent, close: () => server.close() }
}

/** What each library makes of a delivery; throws what it throws. */
const readers = [
  ({ headers, body }, secret) => Stripe.webhooks.constructEvent(body, headers['stripe-signature'], secret),
  ({ headers, body }, secret) => Stripe17.webhooks.constructEvent(body, headers['stripe-signature'], secret),
  ({ headers, body }, secret) => new Webhook(secret).verify(body.toString(), headers),
]
const read = (delivery, secret) => {
  const [event, ...others] = readers.map(reader => reader(delivery, secret))
  for (const other of others) assert.deepEqual(JSON.parse(JSON.stringify(other)), JSON.parse(JSON.stringify(event)))
  return event
}
const isRefused = (delivery, secret) => readers.every(reader => {
  try {
    reader(delivery, secret)
    return false
  } catch {
    return true
  }
})

async function until(isSo) {
  for (const end = Date.now() + 600_000; !isSo(); await sleep(50)) assert.ok(Date.now() < end, 'it did not come')
}

const names = ['Zoë', '名前', 'שלום', '😀 "quoted" \\ / \u2028', '<b>&amp;</b>', '1.10', 'a'.repeat(200)]

test(`${MANY} deliveries, each verified by every library`, { timeout: 900_000 }, async () => {
  const { url, sent, close } = await receiver()
  const endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: ['customer.created'] })
  const made = []
  while (made.length < MANY) {
    const batch = Array.from({ length: Math.min(20, MANY - made.length) }, (_, n) => stripe.customers.create({
      name: names[(made.length + n) % names.length], metadata: { n: String(made.length + n), price: '1.10' },
    }))
    made.push(...(await Promise.all(batch)).map(customer => customer.id))
  }
  const seen = new Map()
  let verified = 0
  await until(() => {
    for (; verified < sent.length; verified++) {
      const event = read(sent[verified], endpoint.secret)
      assert.equal(event.id, sent[verified].headers['webhook-id'])
      seen.set(event.data.object.id, event)
    }
    return made.every(id => seen.has(id))
  })
  const event = seen.get(made[0])
  assert.deepEqual([event.object, event.type, event.data.object.name, event.sequence], ['event', 'customer.created', names[0], 1])
  const [first] = sent
  for (let bit = 0; bit < first.body.length * 8; bit++) {
    const body = Buffer.from(first.body)
    body[bit >> 3] ^= 1 << (bit & 7)
    assert.ok(isRefused({ ...first, body }, endpoint.secret), `bit ${bit} of the body`)
  }
  for (const name of ['stripe-signature', 'webhook-signature']) {
    const forged = first.headers[name].replace(/[0-9a-f](?=[^0-9a-f]*$)/i, digit => digit === '0' ? '1' : '0')
    const others = { ...first.headers, 'stripe-signature': 't=1,v1=0', 'webhook-signature': 'v1,AA==', [name]: forged }
    assert.ok(isRefused({ ...first, headers: others }, endpoint.secret), name)
  }
  await stripe.webhookEndpoints.del(endpoint.id)
  close()
})

test('what fails comes again under its id, and both secrets are right after a rotation', { timeout: 120_000 }, async () => {
  let failures = 1
  const { url, sent, close } = await receiver(() => failures-- > 0 ? 500 : 200)
  const endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: ['product.created'] })
  const name = unique('Rotated')
  await stripe.products.create({ name })
  const mine = () => sent.filter(({ body }) => body.includes(name))
  await until(() => mine().length === 1)
  const { secret } = await stripe.rawRequest('POST', `/v1/webhook_endpoints/${endpoint.id}/rotate_secret`)
  assert.notEqual(secret, endpoint.secret)
  await until(() => mine().length === 2)
  const [before, after] = mine()
  assert.equal(before.headers['webhook-id'], after.headers['webhook-id'])
  assert.deepEqual(before.body, after.body)
  assert.ok(read(before, endpoint.secret) && isRefused(before, secret))
  for (const either of [secret, endpoint.secret]) assert.equal(read(after, either).data.object.name, name)
  const log = await stripe.rawRequest('GET', `/v1/webhook_deliveries?webhook_endpoint=${endpoint.id}&status=delivered`)
  assert.ok(log.data.some(delivery => delivery.attempts === 2 && delivery.last_response_code === 200))
  await stripe.webhookEndpoints.del(endpoint.id)
  close()
})
