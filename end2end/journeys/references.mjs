// The calls that the texts Portico comes from print, by curl and as they are printed: only the hosts, the keys and the
// tokens that they leave open are filled in.
// usage: PORTICO_URL=http://localhost:3000 PORTICO_KEY=sk_test_… node journeys/references.mjs
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import Stripe from 'stripe'
import { PORTICO_KEY, PORTICO_URL, connect, unique } from './client.mjs'

const stripe = connect(Stripe)
const post = (path, params) => stripe.rawRequest('POST', path, params)

/** Runs a shell's command, and answers the status and the body of what curl was told. */
function shell(command, env = {}) {
  const marked = `${command} --silent --show-error --write-out '\\n%{http_code}'`
  const output = execFileSync('sh', ['-c', marked], { env: { ...process.env, ...env }, encoding: 'utf8' })
  const [, body, status] = /^([^]*)\n(\d{3})$/.exec(output)
  return { status: Number(status), body: body && JSON.parse(body) }
}

const session = String.raw`curl --location --request POST "$UniBee_API_Host/merchant/session/customer_portal_url" \
  --header "Authorization: Bearer $UNIBEE_API_KEY" \
  --header 'Content-Type: application/json' \
  --data '{
    "email": "customer@example.com",
    "externalUserId": "your_user_id_123",
    "productId": 1001,
    "planId": 2001,
    "vatCountryCode": "DE",
    "returnUrl": "https://yourdomain.com/portal/success",
    "cancelUrl": "https://yourdomain.com/portal/cancel"
  }'`

test('a portal link for a person whom the backend names', async () => {
  const { data: [known] } = await stripe.rawRequest('GET', '/v1/products?external_id=1001')
  const product = known ?? await post('/v1/products', { name: unique('Printed'), external_id: '1001' })
  if (!(await stripe.rawRequest('GET', '/v1/prices?external_id=2001')).data.length) {
    await post('/v1/prices', { currency: 'usd', unit_amount: 900, recurring: { interval: 'month' }, product: product.id, external_id: '2001' })
  }
  if (!(await stripe.rawRequest('GET', '/v1/customers?external_id=your_user_id_123')).data.length) {
    await post('/v1/customers', { external_id: 'your_user_id_123' })
  }
  const env = { UniBee_API_Host: PORTICO_URL, UNIBEE_API_KEY: PORTICO_KEY }
  const { status, body } = shell(session, env)
  assert.equal(status, 200, JSON.stringify(body))
  const { data, ...rest } = body
  assert.deepEqual(rest, { code: 0, message: '' })
  assert.ok(data.url.startsWith(`${PORTICO_URL}/session/`))
  const nobody = session.replace('your_user_id_123', unique('nobody')).replace('customer@', `${unique('nobody').replace(/\W/g, '')}@`)
  assert.deepEqual(shell(nobody, env), { status: 404, body: { code: 404, message: 'user not found', data: null } })
  assert.equal(shell(session, { ...env, UNIBEE_API_KEY: 'none' }).status, 401)
})

const signedIn = token => String.raw`curl -X POST ${PORTICO_URL}/api/billing/portal \
-H "Authorization: Bearer ${token}" \
-H "Content-Type: application/json" \
-d '{
"returnUrl": "https://app.example.com/dashboard/settings/billing"
}'`

test('a portal link for a user who is signed in elsewhere', async () => {
  const [secret, audience, user] = ['a secret that the sign-in and Portico share', unique('billing'), unique('user')]
  await post('/v1/customers', { external_id: user })
  await post('/v1/portal_issuers', {
    issuer: 'https://id.example.com/', audience, algorithm: 'HS256', secret, return_urls: ['https://app.example.com/dashboard'],
  })
  const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = sub => {
    const now = Math.floor(Date.now() / 1000)
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss: 'https://id.example.com/', aud: audience, sub, exp: now + 60 })}`
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
  }
  const { status, body } = shell(signedIn(token(user)))
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(body.success, true)
  assert.ok(body.data.url.startsWith(`${PORTICO_URL}/session/`))
  assert.deepEqual(shell(signedIn(token('nobody'))), {
    status: 404, body: { success: false, error: { code: 'NOT_FOUND', message: 'No billing customer record found' } },
  })
  assert.deepEqual(shell(signedIn('<session_token>')), {
    status: 401, body: { success: false, error: { code: 'UNAUTHORIZED', message: 'Authentication required' } },
  })
})

test('the configuration as flat fields, and a link that is asked for by mail', async () => {
  const json = `-H 'Content-Type: application/json'`
  const key = `-H 'Authorization: Bearer ${PORTICO_KEY}'`
  const before = shell(`curl ${PORTICO_URL}/customer-portal-config ${key}`)
  assert.equal(before.status, 200)
  const header = unique('Your billing')
  const changed = shell(`curl -X PATCH ${PORTICO_URL}/customer-portal-config ${key} ${json} -d '${JSON.stringify({ portal_header: header })}'`)
  assert.deepEqual(changed, { status: 200, body: { ...before.body, portal_header: header } })
  shell(`curl -X PATCH ${PORTICO_URL}/customer-portal-config ${key} ${json} -d '{"portal_header": null}'`)
  const { id: company_id } = await stripe.accounts.retrieveCurrent()
  for (const destination of ['home', 'payment_methods', 'billing_information']) {
    const asked = JSON.stringify({ email: 'customer@example.com', company_id, destination })
    const answer = shell(`curl -X POST ${PORTICO_URL}/customer-portal/access/request-link ${json} -d '${asked}'`)
    assert.deepEqual(answer, { status: 202, body: {} })
  }
  const used = shell(`curl -X POST ${PORTICO_URL}/customer-portal/access/consume ${json} -d '{"token": "unknown"}'`)
  assert.deepEqual([used.status, used.body.error.code], [400, 'invalid_token'])
  assert.equal(shell(`curl -X POST ${PORTICO_URL}/customer-portal/access/sign-out`).status, 204)
})
