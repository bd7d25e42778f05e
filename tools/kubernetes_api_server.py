"""Run a command with a real Kubernetes API server at hand: `python -m tools.kubernetes_api_server COMMAND...`.

No package ships the server, so it is built once from Debian's source package, by Debian's Go, into the cache; about
three minutes on two cores. That needs apt-get and Debian 12's keys, but neither root nor anything installed. Server and
etcd listen on loopback and end with the command, which finds them by two variables of its environment:
AWS_ECR_GC_TEST_KUBECONFIG, whose user may do everything, and AWS_ECR_GC_TEST_ETCD.
"""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aws-ecr-gc-test" / "kubernetes-1.20.2"
_MIRROR = "http://deb.debian.org/debian bookworm main"
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
_GO = "golang-1.19"
_PACKAGE = "k8s.io/kubernetes"
_TOKEN = "for-this-test"  # noqa: S105 - it ends with the server
_PATIENCE_SECONDS = 90


def main(command: Sequence[str]) -> int:
    """Build what is missing, start the servers, run the command; its exit code."""
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    if not (CACHE / "kube-apiserver").exists():
        _build()
    with tempfile.TemporaryDirectory() as scratch, _running(Path(scratch)) as variables:
        return subprocess.call(command, env={**os.environ, **variables})  # noqa: S603 - the command is the user's


def _run(*words: str | Path, cwd: Path, environment: Mapping[str, str] | None = None) -> None:
    subprocess.run(words, cwd=cwd, env={**os.environ, **(environment or {})}, check=True)  # noqa: S603


