"""Custom domains as an operator has them: the Caddyfile of docs/deploy in front of the built program, a certificate authority
(Pebble) that is asked for a certificate when a proven name is first visited, and never for any other.

usage: python3 end2end/tls/run.py        (apt install caddy pebble openssl; PORTICO_PROGRAM names another program)
"""
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get('PORTICO_PROGRAM', str(ROOT / 'target/release/portico'))
PUBLIC, PROVEN, CLAIMED, UNKNOWN = 'billing.example.com', 'billing.shop.test', 'billing.other.test', 'evil.test'


def free_port():
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


APP, HTTPS, HTTP, DNS, MANAGEMENT, ACME, ROOTS = (free_port() for _ in range(7))


def check(condition, message):
    if not condition:
        raise AssertionError(message)
    print('ok  ', message)


def waited(what, ready, seconds=30):
    end = time.monotonic() + seconds
    while True:
        try:
            return ready()
        except (OSError, ssl.SSLError, http.client.HTTPException) as error:
            if time.monotonic() > end:
                raise AssertionError(f'not within {seconds} s: {what} ({error})') from error
            time.sleep(0.1)


def beside(environment):
    """What the program is to see: it refuses settings that it does not know, and ours are none of its."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith('PORTICO_')}, **environment}


def start(folder, name, command, **environment):
    log = open(folder / f'{name}.log', 'wb')
    return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=beside(environment))


def own_certificate(folder):
    """For the authority's own door."""
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext',
         'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', folder / 'key.pem', '-out', folder / 'cert.pem'],
        check=True, capture_output=True)


def authority(folder):
    own_certificate(folder)
    config = {'pebble': {
        'listenAddress': f'127.0.0.1:{ACME}', 'managementListenAddress': f'127.0.0.1:{ROOTS}', 'certificate': str(folder / 'cert.pem'),
        'privateKey': str(folder / 'key.pem'), 'httpPort': HTTP, 'tlsPort': HTTPS, 'ocspResponderURL': '',
    }}
    (folder / 'pebble.json').write_text(json.dumps(config))
    nothing = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', '']
    yield start(folder, 'dns', ['pebble-challtestsrv', '-dns01', f'127.0.0.1:{DNS}', '-management', f'127.0.0.1:{MANAGEMENT}', *nothing])
    yield start(folder, 'pebble', ['pebble', '-config', 'pebble.json', '-dnsserver', f'127.0.0.1:{DNS}'], PEBBLE_VA_NOSLEEP='1',
                PEBBLE_WFE_NONCEREJECT='0')


def front(folder):
    """The example as it is, on ports that nobody else has, with another authority."""
    text = (ROOT / 'docs/deploy/Caddyfile').read_text().replace('127.0.0.1:3000', f'127.0.0.1:{APP}')
    ours = f'''
    admin off
    https_port {HTTPS}
    http_port {HTTP}
    acme_ca https://localhost:{ACME}/dir
    acme_ca_root {folder}/cert.pem
    storage file_system {folder}/caddy
'''
    text = re.sub(r'^\{\n', lambda _: '{' + ours, text, count=1, flags=re.M)
    (folder / 'Caddyfile').write_text(text)
    return start(folder, 'caddy', ['caddy', 'run', '--config', 'Caddyfile', '--adapter', 'caddyfile'], HOME=str(folder))


def program(folder):
    settings = {
        'PORTICO_DATABASE_URL': f'sqlite://{folder}/portico.db', 'PORTICO_ADDR': f'127.0.0.1:{APP}',
        'PORTICO_PUBLIC_URL': f'https://{PUBLIC}:{HTTPS}', 'PORTICO_TRUSTED_PROXIES': '127.0.0.1/32',
        'PORTICO_DNS_SERVER': f'127.0.0.1:{DNS}',
    }
    made = subprocess.run([PROGRAM, 'merchant', 'create', '--name', 'Acme'], cwd=folder, env=beside(settings), check=True,
                          capture_output=True, text=True)
    key = re.search(r'sk_test_\w+', made.stdout)[0]
    return start(folder, 'portico', [PROGRAM, 'serve'], **settings), key


