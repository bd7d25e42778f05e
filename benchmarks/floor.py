"""The floor: fetch the same pages over http.client and throw them away. Bare Python, nothing signed or decoded.

Standard library only, run as a script: floor.py URL.
"""

import http.client
import re
import sys
from urllib.parse import urlsplit

_TOKEN = re.compile(rb'"nextToken":"([^"]*)"}$')
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.DescribeImages",
}


def main(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    token = b""
    while True:
        more = b',"nextToken":"%b"' % token if token else b""
        connection.request("POST", "/", b'{"repositoryName":"bench","maxResults":1000%b}' % more, _HEADERS)
        found = _TOKEN.search(connection.getresponse().read()[-100:])
        if found is None:
            return
        token = found[1]


if __name__ == "__main__":
    main(sys.argv[1])