def _build() -> None:
    if shutil.which("apt-get") is None or not Path(_KEYS).exists():
        sys.exit(f"The server is built with Debian's packages: that needs apt-get and {_KEYS}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        place = Path(scratch)
        print("Building kube-apiserver, once: about three minutes", file=sys.stderr)
        _fetch(place)
        source = _unpack(place)
        server = _compile(place, source)
        shutil.move(place / "root/usr/bin/etcd", CACHE / "etcd")
        shutil.move(server, CACHE / "kube-apiserver")


def _fetch(place: Path) -> None:
    """Source and compiler by apt-get, with lists of its own: the system's are neither needed nor touched."""
    for name in ("lists/partial", "cache/archives/partial", "packages"):
        (place / name).mkdir(parents=True)
    (place / "sources.list").write_text(
        "".join(f"{kind} [signed-by={_KEYS}] {_MIRROR}\n" for kind in ("deb", "deb-src"))
    )
    (place / "apt.conf").write_text(
        f'Dir::Etc::SourceList "{place}/sources.list";\nDir::Etc::SourceParts "/dev/null";\n'
        f'Dir::State::Lists "{place}/lists";\nDir::Cache "{place}/cache";\nAPT::Sandbox::User "";\n'
    )
    environment = {"APT_CONFIG": str(place / "apt.conf")}
    packages = place / "packages"
    _run("apt-get", "-qq", "update", cwd=packages, environment=environment)
    _run("apt-get", "-qq", "source", "--download-only", "kubernetes", cwd=packages, environment=environment)
    _run("apt-get", "-qq", "download", f"{_GO}-go", f"{_GO}-src", "etcd-server", cwd=packages, environment=environment)


def _unpack(place: Path) -> Path:
    for package in (place / "packages").glob("*.deb"):
        _run("dpkg-deb", "-x", package, place / "root", cwd=place)
    source = place / "go/src" / _PACKAGE
    source.mkdir(parents=True)
    (archive,) = (place / "packages").glob("kubernetes_*.orig.tar.gz")
    _run("tar", "xzf", archive, "--strip-components=1", "-C", source, cwd=place)
    return source


def _compile(place: Path, source: Path) -> Path:
    """The server, after the one generated file without which it does not compile."""
    root = place / "root/usr/lib" / _GO.replace("golang", "go")
    environment = {
        "GOROOT": str(root),
        "GOPATH": str(place / "go"),
        "GOCACHE": str(place / "compiled"),
        "GO111MODULE": "off",
        "GOFLAGS": "",
        "CGO_ENABLED": "0",
    }
    go, generator, server = root / "bin/go", place / "openapi-gen", place / "kube-apiserver"
    _run(
        go,
        "build",
        "-o",
        generator,
        "./vendor/k8s.io/kube-openapi/cmd/openapi-gen",
        cwd=source,
        environment=environment,
    )
    words = (
        ("-i", ",".join(_described(source))),
        ("-p", f"{_PACKAGE}/pkg/generated/openapi"),
        ("-O", "zz_generated.openapi"),
        ("-h", "vendor/k8s.io/code-generator/hack/boilerplate.go.txt"),
        ("-r", str(place / "violations")),
    )
    path = {"PATH": f"{root / 'bin'}:{os.environ['PATH']}"}
    flags = [word for pair in words for word in pair]
    _run(generator, "--logtostderr", *flags, cwd=source, environment={**environment, **path})
    _run(go, "build", "-o", server, "./cmd/kube-apiserver", cwd=source, environment=environment)
    return server


def _described(source: Path) -> list[str]:
    """The packages whose types the API describes."""
    found = set()
    for top in (
        "cmd",
        "pkg",
        "plugin",
        *(f"vendor/k8s.io/{each.name}" for each in (source / "vendor/k8s.io").iterdir()),
    ):
        if top.startswith(("vendor/k8s.io/code-generator", "vendor/k8s.io/sample-")):
            continue
        for file in (source / top).resolve().rglob("*.go"):
            if b"+k8s:openapi-gen=" in file.read_bytes():
                inside = file.parent.relative_to((source / top).resolve())
                found.add(f"{_PACKAGE}/{top}/{inside}".removesuffix("/."))
    return sorted(found)


@contextmanager
def _running(place: Path) -> Iterator[dict[str, str]]:
    client, peer, secure = _free_ports(3)
    etcd = f"http://127.0.0.1:{client}"
    server = f"https://127.0.0.1:{secure}"
    _run("openssl", "genrsa", "-out", place / "key", "2048", cwd=place)
    tokens = place / "tokens.csv"
    tokens.write_text(f"{_TOKEN},admin,admin,system:masters\n")
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.append(_start(place, "etcd", *_etcd_flags(place, etcd, f"http://127.0.0.1:{peer}")))
        started.append(_start(place, "kube-apiserver", *_server_flags(place, etcd, secure, tokens)))
        _await(f"{server}/readyz", started, place)
        yield {"AWS_ECR_GC_TEST_KUBECONFIG": str(_kubeconfig(place, server)), "AWS_ECR_GC_TEST_ETCD": etcd}
    finally:
        for each in reversed(started):
            each.terminate()
            each.wait()


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _etcd_flags(place: Path, client: str, peer: str) -> Iterator[str]:
    yield f"--data-dir={place / 'etcd'}"
    yield "--unsafe-no-fsync"
    yield from (f"--listen-client-urls={client}", f"--advertise-client-urls={client}")
    yield from (
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
    )


def _server_flags(place: Path, etcd: str, port: int, tokens: Path) -> Iterator[str]:
    yield f"--etcd-servers={etcd}"
    yield from ("--bind-address=127.0.0.1", f"--secure-port={port}", "--advertise-address=192.0.2.1")
    yield from (f"--cert-dir={place / 'certificates'}", "--service-cluster-ip-range=192.0.2.0/24")
    yield from (f"--token-auth-file={tokens}", "--authorization-mode=RBAC")
    yield from ("--disable-admission-plugins=ServiceAccount", "--service-account-issuer=https://test")
    yield from (f"--service-account-key-file={place / 'key'}", f"--service-account-signing-key-file={place / 'key'}")


def _start(place: Path, program: str, *flags: str) -> subprocess.Popen[bytes]:
    with (place / f"{program}.log").open("wb") as log:
        return subprocess.Popen([CACHE / program, *flags], stdout=log, stderr=log)  # noqa: S603 - built above


def _await(url: str, started: Sequence[subprocess.Popen[bytes]], place: Path) -> None:
    """Return when the server is ready. Raises RuntimeError with the logs when it does not come to that."""
    unverified = ssl._create_unverified_context()  # noqa: S323, SLF001 - it makes its certificate now
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and all(each.poll() is None for each in started):
        try:
            with urllib.request.urlopen(url, context=unverified):  # noqa: S310 - https, on loopback
                return
        except OSError:  # not there yet, or not ready
            time.sleep(0.2)
    ends = (f"{log.name}:\n{log.read_text(errors='replace')[-2000:]}" for log in sorted(place.glob("*.log")))
    raise RuntimeError("the API server is not ready\n" + "\n".join(ends))


def _kubeconfig(place: Path, server: str) -> Path:
    cluster = {"server": server, "certificate-authority": str(place / "certificates/apiserver.crt")}
    contents = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "real", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": _TOKEN}}],
        "contexts": [{"name": "real", "context": {"cluster": "real", "user": "admin"}}],
        "current-context": "real",
    }
    path = place / "kubeconfig"
    path.write_text(json.dumps(contents))
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