def api(key, method, path, **form):
    connection = http.client.HTTPConnection('127.0.0.1', APP, timeout=30)
    headers = {'Host': f'{PUBLIC}:{HTTPS}', 'Authorization': f'Bearer {key}', 'Content-Type': 'application/x-www-form-urlencoded'}
    connection.request(method, path, urllib.parse.urlencode(form), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status != 200:
        raise AssertionError(f'{method} {path}: {answer.status} {text}')
    return json.loads(text)


def put(record):
    """Into the zone of the name server."""
    host = f"{record['name']}."
    if record['type'] == 'CNAME':
        path, body = 'set-cname', {'host': host, 'target': f"{record['value']}."}
    else:
        path, body = 'set-txt', {'host': host, 'value': record['value']}
    urllib.request.urlopen(f'http://127.0.0.1:{MANAGEMENT}/{path}', json.dumps(body).encode()).read()


def visit(name, path='/', trust=None):
    """A browser's visit: status, certificate, text. Raises where no certificate is shown that it trusts."""
    context = ssl.create_default_context(cadata=trust)
    with socket.create_connection(('127.0.0.1', HTTPS), timeout=20) as raw, context.wrap_socket(raw, server_hostname=name) as tls:
        request = f'GET {path} HTTP/1.1\r\nHost: {name}:{HTTPS}\r\nAccept: text/html\r\nConnection: close\r\n\r\n'
        tls.sendall(request.encode())
        text = b''.join(iter(lambda: tls.recv(65536), b'')).decode()
        return int(text.split()[1]), tls.getpeercert(), text


def story(key):
    loose = ssl._create_unverified_context()
    root = urllib.request.urlopen(f'https://localhost:{ROOTS}/roots/0', context=loose).read().decode()
    proven = api(key, 'POST', '/v1/portal_domains', domain_name=PROVEN)
    api(key, 'POST', '/v1/portal_domains', domain_name=CLAIMED)
    for record in proven['verification']['records']:
        put(record)
    after = api(key, 'POST', f"/v1/portal_domains/{proven['id']}/verify")
    check(after['status'] == 'active', f"{PROVEN} is proven: {after['verification']['error']}")

    status, _, _ = waited('the public URL is reached', lambda: visit(PUBLIC, '/healthz', root))
    check(status == 200, 'the public URL has its certificate')
    began = time.monotonic()
    status, certificate, text = waited('a certificate comes', lambda: visit(PROVEN, '/', root))
    names = [name for _, name in certificate['subjectAltName']]
    check(names == [PROVEN], f'a first visit gets a certificate for {names}, in {time.monotonic() - began:.2f} s')
    check(status == 401 and '<html' in text, f'and the portal behind it ({status})')
    status, _, _ = visit(PROVEN, '/v1/account', root)
    check(status == 421, 'but not the API')
    for name in [CLAIMED, UNKNOWN]:
        try:
            visit(name, '/', root)
        except (ssl.SSLError, ConnectionError) as error:
            check(True, f'{name} gets no certificate ({error})')
        else:
            check(False, f'{name} gets no certificate')
    customer = api(key, 'POST', '/v1/customers', email='ada@example.com')['id']
    api(key, 'POST', '/v1/billing_portal/configurations/default', custom_domain=proven['id'])
    url = api(key, 'POST', '/v1/billing_portal/sessions', customer=customer)['url']
    check(url.startswith(f'https://{PROVEN}:{HTTPS}/session/'), 'a session begins under the domain')
    status, _, text = visit(PROVEN, urllib.parse.urlsplit(url).path, root)
    check(status == 200 and 'Acme' in text, 'and its link opens there')


def main():
    folder = Path(tempfile.mkdtemp(prefix='portico-tls-'))
    running = []
    try:
        running.extend(authority(folder))
        serving, key = program(folder)
        running.append(serving)
        waited('the program serves', lambda: socket.create_connection(('127.0.0.1', APP)).close())
        waited('the authority answers', lambda: socket.create_connection(('127.0.0.1', ROOTS)).close())
        waited('the name server answers', lambda: socket.create_connection(('127.0.0.1', MANAGEMENT)).close())
        running.append(front(folder))
        story(key)
    except BaseException:
        for log in sorted(folder.glob('*.log')):
            print(f'--- {log.name}', log.read_text()[-3000:], sep='\n', file=sys.stderr)
        raise
    finally:
        for one in running:
            one.terminate()
            one.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
