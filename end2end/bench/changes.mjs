// What asking and changing costs over the API: previews beside plain reads, and one change of a subscription with one past
// invoice and with a thousand.
const SECONDS = 5
const AT_ONCE = 8
const CHANGES = 15 // of the twenty that a subscription takes a day
const PAST = 1000
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/** Calls `method path` with a form, and answers what it says. */
function caller(origin, key) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-www-form-urlencoded' }
  return async (method, path, form = {}) => {
    const body = method === 'GET' ? undefined : new URLSearchParams(form).toString()
    const answer = await fetch(origin + path, { method, headers, body })
    const said = await answer.json()
    if (!answer.ok) throw new Error(`${method} ${path}: ${said.error.message}`)
    return said
  }
}

/** How many calls a second are answered, some at once. */
async function rate(call) {
  const end = performance.now() + SECONDS * 1000
  let calls = 0
  const one = async () => {
    for (; performance.now() < end; calls++) await call()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return calls / SECONDS
}

async function subscribe(call) {
  const customer = await call('POST', '/v1/customers', { name: 'Ada' })
  const card = await call('POST', '/v1/payment_methods/pm_card_visa/attach', { customer: customer.id })
  await call('POST', `/v1/customers/${customer.id}`, { 'invoice_settings[default_payment_method]': card.id })
  const price = await call('POST', '/v1/prices', { currency: 'eur', unit_amount: 1000, 'recurring[interval]': 'year', 'product_data[name]': 'Seat' })
  return call('POST', '/v1/subscriptions', { customer: customer.id, 'items[0][price]': price.id })
}

/** Finalised and paid invoices of a subscription, made by hand. */
async function past(call, subscription, count) {
  const { customer, id } = subscription
  for (let n = 0; n < count; n++) {
    await call('POST', '/v1/invoiceitems', { customer, subscription: id, amount: 0, currency: 'eur' })
    const invoice = await call('POST', '/v1/invoices', { customer, subscription: id })
    await call('POST', `/v1/invoices/${invoice.id}/finalize`)
  }
}

/** Medians in milliseconds of a change that is prorated, invoiced and paid at once. */
async function change(call, { id, items }) {
  const took = []
  for (let n = 0; n < CHANGES; n++) {
    const form = { 'items[0][id]': items.data[0].id, 'items[0][quantity]': n + 2, proration_behavior: 'always_invoice' }
    const begun = performance.now()
    await call('POST', `/v1/subscriptions/${id}`, form)
    took.push(performance.now() - begun)
  }
  return median(took)
}

/** Reads and previews a second; a change in milliseconds, of a subscription that is young and of one that is old. */
export async function changes(origin, key) {
  const call = caller(origin, key)
  const subscription = await subscribe(call)
  const path = `/v1/subscriptions/${subscription.id}`
  const reads = await rate(() => call('GET', path))
  const form = {
    subscription: subscription.id,
    'subscription_details[items][0][id]': subscription.items.data[0].id,
    'subscription_details[items][0][quantity]': 7,
    'subscription_details[proration_behavior]': 'always_invoice',
  }
  const previews = await rate(() => call('POST', '/v1/invoices/create_preview', form))
  const old = await subscribe(call)
  await past(call, old, PAST)
  const young = await subscribe(call)
  // The one that is not counted warms up.
  await change(call, await subscribe(call))
  return { reads, previews, young: await change(call, young), old: await change(call, old) }
}
