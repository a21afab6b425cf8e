// Years of a merchant's customers on test clocks, in npm stripe as it is now and as it was at version 17: renewals, trials,
// scheduled changes, pauses, and what follows a payment that fails.
// usage: PORTICO_URL=http://localhost:3000 PORTICO_KEY=sk_test_… node journeys/time.mjs
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY, advance, all, connect, customerWith, ids, journeys, refused, unique } from './client.mjs'

const date = (year, month, day) => Date.UTC(year, month - 1, day) / 1000
/** The 31st of January 2027, from which months clamp. */
const START = date(2027, 1, 31)
/** The last days of the months from then on. */
const months = count => [...Array(count).keys()].map(n => Date.UTC(2027, n + 1, 0) / 1000)

journeys(Sdk => {
  const stripe = connect(Sdk)

  const price = (unit_amount, interval = 'month') => stripe.prices.create({
    currency: 'usd', unit_amount, recurring: { interval }, product_data: { name: unique('Plan') },
  })
  /** A customer on a clock of their own, who pays with a test method if one is named, and their subscription. */
  const begin = async (plan, { method = 'pm_card_visa', at = START, ...more } = {}) => {
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: at, name: 'Years' })
    const customer = method
      ? await customerWith(stripe, method, { test_clock: clock.id })
      : await stripe.customers.create({ test_clock: clock.id })
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: plan.id }], ...more })
    return { clock, customer, subscription }
  }
  const now = ({ subscription }) => stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] })
  const to = (story, time) => advance(stripe, story.clock, time)
  const invoices = async ({ customer }) => (await all(stripe.invoices.list({ customer: customer.id, limit: 100 }))).reverse()
  const payWith = async ({ customer }, method) => {
    const { id } = await stripe.paymentMethods.attach(method, { customer: customer.id })
    await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: id } })
  }
  const told = async (type, of) => (await all(stripe.events.list({ type, limit: 100 }))).map(event => event.data.object).filter(of).reverse()
  const post = ({ subscription }, path, params = {}) => stripe.rawRequest('POST', `/v1/subscriptions/${subscription.id}${path}`, params)

  test('three years of months from the 31st, each told of a week before', async () => {
    const story = await begin(await price(1900))
    assert.deepEqual([story.subscription.test_clock, story.subscription.created], [story.clock.id, START])
    await to(story, date(2030, 2, 1))
    const made = await invoices(story)
    assert.deepEqual(made.map(one => one.period_start), months(37))
    assert.ok(made.every(one => one.status === 'paid' && one.amount_paid === 1900 && one.test_clock === story.clock.id))
    assert.ok(made.slice(1).every((one, n) => one.created === one.period_start && made[n].period_end === one.period_start))
    const upcoming = await told('invoice.upcoming', one => one.customer === story.customer.id)
    assert.deepEqual(upcoming.map(one => one.next_payment_attempt), months(37).slice(1))
    assert.ok(upcoming.every(one => one.total === 1900 && one.number === null && one.status === 'draft'))
    assert.deepEqual([...new Set(upcoming.map(one => one.billing_reason))], ['upcoming'])
  })

  test('a year from the leap day', async () => {
    const story = await begin(await price(12000, 'year'), { at: date(2028, 2, 29) })
    await to(story, date(2032, 3, 1))
    const starts = (await invoices(story)).map(one => one.period_start)
    assert.deepEqual(starts, [date(2028, 2, 29), date(2029, 2, 28), date(2030, 2, 28), date(2031, 2, 28), date(2032, 2, 29)])
  })

  test('an end at the end of the period, and the end of the clock', async () => {
    const story = await begin(await price(1900))
    await stripe.subscriptions.update(story.subscription.id, { cancel_at_period_end: true })
    await to(story, START + 40 * DAY)
    const ended = await now(story)
    assert.deepEqual([ended.status, ended.ended_at], ['canceled', date(2027, 2, 28)])
    assert.equal((await invoices(story)).length, 1)
    assert.deepEqual(await told('invoice.upcoming', one => one.customer === story.customer.id), [])
    assert.deepEqual(ids((await stripe.customers.list({ test_clock: story.clock.id })).data), [story.customer.id])
    assert.ok(!ids((await stripe.customers.list({ limit: 100 })).data).includes(story.customer.id))
    assert.equal((await stripe.testHelpers.testClocks.del(story.clock.id)).deleted, true)
    assert.equal((await stripe.customers.retrieve(story.customer.id)).deleted, true)
    await refused(stripe.testHelpers.testClocks.retrieve(story.clock.id), { statusCode: 404, code: 'resource_missing' })
  })

  test('a trial converts', async () => {
    const story = await begin(await price(1900), { trial_period_days: 14 })
    assert.deepEqual([story.subscription.status, story.subscription.trial_end], ['trialing', START + 14 * DAY])
    await to(story, START + 11 * DAY - 1)
    const telling = () => told('customer.subscription.trial_will_end', one => one.id === story.subscription.id)
    assert.deepEqual(await telling(), [])
    await to(story, START + 15 * DAY)
    assert.equal((await telling()).length, 1)
    const active = await now(story)
    assert.deepEqual([active.status, active.billing_cycle_anchor], ['active', START + 14 * DAY])
    assert.deepEqual((await invoices(story)).map(one => one.amount_paid), [0, 1900])
  })

  test('a trial without a card ends as it is set', async () => {
    const plan = await price(1900)
    for (const [missing_payment_method, status] of [['cancel', 'canceled'], ['pause', 'paused'], ['create_invoice', 'past_due']]) {
      const trial_settings = { end_behavior: { missing_payment_method } }
      const story = await begin(plan, { method: null, trial_period_days: 14, trial_settings })
      await to(story, START + 15 * DAY)
      assert.equal((await now(story)).status, status, missing_payment_method)
      assert.equal((await invoices(story)).length, status === 'past_due' ? 2 : 1, missing_payment_method)
    }
  })

  test('a downgrade is scheduled, undone, and scheduled again', async () => {
    const [pro, basic] = [await price(3000), await price(1000)]
    const story = await begin(pro)
    const [item] = story.subscription.items.data
    const schedule = () => post(story, '', {
      schedule_at_period_end: true, proration_behavior: 'none', items: [{ id: item.id, price: basic.id }],
    })
    await to(story, START + 10 * DAY)
    const waiting = await schedule()
    assert.deepEqual([waiting.scheduled_change.effective_at, waiting.items.data[0].price.id], [date(2027, 2, 28), pro.id])
    assert.equal((await post(story, '/scheduled_change/cancel')).scheduled_change, null)
    await to(story, date(2027, 3, 10))
    assert.equal((await now(story)).items.data[0].price.id, pro.id, 'what was undone does not happen')
    await schedule()
    await to(story, date(2027, 4, 1))
    const after = await now(story)
    assert.deepEqual([after.items.data[0].price.id, after.items.data[0].id, after.scheduled_change], [basic.id, item.id, null])
    assert.equal(after.billing_cycle_anchor, START)
    assert.deepEqual((await invoices(story)).map(one => one.amount_paid), [3000, 3000, 1000])
  })

  test('a renewal that fails is tried again, and recovers', async () => {
    const story = await begin(await price(1900))
    const [, first] = months(2)
    await payWith(story, 'pm_card_chargeCustomerFail')
    await to(story, first + 3600)
    const behind = await now(story)
    assert.deepEqual([behind.status, behind.latest_invoice.attempt_count], ['past_due', 1])
    assert.equal(behind.latest_invoice.next_payment_attempt, first + DAY)
    await payWith(story, 'pm_card_visa')
    await to(story, first + DAY)
    const paid = await now(story)
    assert.deepEqual([paid.status, paid.latest_invoice.status, paid.latest_invoice.attempt_count], ['active', 'paid', 2])
    assert.deepEqual((await invoices(story)).map(one => one.amount_paid), [1900, 1900])
  })

  test('a renewal that never succeeds ends the subscription', async () => {
    const story = await begin(await price(1900))
    const [, first] = months(2)
    await payWith(story, 'pm_card_chargeCustomerFail')
    await to(story, first + 60 * DAY)
    const ended = await now(story)
    assert.deepEqual([ended.status, ended.ended_at, ended.cancellation_details.reason], ['canceled', first + 14 * DAY, 'payment_failed'])
    assert.deepEqual([ended.latest_invoice.status, ended.latest_invoice.attempt_count], ['open', 8])
    assert.equal((await invoices(story)).length, 2)
  })

  test('or leaves it unpaid, where the merchant wants that', async () => {
    const after = after_last_attempt => stripe.rawRequest('POST', '/v1/portal_settings', { dunning: { after_last_attempt } })
    const story = await begin(await price(1900))
    const [, first, second] = months(3)
    await payWith(story, 'pm_card_chargeCustomerFail')
    await after('unpaid')
    try {
      await to(story, first + 20 * DAY)
    } finally {
      await after('cancel')
    }
    const behind = await now(story)
    assert.deepEqual([behind.status, behind.latest_invoice.attempt_count, behind.ended_at], ['unpaid', 8, null])
    await to(story, second + 20 * DAY)
    const unpaid = await now(story)
    const { status, auto_advance, attempt_count, period_start } = unpaid.latest_invoice
    assert.deepEqual([unpaid.status, status, auto_advance, attempt_count, period_start], ['unpaid', 'draft', false, 0, second])
  })

  test('a pause over the end of the period', async () => {
    const story = await begin(await price(1900))
    const [, first] = months(2)
    const back = first + 45 * DAY
    await post(story, '/pause', { at_period_end: true, resumes_at: back })
    await to(story, back - 1)
    const paused = await now(story)
    assert.deepEqual([paused.status, paused.paused_at, paused.resumes_at], ['paused', first, back])
    assert.equal((await invoices(story)).length, 1, 'nothing is billed while it is paused')
    await to(story, back + DAY)
    const active = await now(story)
    assert.deepEqual([active.status, active.billing_cycle_anchor, active.items.data[0].current_period_start], ['active', back, back])
    assert.deepEqual((await invoices(story)).map(one => [one.period_start, one.amount_paid]), [[START, 1900], [back, 1900]])
  })
})
