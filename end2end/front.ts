// What an operator has around a server of its own: a front that ends TLS, and a name server that says what it is told.
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Ends TLS for any name, with a certificate that nobody trusts; `to` says later which port of this machine is behind it. */
export async function front() {
  const folder = mkdtempSync(join(tmpdir(), 'portico-front-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test', '-keyout', key, '-out', cert,
  ], { stdio: 'ignore' })
  let port = 0
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (asked, answer) => {
    const onward = request({ host: '127.0.0.1', port, method: asked.method, path: asked.url, headers: asked.headers }, back => {
      answer.writeHead(back.statusCode ?? 502, back.rawHeaders)
      back.pipe(answer)
    })
    onward.on('error', () => answer.writeHead(502).end())
    asked.pipe(onward)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  rmSync(folder, { recursive: true })
  return { port: (server.address() as AddressInfo).port, to: (behind: number) => { port = behind }, stop: () => void server.close() }
}

export interface DnsRecord { name: string, type: 'CNAME' | 'TXT', value: string }

/** Answers for the records that were put into it, and of nothing else (RFC 1035, 4.1). */
export async function nameServer() {
  const records: DnsRecord[] = []
  const text = (value: string) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)])
  const socket = createSocket('udp4', (asked, from) => {
    const labels: string[] = []
    let at = 12
    for (; asked[at] > 0; at += asked[at] + 1) labels.push(asked.toString('latin1', at + 1, at + 1 + asked[at]).toLowerCase())
    const kind = asked.readUInt16BE(at + 1)
    const found = records.find(record => record.name === labels.join('.') && (record.type === 'CNAME' ? 5 : 16) === kind)
    const head = Buffer.from([asked[0], asked[1], 0x81, found ? 0x80 : 0x83, 0, 1, 0, found ? 1 : 0, 0, 0, 0, 0])
    const parts = [head, asked.subarray(12, at + 5)]
    if (found) {
      const data = kind === 5 ? Buffer.concat([...found.value.split('.').map(text), Buffer.of(0)]) : text(found.value)
      parts.push(Buffer.from([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, data.length]), data)
    }
    socket.send(Buffer.concat(parts), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { address: `127.0.0.1:${socket.address().port}`, put: (record: DnsRecord) => void records.push(record), stop: () => void socket.close() }
}
