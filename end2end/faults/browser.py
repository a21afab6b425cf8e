"""The portal as a customer's browser asks for it."""
import http.client


def sign_in(installation, customer):
    """Follows a portal link as a browser does that a page led here; answers the cookie."""
    link = installation.run('session', 'create', '--customer', customer).strip()
    headers = {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', 'Accept': 'text/html'}
    answer = fetch(installation, '/session/' + link.rsplit('/', 1)[1], headers)
    return answer.headers['set-cookie'].split(';')[0]


def page(installation, cookie):
    """The status of the portal's overview."""
    return fetch(installation, '/', {'Cookie': cookie, 'Accept': 'text/html', 'Sec-Fetch-Site': 'none'}).status


def fetch(installation, path, headers):
    connection = http.client.HTTPConnection('127.0.0.1', installation.port, timeout=40)
    connection.request('GET', path, headers={'Host': f'localhost:{installation.port}', **headers})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer
