// The hosted fields in the browser: figures in groups, what is wrong said at its field, and a reference handed to the
// portal that frames this page, or taken back to it. Without this script the form is sent as any other.
const form = document.querySelector('form')
const portal = form.dataset.portal
const isFramed = window.parent !== window
const tell = (said) => isFramed && window.parent.postMessage(JSON.stringify({ portico: 'fields', ...said }), portal)
const field = (name) => form.elements.namedItem(name)
const figures = (text) => text.normalize('NFKC').replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (c) => String(c.charCodeAt(0) & 15)).replace(/\D/g, '')

if (isFramed) document.documentElement.classList.add('framed')
const EDGE = 16
new ResizeObserver(() => tell({ height: Math.ceil(form.getBoundingClientRect().height) + EDGE })).observe(form)

const BRANDS = [
  ['American Express', /^3[47]/], ['Visa', /^4/], ['Mastercard', /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/],
  ['Discover', /^(6011|64[4-9]|65)/], ['Diners Club', /^(36|30[0-5]|38|39)/], ['JCB', /^35/], ['UnionPay', /^62/],
]
const brandOf = (number) => BRANDS.find(([, begins]) => begins.test(number))?.[0] ?? ''
const isAmex = (number) => /^3[47]/.test(number)
const luhn = (number) =>
  [...number].reverse().reduce((sum, figure, n) => sum + (n % 2 ? [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][figure] : Number(figure)), 0) % 10 === 0
const mod97 = (iban) =>
  [...iban.slice(4), ...iban.slice(0, 4)].reduce((rest, c) => { const v = parseInt(c, 36); return (rest * (v < 10 ? 10 : 100) + v) % 97 }, 0) === 1

const SHAPES = {
  number: (text) => {
    const number = figures(text).slice(0, 19)
    return (isAmex(number) ? [number.slice(0, 4), number.slice(4, 10), number.slice(10, 15)] : number.match(/.{1,4}/g) ?? []).filter(Boolean).join(' ')
  },
  expiry: (text, isErasing) => {
    let all = figures(text)
    if (/^[2-9]/.test(all)) all = '0' + all
    if (all.length > 4 && !/^..20/.test(all)) all = all.slice(0, 4)
    if (all.length < 2 || (all.length === 2 && isErasing)) return all
    return `${all.slice(0, 2)} / ${all.slice(2, 6)}`
  },
  cvc: (text) => figures(text).slice(0, 4),
  iban: (text) => text.toUpperCase().replace(/[^A-Z0-9]/g, '').slice(0, 34).replace(/(.{4})(?=.)/g, '$1 '),
  routing: (text) => figures(text).slice(0, 9),
  account: (text) => figures(text).slice(0, 17),
}
const CHECKS = {
  number: (text) => { const number = figures(text); return number.length >= 12 && luhn(number) },
  expiry: (text) => {
    const all = figures(text), month = Number(all.slice(0, 2)), year = Number(all.slice(2).padStart(4, '20')), now = new Date()
    if (!(all.length === 4 || all.length === 6) || month < 1 || month > 12) return false
    return year * 12 + month >= now.getFullYear() * 12 + now.getMonth() + 1 || 'over'
  },
  cvc: (text) => figures(text).length === (isAmex(figures(field('number').value)) ? 4 : 3),
  iban: (text) => { const iban = text.replace(/\s/g, ''); return /^[A-Z]{2}\d\d[A-Z0-9]{11,30}$/.test(iban) && mod97(iban) },
  routing: (text) => /^\d{9}$/.test(text) && [...text].reduce((sum, figure, n) => sum + figure * [3, 7, 1][n % 3], 0) % 10 === 0,
  account: (text) => text.length >= 4,
  phone: (text) => text.trim().startsWith('+') && figures(text).length >= 8,
  name: (text) => text.trim() !== '',
}

function say(name, text) {
  const input = field(name), place = document.getElementById(`${name}-problem`)
  if (!place) return
  if (place.textContent !== text) place.textContent = text
  if (text) input?.setAttribute('aria-invalid', 'true')
  else input?.removeAttribute('aria-invalid')
}

function isRight(input) {
  const check = CHECKS[input.name]
  const found = input.type === 'checkbox' ? !input.required || input.checked : check ? check(input.value) : true
  say(input.name, found === true ? '' : found === 'over' ? input.dataset.over : input.dataset.wrong)
  return found === true
}

for (const input of form.querySelectorAll('input, select')) {
  input.addEventListener('input', (event) => {
    const shape = SHAPES[input.name]
    if (shape) {
      // The caret stays behind the same figure, whatever is put between them.
      const before = figuresOf(input.value.slice(0, input.selectionStart)), atEnd = input.selectionStart === input.value.length
      input.value = shape(input.value, event.inputType?.startsWith('delete'))
      const at = atEnd ? input.value.length : placeOf(input.value, before)
      input.setSelectionRange(at, at)
    }
    if (input.name === 'number') document.getElementById('brand').textContent = brandOf(figures(input.value))
    if (input.getAttribute('aria-invalid')) isRight(input)
  })
  input.addEventListener('change', () => { if (input.value || input.type === 'checkbox') isRight(input) })
}
const figuresOf = (text) => text.replace(/[^0-9A-Za-z]/g, '').length
function placeOf(text, count) {
  let at = 0
  while (at < text.length && count > 0) if (/[0-9A-Za-z]/.test(text[at++])) count--
  return at
}

const button = form.querySelector('button')
form.noValidate = true
form.addEventListener('submit', async (event) => {
  event.preventDefault()
  if (button.disabled) return
  const wrong = [...form.querySelectorAll('input, select')].filter((input) => !isRight(input))
  if (wrong.length) return wrong[0].focus()
  button.disabled = true
  say('form', '')
  try {
    const answer = await fetch(location.href, {
      method: 'POST', body: new URLSearchParams(new FormData(form)), headers: { accept: 'application/json' }, credentials: 'omit', referrerPolicy: 'strict-origin',
    })
    if (!answer.headers.get('content-type')?.startsWith('application/json')) return location.reload()
    const { reference, problems } = await answer.json()
    if (reference) return hand(reference)
    for (const { field, text } of problems) say(field, text)
    field(problems[0].field)?.focus?.()
  } catch {
    say('form', form.dataset.again)
  }
  button.disabled = false
})

function hand(reference) {
  for (const input of form.querySelectorAll('input:not([type=checkbox])')) input.value = ''
  if (isFramed) return tell({ reference })
  const to = new URL(form.dataset.then, portal)
  to.searchParams.set('reference', reference)
  location.replace(to)
}
